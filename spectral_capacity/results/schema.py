"""What a grid may hold: dimensions and variables with their meanings, and the codes of ``status``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np


class Status(IntEnum):
    """How far to trust a value. Stored as int8 with ``flag_values`` and ``flag_meanings``."""

    OK = 0
    PRECISION_LIMITED = 1
    DIVERGED = 2
    FAILED = 3
    NOT_RUN = 4


RATE_FACTOR = "learning_rate_factor"
"""The dimension of a sweep of learning rates: here, as figures import nothing of what is trained."""

ABSENT = "absent"
"""Attribute of a coordinate: what it is in a cell that lacks it."""


@dataclass(frozen=True)
class Dimension:
    """A dimension of a grid: on-disk type of its coordinate (``str`` for names) and what it means.

    absent: where cells without this dimension belong, beside others that have it; None where all have it.
    """

    dtype: type
    long_name: str
    absent: float | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """CF-style attributes of the coordinate."""
        units = {} if self.dtype is str else {"units": "1"}
        absent = {} if self.absent is None else {ABSENT: self.absent}
        return {"long_name": self.long_name, **units, **absent}


@dataclass(frozen=True)
class Variable:
    """A measured variable: on-disk type, what it means, and the flags that its values are, if any."""

    dtype: type
    long_name: str
    flags: type[IntEnum] | None = None

    @property
    def missing(self) -> float | int:
        """The value that says "nothing was measured"."""
        if self.flags is Status:
            return Status.NOT_RUN
        return missing(self.dtype)

    @property
    def attributes(self) -> dict[str, Any]:
        """CF-style attributes."""
        attributes = {"long_name": self.long_name, "units": "1"}
        if self.flags:
            attributes["flag_values"] = np.array(list(self.flags), np.int8)
            attributes["flag_meanings"] = " ".join(flag.name.lower() for flag in self.flags)
        return attributes


STATUS = Variable(np.int8, "how far to trust the values", flags=Status)
"""Every schema has it, under the name ``status``."""


def missing(dtype: Any) -> float | int:
    """NaN, or −1 for counts."""
    return np.nan if np.issubdtype(dtype, np.floating) else -1


@dataclass(frozen=True)
class Schema:
    """Dimensions, in their order, and variables of one kind of grid; every variable has all dimensions."""

    dimensions: Mapping[str, Dimension]
    variables: Mapping[str, Variable]

    def nothing_measured(self, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Every variable, missing everywhere, with status ``not_run``."""
        return {name: np.full(shape, v.missing, v.dtype) for name, v in self.variables.items()}
