"""The tables of the pages of findings: each is made of kept numbers, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from spectral_capacity.analysis.asymptotes import FROM_D
from spectral_capacity.analysis.verdicts import NOT_MEASURED
from spectral_capacity.report import practice_tables

RUNS = {
    "default": "results",
    "decide": "results-decide",
    "theory": "results-theory",
    "practice": "results-practice",
}
"""Kept runs, and the folders in which they are found: of config/config.yaml, and of the file of each name."""

Kept = Mapping[str, pd.DataFrame]
"""Tables by ``NAME/claims`` and ``NAME/points``."""


def verdicts(tables: Kept) -> str:
    """Every claim with the verdict of each kept run."""
    runs = {
        name: _verdicts(tables[f"{name}/claims"])
        for name in ("default", "decide")
        if f"{name}/claims" in tables
    }
    known = dict.fromkeys(id for run in runs.values() for id in run)
    rows = [[id, *(run.get(id, NOT_MEASURED) for run in runs.values())] for id in known]
    return markdown(["claim", *runs], rows)


def _verdicts(claims: pd.DataFrame) -> dict[str, str]:
    return claims.drop_duplicates("claim").set_index("claim").claim_verdict.to_dict()


def asymptotes(tables: Kept) -> str:
    """Exponents of claims about asymptotes: the theorem's, continued, and with the trend that was measured.

    Of each line from the kept run with most seeds.
    """
    found = []
    for name in RUNS:
        if f"{name}/claims" in tables:
            claims = tables[f"{name}/claims"]
            here = (claims.statistic == "asymptote") & (claims.verdict != NOT_MEASURED)
            found.append(claims[here].assign(run=name))
    line = ["claim", "optimizer", "alpha", "kappa", "step"]
    lines = pd.concat(found).sort_values("seeds", kind="stable").drop_duplicates(line, keep="last")
    lines = lines.sort_values(line, kind="stable")
    rows = [
        [
            f"{row.claim}, {row.optimizer}",
            f"{row.alpha:g}",
            f"{row.kappa:g}",
            f"{row.step:g}",
            number(row.predicted),
            number(row.finite_size),
            interval(row.measured, row.low, row.high),
            f"{row.seeds:g}, {row.run}",
        ]
        for row in lines.itertuples()
    ]
    titles = ["claim", "α", "κ", "step", "theorem", "continued", "with the trend", "seeds, run"]
    return markdown(titles, rows)


def over_prediction(
    tables: Kept, run: str, experiments: Sequence[str], by: Sequence[str], *, counts: bool = False
) -> str:
    """Measured over predicted counts of the population and standard errors, a column per d from 64 on.

    Rows are told apart by the columns ``by``, in the order of ``experiments``. With ``counts`` the mean count
    stands before the ratio. Nothing where a run is not kept.
    """
    found = tables.get(f"{run}/points")
    if found is None:
        return ""
    here = np.isinf(found.batch_size) & (found.predicted_capacity > 0) & (found.d >= FROM_D)
    here &= found.experiment.isin([*experiments])
    if "step" not in by:
        here &= found.step == 1
    found = found[here].assign(
        ratio=found.capacity / found.predicted_capacity,
        error=found.capacity_error / found.predicted_capacity,
        place=found.experiment.map({name: i for i, name in enumerate(experiments)}),
    )
    sizes = sorted(found.d.unique())
    rows = []
    for key, line in found.groupby(["place", *by]):
        by_d = line.set_index("d")
        cells = [_ratio(by_d.loc[d], counts) if d in by_d.index else "" for d in sizes]
        rows.append([*(v if isinstance(v, str) else f"{v:g}" for v in key[1:]), *cells])
    titles = [*(TITLES[name] for name in by), *(f"d = {d:g}" for d in sizes)]
    return markdown(titles, rows)


TITLES = {"optimizer": "optimizer", "alpha": "α", "kappa": "κ", "step": "step"}
"""Of columns that tell rows apart."""


def _ratio(point: pd.Series, counts: bool) -> str:
    before = f"{point.capacity:.1f}: " if counts else ""
    error = f" ± {point.error:.2f}" if np.isfinite(point.error) else ""
    return f"{before}{point.ratio:.2f}{error}"


def several_steps(tables: Kept) -> str:
    """Count, robust prefix, head and mass after each step, measured and, behind it, predicted."""
    found = tables["default/points"]
    here = found.experiment.isin(["steps", "thresholded"]) & (found.alpha == 1.5) & (found.d >= 128)
    rows = []
    for row in found[here & (found.step <= MOST_STEPS)].itertuples():
        pairs = [
            f"{getattr(row, name):.{digits}f}{_predicted(row, name, digits)}"
            for name, digits in SEVERAL_STEPS.items()
        ]
        rows.append([f"{row.experiment}, {row.optimizer}", f"{row.d:g}", f"{row.step:g}", *pairs])
    rows.sort(key=lambda row: (row[0], int(row[1]), int(row[2])))
    titles = ["experiment", "d", "step", "items", "robust prefix", "head", "mass"]
    return markdown(titles, rows)


MOST_STEPS = 4
SEVERAL_STEPS = {"capacity": 0, "robust_prefix": 0, "head_recall": 2, "recovered_mass": 2}
"""Columns, and their digits behind the point."""


def _predicted(row: Any, name: str, digits: int) -> str:
    value = getattr(row, f"predicted_{name}")
    return f" ({value:.{digits}f})" if np.isfinite(value) else ""


def number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def interval(value: float, low: float, high: float) -> str:
    ends = f" [{low:.2f}, {high:.2f}]" if np.isfinite([low, high]).all() else ""
    return f"{value:.2f}{ends}" if np.isfinite(value) else ""


def markdown(titles: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


ONE_STEP = ("one_step", "anisotropy")
OF_THEORY: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "theory one step": (("theory_one_step", "theory_gd"), ("optimizer", "alpha")),
    "theory anisotropy": (("theory_anisotropy",), ("alpha", "kappa")),
    "theory steps": (("theory_steps",), ("alpha", "step")),
    "theory exact": (("theory_exact",), ("optimizer", "alpha", "step")),
    "theory gradient steps": (("theory_gd_steps",), ("alpha", "step")),
}
"""Tables of ratios of config/theory.yaml: experiments, and what tells rows apart."""

TABLES: dict[str, Callable[[Kept], str]] = {
    "verdicts": verdicts,
    "asymptotes": asymptotes,
    "over prediction": partial(
        over_prediction, run="default", experiments=ONE_STEP, by=("optimizer", "alpha", "kappa")
    ),
    "several steps": several_steps,
    "practice optimizers": lambda tables: markdown(*practice_tables.optimizers(tables)),
    "practice answers": lambda tables: markdown(*practice_tables.answers(tables)),
    "theory maps": partial(
        over_prediction,
        run="theory",
        experiments=("theory_maps",),
        by=("optimizer", "alpha"),
        counts=True,
    ),
} | {
    name: partial(over_prediction, run="theory", experiments=experiments, by=by)
    for name, (experiments, by) in OF_THEORY.items()
}
"""What a page may name, and what writes it."""
