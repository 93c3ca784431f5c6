"""The page of a run: what was run, what was found and how sure it is, in one file that stands alone."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spectral_capacity.analysis.claims_file import Claim
from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_MEASURED,
    SUPPORTED,
    TOO_SMALL,
)
from spectral_capacity.report import pictures, words
from spectral_capacity.report.experiments_template import EXPERIMENTS
from spectral_capacity.report.exponents import exponents
from spectral_capacity.report.index_template import INDEX
from spectral_capacity.report.optimizers import described, update
from spectral_capacity.report.origins import origin, provenance_of, versions_of
from spectral_capacity.report.origins_template import ORIGINS
from spectral_capacity.report.results import SIGNS, headline, read_rows, results
from spectral_capacity.report.run import Run, read_run
from spectral_capacity.report.templates import template
from spectral_capacity.report.terms import TERMS
from spectral_capacity.report.text import first_sentence
from spectral_capacity.results.files import atomic_path


@dataclass(frozen=True)
class Figure:
    """A figure of the run. draw: the figure module. caption: RST. experiments: that it shows. files: paths by
    format."""

    name: str
    draw: str
    title: str
    theme: str
    caption: str
    experiments: Sequence[str]
    files: Mapping[str, str]

    def shows(self, claim: Claim) -> bool:
        """Whether it shows what a claim is about."""
        return self.draw == claim.figure and claim.experiment in self.experiments

    @property
    def alt(self) -> str:
        """What stands in place of the picture: the first sentence of the caption."""
        return first_sentence(self.caption)

    @property
    def picture(self) -> tuple[str, int, int] | None:
        """:func:`pictures.embedded` of a file that a page can show; None where there is none."""
        path = pictures.shown(self.files)
        return pictures.embedded(path) if path else None


def write(
    page: str | os.PathLike,
    claims: Sequence[Claim],
    table: str | os.PathLike,
    grids: Sequence[str | os.PathLike],
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write the page of a run.

    claims: of the file that ``table``, the CSV of their verdicts, was made with. grids: of all experiments.
    settings: ``figures``, a list of what :class:`Figure` has, and ``experiments``, by name, each with ``fits``,
    paths by format, and ``logs``, a path for each of its cells. Pictures are put into the page; every
    other file is linked, at its place beside the page. provenance: of the page itself; it keeps those of grids
    and fits beside it. Equal files with equal times give an equal page.
    """
    by_id = {claim.id: claim for claim in claims}
    found = [
        replace(r, statement=by_id[r.id].statement, note=by_id[r.id].note or "")
        for r in results(read_rows(table))
    ]
    measured = [result for result in found if result.verdict != NOT_MEASURED]
    counts = Counter(result.verdict for result in found)
    figures = [Figure(**each) for each in settings["figures"]]
    themes: dict[str, list[Figure]] = {}
    for figure in figures:
        themes.setdefault(figure.theme, []).append(figure)
    claims_of = {figure.name: [r for r in found if figure.shows(by_id[r.id])] for figure in figures}
    experiments = settings["experiments"]
    run = read_run(grids, {name: each["logs"] for name, each in experiments.items()})
    by_name = {experiment.name: experiment for experiment in run.experiments}
    fitted = {name: provenance_of([*each["fits"].values()]) for name, each in experiments.items()}
    drawn = {figure.name: provenance_of(figure.files.values()) for figure in figures}
    drawn["claims"] = provenance_of([os.fspath(table)])
    html = template("index", INDEX, experiments=EXPERIMENTS, origins=ORIGINS).render(
        run=run,
        total=len(found),
        counts={verdict: counts[verdict] for verdict in SIGNS if counts[verdict]},
        measured=measured,
        unmeasured=[result for result in found if result.verdict == NOT_MEASURED],
        short={
            v: [r for r in found if r.verdict == v] for v in (CONTRADICTED, SUPPORTED, INCONCLUSIVE)
        },
        headline=headline(measured),
        stored=lambda line: by_name[line.experiment].stored(
            optimizer=line.optimizer,
            alpha=line.alpha,
            kappa=line.kappa,
            batch_size="inf",
            d=line.largest_d,
            step=line.step,
        ),
        terms=TERMS,
        optimizers={
            name: described(each, of_a_transformer=name in run.of_transformers)
            for name, each in run.definitions.items()
        },
        updates={name: update(each) for name, each in run.definitions.items()},
        undecided=bool(measured) and all(r.verdict == TOO_SMALL for r in measured),
        themes=themes,
        claims_of=claims_of,
        # The first that shows it: figures of the user's own come last.
        figure_of={r.id: figure for figure in reversed(figures) for r in claims_of[figure.name]},
        grids={experiment.name: experiment.grid for experiment in run.experiments},
        fits={name: each["fits"] for name, each in experiments.items()},
        exponents={
            name: exponents(each["fits"]["csv"])
            for name, each in experiments.items()
            if each["fits"]
        },
        infinity=math.inf,
        table=Path(table),
        origins=[origin(experiment, fitted[experiment.name]) for experiment in run.experiments],
        drawn=drawn,
        made_with=versions_of(drawn.values()),
        provenance=provenance and {**provenance, **_behind(run, fitted)},
        link=lambda path: Path(os.path.relpath(path, Path(page).parent)).as_posix(),
        words=words,
    )
    with atomic_path(page) as temporary:
        temporary.write_text(html.strip() + "\n", encoding="utf-8")


def _behind(run: Run, fitted: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Provenance of the grids and fits of a run; of fits, what is not their grid's."""
    return {
        "grids": {experiment.name: experiment.provenance for experiment in run.experiments},
        "fits": {
            name: {key: value for key, value in made.items() if key != "grids"}
            for name, made in fitted.items()
            if made
        },
    }
