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
}
"""What the dimensions of a grid are called; any other has its own name."""
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
