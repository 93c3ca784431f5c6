"""``python -m spectral_capacity.report.findings`` (``make findings``): the numbers of the pages of findings.

What finished runs have found is kept in small tables, ``data/findings/NAME/claims.csv`` and ``points.csv``, so
that a reader can look numbers up without a run. Pages have their tables between a comment that names one of
:data:`TABLES` and ``<!-- end -->``; these are written from the kept ones, and from nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from spectral_capacity.analysis.asymptotes import FROM_D
from spectral_capacity.analysis.fitted_steps import at_fitted_steps
from spectral_capacity.analysis.quantities import LINE, PREDICTED
from spectral_capacity.analysis.swept_rates import at_chosen_rates
from spectral_capacity.analysis.verdicts import NOT_MEASURED
from spectral_capacity.results.reading import open_grid

KEPT = Path("data/findings")
RUNS = {"default": "results", "decide": "results-decide"}
"""Kept runs, and the folders in which they are found: of config/config.yaml and of config/decide.yaml."""
PAGES = ("docs/findings.md",)

DIGITS = 5
"""Significant ones that are kept: more than any interval here."""

TEXT = ("statement", "source", "note", "reason")
"""Columns of a table of claims that are not kept: data/claims.yaml has them."""

Kept = Mapping[str, pd.DataFrame]
"""Tables by ``NAME/claims`` and ``NAME/points``."""


def keep(results: Path, name: str) -> None:
    """Write the tables of a finished run to :data:`KEPT`."""
    folder = KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    claims = pd.read_csv(results / "claims.csv").drop(columns=[*TEXT])
    claims.to_csv(folder / "claims.csv", index=False, float_format=f"%.{DIGITS}g")
    found = [
        points(path.stem, open_grid(results / "grids" / path.name), open_grid(path))
        for path in sorted((results / "fits").glob("*.nc"))
    ]
    pd.concat(found).to_csv(folder / "points.csv", index=False, float_format=f"%.{DIGITS}g")


def points(experiment: str, grid: xr.Dataset, fits: xr.Dataset) -> pd.DataFrame:
    """A row per point of a grid that was fitted: mean over seeds, its standard error, and what is predicted.

    Of the capacity, that of a run which stopped early its last one as in fits, and of every other quantity of
    :data:`analysis.quantities.PREDICTED`.
    """
    shown = at_fitted_steps(at_chosen_rates(grid).sortby("d"))
    columns = {"seeds": shown.capacity.notnull().sum("seed")}
    for name in [name for name in PREDICTED if name in grid]:
        values = shown[name].astype(float)
        columns[name] = values.mean("seed", skipna=False)
        error = values.std("seed", ddof=1, skipna=False) / np.sqrt(values.seed.size)
        columns[f"{name}_error"] = error if values.seed.size > 1 else xr.full_like(error, np.nan)
        columns[f"predicted_{name}"] = fits[f"predicted_{name}"]
    columns = {name: column.transpose(*LINE, "d") for name, column in columns.items()}
    frame = xr.Dataset(columns).to_dataframe(dim_order=(*LINE, "d")).reset_index()
    frame.insert(0, "experiment", experiment)
    return frame[frame.capacity.notna()]


def kept() -> dict[str, pd.DataFrame]:
    """All tables that are kept."""
    return {
        f"{path.parent.name}/{path.stem}": pd.read_csv(path)
        for path in sorted(KEPT.glob("*/*.csv"))
    }


def verdicts(tables: Kept) -> str:
    """Every claim with the verdict of each kept run."""
    runs = {
        name: _verdicts(tables[f"{name}/claims"]) for name in RUNS if f"{name}/claims" in tables
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
            found.append(claims[claims.statistic == "asymptote"].assign(run=name))
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


def over_prediction(tables: Kept) -> str:
    """Measured over predicted counts of one step of the population, in the default run."""
    found = tables["default/points"]
    here = (found.step == 1) & np.isinf(found.batch_size) & (found.predicted_capacity > 0)
    here &= found.experiment.isin(["one_step", "anisotropy"]) & (found.d >= FROM_D)
    found = found[here].assign(
        ratio=found.capacity / found.predicted_capacity,
        error=found.capacity_error / found.predicted_capacity,
    )
    sizes = sorted(found.d.unique())
    rows = []
    for key, line in found.groupby(["experiment", "optimizer", "alpha", "kappa"]):
        by_d = line.set_index("d")
        cells = [
            f"{by_d.ratio[d]:.2f} ± {by_d.error[d]:.2f}" if d in by_d.index else "" for d in sizes
        ]
        rows.append([key[1], f"{key[2]:g}", f"{key[3]:g}", *cells])
    titles = ["optimizer", "α", "κ", *(f"d = {d:g}" for d in sizes)]
    return markdown(titles, rows)


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


TABLES: dict[str, Callable[[Kept], str]] = {
    "verdicts": verdicts,
    "asymptotes": asymptotes,
    "over prediction": over_prediction,
    "several steps": several_steps,
}
"""What a page may name, and what writes it."""


def number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def interval(value: float, low: float, high: float) -> str:
    ends = f" [{low:.2f}, {high:.2f}]" if np.isfinite([low, high]).all() else ""
    return f"{value:.2f}{ends}" if np.isfinite(value) else ""


def markdown(titles: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def written(page: str, tables: Kept) -> str:
    """The page with its tables. Raises ValueError for a table that is not known."""

    def table(found: re.Match) -> str:
        name = found["name"]
        if name not in TABLES:
            raise ValueError(f"table {name!r} is not known; allowed: {', '.join(TABLES)}")
        return f"<!-- table: {name} -->\n{TABLES[name](tables)}\n<!-- end -->"

    marks = r"<!-- table: (?P<name>[a-z ]+) -->\n.*?<!-- end -->"
    return re.sub(marks, table, page, flags=re.DOTALL)


def main() -> None:
    """Keep what runs have found that are finished here, and write all pages."""
    for name, results in RUNS.items():
        if (Path(results) / "claims.csv").is_file():
            keep(Path(results), name)
    tables = kept()
    for page in map(Path, PAGES):
        page.write_text(written(page.read_text(), tables))


if __name__ == "__main__":
    main()
