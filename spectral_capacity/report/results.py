"""Claims with their verdicts, as the pages show them."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from spectral_capacity.analysis.quantities import QUANTITIES
from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    MIN_FITTED,
    MIN_LARGEST_D,
    NOT_MEASURED,
    SUPPORTED,
    TOO_SMALL,
)
from spectral_capacity.report.words import number

SIGNS = {SUPPORTED: "✓", INCONCLUSIVE: "?", CONTRADICTED: "✗", TOO_SMALL: "–", NOT_MEASURED: "·"}
"""Verdicts in the order in which they are counted."""
BY_WEIGHT = (CONTRADICTED, INCONCLUSIVE, TOO_SMALL, SUPPORTED, NOT_MEASURED)
"""Which of its lines speaks for a claim."""
ALLOWED = {"equal": "±", "at_most": "+", "at_least": "−"}
"""How a deviation from the prediction is allowed."""


@dataclass(frozen=True)
class Line:
    """A row of the table of claims; numbers are NaN where there is none."""

    experiment: str
    optimizer: str
    quantity: str
    statistic: str
    fit: str
    relation: str
    alpha: float
    kappa: float
    step: float
    predicted: float
    measured: float
    low: float
    high: float
    finite_size: float
    tolerance: float
    verdict: str
    fitted: float
    largest_d: float

    @property
    def allowed(self) -> str:
        """What the claim allows: the prediction and the deviation from it."""
        side = {"equal": "", "at_most": "≤ ", "at_least": "≥ "}[self.relation]
        return f"{side}{number(self.predicted)} {ALLOWED[self.relation]} {number(self.tolerance)}"

    def position(self, value: float) -> float:
        """Where a value lies: 0 is the prediction, ±1 are the ends of what is allowed."""
        return (value - self.predicted) / (self.tolerance or 1e-9)

    @property
    def outwards(self) -> float:
        """How far out the measured value lies, in units of what is allowed; −∞ where it is not known."""
        position = self.position(self.measured)
        if math.isnan(position):
            return -math.inf
        return {"equal": abs(position), "at_most": position, "at_least": -position}[self.relation]

    @property
    def origin(self) -> str:
        """Where the number comes from, in a sentence."""
        quantity = self.quantity.replace("_", " ")
        about = QUANTITIES[self.quantity]
        if about.in_samples:
            what = f"exponent of capacity in the {about.grows_with}"
        elif self.statistic == "level":
            what = f"{quantity} at the largest d"
        else:
            what = f"exponent of {quantity} in d"
        return f"Experiment {self.experiment}; {what}" + (
            f", fit “{self.fit}”." if self.fit else "."
        )

    @property
    def shortage(self) -> str:
        """What a run that is too small for a verdict would need."""
        if self.largest_d < MIN_LARGEST_D:
            return f"d goes to {self.largest_d:g}; a verdict needs {MIN_LARGEST_D}"
        return f"fitted over {self.fitted:g} values of d; a verdict needs {MIN_FITTED}"


NUMBERS = [name for name, kind in Line.__annotations__.items() if kind == "float"]


@dataclass(frozen=True)
class Result:
    """A claim's verdict and its lines, none where it was not measured. statement, source: RST."""

    id: str
    statement: str
    source: str
    verdict: str
    lines: tuple[Line, ...]

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
    def varied(self) -> list[str]:
        """What its lines differ in."""
        names = ("optimizer", "alpha", "kappa", "step")
        return [name for name in names if len({getattr(line, name) for line in self.lines}) > 1]

    @property
    def place(self) -> str:
        """Where the deciding line is, by what its lines differ in."""
        names = {"optimizer": "{}", "alpha": "α = {:g}", "kappa": "κ = {:g}", "step": "t = {:g}"}
        return ", ".join(names[n].format(getattr(self.deciding, n)) for n in self.varied)


def results(rows: Iterable[Mapping[str, Any]]) -> list[Result]:
    """Claims in the order of their rows; a row has the columns of :data:`analysis.claims.COLUMNS`."""
    found = []
    for claim, group in groupby(rows, key=lambda row: row["claim"]):
        of_claim = list(group)
        first = of_claim[0]
        lines = tuple(
            Line(**{n: float(row[n]) if n in NUMBERS else row[n] for n in Line.__annotations__})
            for row in of_claim
            if row["verdict"] != NOT_MEASURED
        )
        about = (first["statement"], first["source"], first["claim_verdict"])
        found.append(Result(claim, *about, lines))
    return found


def read_rows(path: str | os.PathLike) -> list[dict[str, Any]]:
    """The rows of a table of claims, without pandas, whose import takes a second."""
    with open(path, encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    return [row | {name: row[name] or math.nan for name in NUMBERS} for row in rows]
