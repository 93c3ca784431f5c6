"""Fitted exponents of an experiment, off the table of its fits."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

from spectral_capacity.results.fits import SHOWN


@dataclass(frozen=True)
class Exponent:
    """Of the items stored by one optimizer, over all d's; NaN for what is not known.

    low, high: its interval over resampled seeds. stored: items at the largest d, mean over seeds.
    """

    optimizer: str
    alpha: float
    kappa: float
    batch_size: float
    step: int
    exponent: float
    low: float
    high: float
    theory: float
    stored: float


def exponents(table: str | os.PathLike) -> list[Exponent]:
    """Those of the population's gradient, or else of the largest batch, after the last step."""
    with open(table, encoding="utf-8", newline="") as file:
        rows = [_exponent(row) for row in csv.DictReader(file) if _is_shown(row)]
    last = {
        "batch_size": max((row.batch_size for row in rows), default=math.nan),
        "step": max((row.step for row in rows), default=0),
    }
    return [row for row in rows if all(getattr(row, key) == at for key, at in last.items())]


def _is_shown(row: Mapping[str, str]) -> bool:
    return row["quantity"] == "capacity" and row["fit"] == SHOWN


def _exponent(row: Mapping[str, str]) -> Exponent:
    def number(key: str) -> float:
        return float(row[key] or "nan")

    return Exponent(
        row["optimizer"],
        number("alpha"),
        number("kappa"),
        number("batch_size"),
        int(number("step")),
        number("exponent"),
        number("boot_low"),
        number("boot_high"),
        number("theory"),
        number("level"),
    )
