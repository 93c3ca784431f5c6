"""Numbers, durations and commits as people write them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

AXES = {
    "optimizer": "optimizers",
    "alpha": "α",
    "kappa": "κ",
    "batch_size": "batch sizes",
    "seed": "seeds",
    "step": "steps",
    "alpha_triggers": "α of triggers",
    "alpha_outputs": "α of outputs",
    "learning_rate": "learning rates",
    "iteration": "iterations",
}
"""What the dimensions of a grid are called; any other has its own name."""
QUANTITIES = {
    "capacity": "the number of items stored",
    "bulk_singular_value": "the gradient's singular value at rank d/2",
    "mean_inverse_singular_value": "the mean of 1/σ over the gradient's singular values",
    "capacity_to_polar": "items stored ÷ those of the exact polar map",
    "capacity_to_isotropic": "items stored ÷ those at κ = 0",
    "best_loss": "the loss at the best learning rate",
    "loss_over_bound": "loss ÷ m^(1 − α), m being the number of items stored",
    "worst_to_uniform": "the worst item's loss ÷ log N",
    "critical_batch_size": "the critical batch size",
    "information": "the number of items stored",
    "information_steps": "the number of items stored",
    "peak_capacity": "the most items stored after any step",
    "peak_to_ceiling": "the most items stored after any step ÷ the most of any linear memory",
    "accuracy_id": "accuracy on sequences as in training",
    "accuracy_ood": "accuracy on uniform sequences",
    "memory_recall": "share of outputs that the value matrices recall",
}
"""What claims are about, as a page says it."""
COMPARISONS = {
    "advantage": "{} less that of the other optimizer, median over seeds",
    "kept": "change of the {} from uniform laws, less that of the other optimizer, median over seeds",
    "saturating_batch": "batch size from which on the {} is within 90 % of its best ÷ that of the other, "
    "median over seeds",
}
"""What claims about transformers compare, of a quantity."""
OF_RUNS = {
    "mean": "{}, at the largest d",
    "ratio": "{} ÷ that of the other optimizer, at the largest d, seed by seed",
    "exponent_of_runs": "exponent in d of {}",
    "ratio_exponent": "exponent in d of {} ÷ that of the other optimizer, seed by seed",
    "step_exponent": "exponent in the number of steps of {}, at the largest d",
    "rate_exponent": "exponent in d of the learning rate that is best for {}",
    "critical_batch_ratio": "critical batch size of steps to a number of items ÷ that of the other optimizer, "
    "at the largest d, seed by seed",
}
"""What claims about runs of a memory tell, of a quantity."""
FITS = {
    "largest": "over the {} largest d",
    "ols": "over all {} d",
    "wls": "over all {} d, weighted as counts",
    "corrected": "over all {} d, with a term for saturation",
}
"""Which d's an exponent was fitted over."""
COUNTED = {"seed", "step"}
"""Dimensions of which only the number of values matters."""
FEW = 6
"""So many values are written out."""


def number(value: float, digits: int = 2) -> str:
    """A number: a true minus sign, a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def thousands(value: float | int) -> str:
    """A whole number with commas; a fraction as it is."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def values(dimension: str, of: Sequence[Any]) -> str:
    """The coordinates of a dimension: how many, all of a few, or the first, the last and how many."""
    if dimension in COUNTED:
        return str(len(of))
    written = [_value(value) for value in of]
    if len(written) <= FEW:
        return ", ".join(written)
    return f"{written[0]} … {written[-1]} ({len(written)})"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return "population" if value == "inf" else value
    return thousands(value)


def about(count: float) -> str:
    """A mean count: whole, with one digit behind the point below ten."""
    return f"{count:.1f}" if count < 10 else thousands(round(count))


def few(count: float) -> str:
    """A small whole number as a word."""
    names = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return names[int(count)] if count < len(names) else f"{count:g}"


def extent(of: Sequence[float | int]) -> str:
    """From the least to the largest."""
    least, most = thousands(min(of)), thousands(max(of))
    return least if least == most else f"{least} to {most}"


def lasted(seconds: float | int | None) -> str:
    """A duration in two units at most; a dash where it is not known."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def commit(revision: str) -> str:
    """A git revision, shortened, and whether the tree differed from it."""
    name = revision.removesuffix("-dirty")
    short = name[:12] if len(name) == 40 else name
    return short + (", with changes that are not committed" if name != revision else "")
