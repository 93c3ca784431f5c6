"""A row of the table of claims, as the pages show it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spectral_capacity.analysis.quantities import QUANTITIES
from spectral_capacity.analysis.run_quantities import RUN_QUANTITIES
from spectral_capacity.analysis.verdicts import (
    MIN_FITTED,
    MIN_LARGEST_D,
    MIN_SEEDS,
    MIN_SEEDS_OF_A_MEDIAN,
)
from spectral_capacity.report import words

COORDINATES = {
    "optimizer": ("optimizer", "{}"),
    "against": ("against", "against {}"),
    "alpha": ("α", "α = {:g}"),
    "kappa": ("κ", "κ = {:g}"),
    "step": ("t", "t = {:g}"),
    "alpha_triggers": ("α of triggers", "α of triggers = {:g}"),
    "alpha_outputs": ("α of outputs", "α of outputs = {:g}"),
    "d": ("d", "d = {:g}"),
    "batch_size": ("B", "B = {:g}"),
    "iteration": ("iteration", "iteration {:g}"),
}
"""What a row is about: a heading, and how it is written in a sentence."""
ALLOWED = {"equal": "±", "at_most": "+", "at_least": "−"}
"""How a deviation from the prediction is allowed."""


@dataclass(frozen=True)
class Line:
    """A row of the table of claims; numbers are NaN, and texts empty, where there is none."""

    experiment: str
    optimizer: str
    against: str
    quantity: str
    statistic: str
    fit: str
    relation: str
    alpha: float
    kappa: float
    step: float
    alpha_triggers: float
    alpha_outputs: float
    d: float
    batch_size: float
    iteration: float
    predicted: float
    measured: float
    low: float
    high: float
    finite_size: float
    tolerance: float
    verdict: str
    seeds: float
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
            of_runs = self.against or self.statistic in words.OF_RUNS
            return (
                "A run has no such value, or diverged." if of_runs else "Nothing could be fitted."
            )
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
        if self.statistic in words.COMPARISONS:
            return words.COMPARISONS[self.statistic].format(words.QUANTITIES[self.quantity])
        if self.statistic in words.OF_RUNS:
            of = RUN_QUANTITIES[self.quantity].long_name
            return words.OF_RUNS[self.statistic].format(of)
        about = QUANTITIES[self.quantity]
        quantity = words.QUANTITIES.get(self.quantity, about.long_name)
        if about.in_samples:
            return f"exponent in the {about.grows_with}, of {quantity}"
        if self.statistic == "level":
            return f"{quantity}, at the largest d"
        if self.statistic == "alpha_slope":
            return f"slope in 1/α of the exponent in d, in the limit, of {quantity}"
        limit = ", in the limit," if self.statistic == "asymptote" else ""
        return f"exponent in d{limit} of {quantity}"

    @property
    def over(self) -> str:
        """Which d's it was fitted over, in words; nothing of what is no exponent in d."""
        if math.isnan(self.fitted):
            return ""
        if self.statistic == "asymptote":
            return f"of the prediction, with the trend over {words.few(self.fitted)} d of measured over it"
        return words.FITS[self.fit or "ols"].format(words.few(self.fitted))

    @property
    def shortage(self) -> str:
        """What a run that is too small for a verdict would need."""
        if self.statistic in words.COMPARISONS:
            return f"{self.seeds:g} reported seeds; a verdict needs {MIN_SEEDS_OF_A_MEDIAN}"
        if self.largest_d < MIN_LARGEST_D:
            return f"d goes to {self.largest_d:g}; a verdict needs {MIN_LARGEST_D}"
        if self.seeds < MIN_SEEDS:
            return f"{self.seeds:g} seeds; a verdict needs {MIN_SEEDS}"
        if self.fitted < MIN_FITTED:
            return f"fitted over {self.fitted:g} values of d; a verdict needs {MIN_FITTED}"
        return f"d goes to {self.largest_d:g}, where the claim cannot be decided yet"

    def coordinate(self, name: str, sentence: bool = False) -> str:
        """One of :data:`COORDINATES` in words; a dash where the row has none."""
        value = getattr(self, name)
        if value in ("",) or value != value:
            return "–"
        text = COORDINATES[name][1] if sentence else "{:g}" if isinstance(value, float) else "{}"
        return text.format(value)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Line:
        """From a row with the columns of :data:`analysis.claims.COLUMNS`."""
        return cls(**{name: _value(row[name], kind) for name, kind in cls.__annotations__.items()})


NUMBERS = [name for name, kind in Line.__annotations__.items() if kind == "float"]


def _value(value: Any, kind: str) -> float | str:
    if kind == "float":
        return float(value)
    return value if isinstance(value, str) else ""  # pandas has NaN for what is missing
