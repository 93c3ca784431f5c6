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
from spectral_capacity.report import words

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
    log_powers: float

    @property
    def allowed(self) -> str:
        """What the claim predicts, and the deviation from it that it allows."""
        predicted, tolerance = words.number(self.predicted), words.number(self.tolerance)
        if self.relation == "equal":
            parts = f"predicted {predicted}", f"allowed ± {tolerance}"
        elif self.relation == "at_most":
            end = words.number(self.predicted + self.tolerance)
            parts = f"predicted at most {predicted}", f"allowed up to {end}"
        else:
            end = words.number(self.predicted - self.tolerance)
            parts = f"predicted at least {predicted}", f"allowed down to {end}"
        return ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)

    @property
    def logarithms(self) -> str:
        """Where the allowed deviation is from: k/log d, d the mean of the fitted; nothing of a tolerance."""
        if not self.log_powers > 0:
            return ""
        return f"{self.log_powers:g}/log {math.exp(self.log_powers / self.tolerance):.0f}"

    @property
    def side(self) -> str:
        """On which side of the prediction the measurement lies, and its interval of what is allowed."""
        where = self.position(self.measured)
        if math.isnan(where):
            return "Nothing could be fitted."
        more = f"Measured {'more' if where > 0 else 'less'} than predicted"
        low, high = self.position(self.low), self.position(self.high)
        if math.isnan(low):
            return f"{more}; there is no interval, of one seed."
        ends = []
        if self.relation != "at_least" and high > 1:
            ends.append("above")
        if self.relation != "at_most" and low < -1:
            ends.append("below")
        if not ends:
            return f"{more}; the interval lies inside what is allowed."
        whole = "wholly" if low > 1 or high < -1 else "partly"
        return f"{more}; the interval lies {whole} {' and '.join(ends)} what is allowed."

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
    def what(self) -> str:
        """What was measured, in words."""
        about = QUANTITIES[self.quantity]
        quantity = words.QUANTITIES.get(self.quantity, about.long_name)
        if about.in_samples:
            return f"exponent in the {about.grows_with}, of {quantity}"
        if self.statistic == "level":
            return f"{quantity}, at the largest d"
        return f"exponent in d of {quantity}"

    @property
    def over(self) -> str:
        """Which d's it was fitted over, in words; nothing of what is no exponent in d."""
        if math.isnan(self.fitted):
            return ""
        return words.FITS[self.fit].format(words.few(self.fitted))

    @property
    def shortage(self) -> str:
        """What a run that is too small for a verdict would need."""
        if self.largest_d < MIN_LARGEST_D:
            return f"d goes to {self.largest_d:g}; a verdict needs {MIN_LARGEST_D}"
        return f"fitted over {self.fitted:g} values of d; a verdict needs {MIN_FITTED}"


NUMBERS = [name for name, kind in Line.__annotations__.items() if kind == "float"]


@dataclass(frozen=True)
class Result:
    """A claim's verdict and its lines, none where it was not measured. statement, source, note: RST."""

    id: str
    statement: str
    source: str
    note: str
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
    def optimizers(self) -> list[str]:
        """Of its lines, each once."""
        return list(dict.fromkeys(line.optimizer for line in self.lines))

    @property
    def varied(self) -> list[str]:
        """What its lines differ in."""
        names = ("optimizer", "alpha", "kappa", "step")
        return [name for name in names if len({getattr(line, name) for line in self.lines}) > 1]

    @property
    def where(self) -> str:
        """Where the deciding line is, by what its lines differ in; nothing where there is one."""
        names = {"optimizer": "{}", "alpha": "α = {:g}", "kappa": "κ = {:g}", "step": "t = {:g}"}
        parts = [names[n].format(getattr(self.deciding, n)) for n in self.varied]
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
        lines = tuple(
            Line(**{n: float(row[n]) if n in NUMBERS else row[n] for n in Line.__annotations__})
            for row in of_claim
            if row["verdict"] != NOT_MEASURED
        )
        about = (first["statement"], first["source"], first["note"], first["claim_verdict"])
        found.append(Result(claim, *about, lines))
    return found


def headline(found: Sequence[Result]) -> dict[str, dict[float, Line]]:
    """What a run is asked first: {optimizer: {α: line}}, the exponents of one step's count at κ = 0.

    Of the experiment that has most of them; empty where no claim that is decided asks for one.
    """
    asked = [
        line
        for result in found
        for line in result.lines
        if (line.quantity, line.statistic, line.relation) == ("capacity", "exponent", "equal")
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
