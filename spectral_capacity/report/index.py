"""The page of a run: what was run, what was found and how sure it is, in one file that stands alone."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spectral_capacity.analysis.claims_file import Claim
from spectral_capacity.analysis.verdicts import NOT_MEASURED, TOO_SMALL
from spectral_capacity.report import pictures, words
from spectral_capacity.report.index_template import INDEX
from spectral_capacity.report.results import SIGNS, Result, read_rows, results
from spectral_capacity.report.run import Run, read_run
from spectral_capacity.report.templates import template
from spectral_capacity.report.text import first_sentence
from spectral_capacity.results.files import atomic_path


@dataclass(frozen=True)
class Figure:
    """A figure of the run. caption: RST. experiments: that it shows. files: paths by format."""

    name: str
    title: str
    theme: str
    caption: str
    experiments: Sequence[str]
    files: Mapping[str, str]

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
) -> None:
    """Write the page of a run.

    claims: of the file that ``table``, the CSV of their verdicts, was made with. grids: of all experiments.
    settings: ``figures``, a list of what :class:`Figure` has, and ``experiments``, by name, each with ``fits``,
    paths by format, and ``benchmarks``, a path for each of its cells. Pictures are put into the page; every
    other file is linked, at its place beside the page.
    """
    about = {claim.id: claim for claim in claims}
    found = [replace(r, statement=about[r.id].statement) for r in results(read_rows(table))]
    figures = [Figure(**each) for each in settings["figures"]]
    run = read_run(grids, {n: e["benchmarks"] for n, e in settings["experiments"].items()})
    fits = {name: each["fits"] for name, each in settings["experiments"].items()}
    shown_by = {claim.id: claim.figure for claim in claims}
    html = to_html(run, found, shown_by, figures, fits, Path(page).parent)
    with atomic_path(page) as temporary:
        temporary.write_text(html, encoding="utf-8")


def to_html(
    run: Run,
    found: Sequence[Result],
    shown_by: Mapping[str, str | None],
    figures: Sequence[Figure],
    fits: Mapping[str, Mapping[str, str]],
    folder: Path,
) -> str:
    """The page as text, the same for the same arguments and pictures.

    shown_by: a figure for each claim, or none. fits: files of an experiment by format. folder: of the page.
    """
    themes: dict[str, list[Figure]] = {}
    for figure in figures:
        themes.setdefault(figure.theme, []).append(figure)
    names = [figure.name for figure in figures]
    counts = Counter(result.verdict for result in found)
    measured = [result for result in found if result.verdict != NOT_MEASURED]
    text = template("index", INDEX).render(
        run=run,
        counts={verdict: counts[verdict] for verdict in SIGNS if counts[verdict]},
        undecided=bool(measured) and all(r.verdict == TOO_SMALL for r in measured),
        total=len(found),
        measured=measured,
        unmeasured=[result for result in found if result.verdict == NOT_MEASURED],
        figure_of={r.id: f for r in found if (f := shown_by.get(r.id)) in names},
        claims_of={name: [r for r in found if shown_by.get(r.id) == name] for name in names},
        themes=themes,
        grids={experiment.name: experiment.grid for experiment in run.experiments},
        fits=fits,
        claims_page="claims.html",
        claims_table="claims.csv",
        link=lambda path: Path(os.path.relpath(path, folder)).as_posix(),
        words=words,
    )
    return text.strip() + "\n"
