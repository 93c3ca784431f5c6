"""Claims with their verdicts, as the pages show them."""

from __future__ import annotations

import csv
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_MEASURED,
    SUPPORTED,
    TOO_SMALL,
)
from spectral_capacity.report.claim_lines import COORDINATES, NUMBERS, Line

SIGNS = {SUPPORTED: "✓", INCONCLUSIVE: "?", CONTRADICTED: "✗", TOO_SMALL: "–", NOT_MEASURED: "·"}
"""Verdicts in the order in which they are counted."""
BY_WEIGHT = (CONTRADICTED, INCONCLUSIVE, TOO_SMALL, SUPPORTED, NOT_MEASURED)
"""Which of its lines speaks for a claim."""


@dataclass(frozen=True)
class Result:
    """A claim's verdict and its lines, none where it was not measured.

    statement, source, note: RST. missing: what of it was not measured, and why.
    """

    id: str
    statement: str
    source: str
    note: str
    verdict: str
    lines: tuple[Line, ...]
    missing: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """Its name as an anchor."""
        return "claim-" + re.sub(r"\W+", "-", self.id)

    @property
    def deciding(self) -> Line:
        """The line that speaks for the claim: of those with the weightiest verdict the one farthest out."""
        weightiest = min(self.lines, key=lambda line: BY_WEIGHT.index(line.verdict)).verdict
        return max(
            (line for line in self.lines if line.verdict == weightiest),
            key=lambda line: line.outwards,
        )

    @property
    def optimizers(self) -> list[str]:
        """Of its lines, each once."""
        return list(dict.fromkeys(line.optimizer for line in self.lines))

    @property
    def varied(self) -> list[str]:
        """What its lines differ in."""
        return [
            name for name in COORDINATES if len({line.coordinate(name) for line in self.lines}) > 1
        ]

    @property
    def has_predictions(self) -> bool:
        """Whether a prediction without a fit parameter stands beside any line."""
        return any(not math.isnan(line.finite_size) for line in self.lines)

    @property
    def columns(self) -> dict[str, str]:
        """Headings of what its lines differ in or are always asked, by name."""
        asked = {"optimizer", "against", "alpha", "kappa", *self.varied}
        return {
            name: heading
            for name, (heading, _) in COORDINATES.items()
            if name in asked & {*self._known}
        }

    @property
    def everywhere(self) -> str:
        """What all lines have in common beside that; one step is not worth a word."""
        line = self.lines[0]
        names = [name for name in self._known if name not in self.columns]
        parts = [line.coordinate(name, sentence=True) for name in names]
        return ", ".join(
            part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts if part != "t = 1"
        )

    @property
    def _known(self) -> list[str]:
        """What any of its lines says of itself."""
        return [
            name for name in COORDINATES if any(line.coordinate(name) != "–" for line in self.lines)
        ]

    @property
    def where(self) -> str:
        """Where the deciding line is, by what its lines differ in; nothing where there is one."""
        parts = [self.deciding.coordinate(name, sentence=True) for name in self.varied]
        return ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)

    @property
    def choice(self) -> str:
        """Why it is the deciding one; nothing where there is one."""
        of, verdict = len(self.lines), self.deciding.verdict
        if of == 1:
            return ""
        if verdict == SUPPORTED:
            return f"the closest to failing of {of} measurements"
        alike = sum(line.verdict == verdict for line in self.lines)
        if alike == of:
            return f"the farthest off of {of} measurements"
        chosen = f"the farthest off of {alike}" if alike > 1 else "the one"
        return f"{chosen} {verdict} among {of} measurements"


def results(rows: Iterable[Mapping[str, Any]]) -> list[Result]:
    """Claims in the order of their rows; a row has the columns of :data:`analysis.claims.COLUMNS`."""
    found = []
    for claim, group in groupby(rows, key=lambda row: row["claim"]):
        of_claim = list(group)
        first = of_claim[0]
        lines = tuple(Line.of(row) for row in of_claim if row["verdict"] != NOT_MEASURED)
        reasons = (row["reason"] for row in of_claim if row["verdict"] == NOT_MEASURED)
        missing = tuple(reason for reason in reasons if isinstance(reason, str) and reason)
        about = (first["statement"], first["source"], first["note"], first["claim_verdict"])
        found.append(Result(claim, *about, lines, missing))
    return found


def headline(found: Sequence[Result]) -> dict[str, dict[float, Line]]:
    """What a run is asked first: {optimizer: {α: line}}, the exponents of one step's count at κ = 0.

    Of the experiment that has most of them; empty where no claim that is decided asks for one.
    """
    asked = [
        line
        for result in found
        for line in result.lines
        if (line.quantity, line.relation) == ("capacity", "equal")
        and line.statistic in ("exponent", "asymptote")
        and (line.kappa, line.step) == (0, 1)
        and line.verdict != TOO_SMALL
    ]
    experiments = Counter(line.experiment for line in asked).most_common(1)
    table: dict[str, dict[float, Line]] = {}
    for line in asked:
        if line.experiment == experiments[0][0]:
            table.setdefault(line.optimizer, {}).setdefault(line.alpha, line)
    return table


def read_rows(path: str | os.PathLike) -> list[dict[str, Any]]:
    """The rows of a table of claims, without pandas, whose import takes a second."""
    with open(path, encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    return [row | {name: row[name] or math.nan for name in NUMBERS} for row in rows]
