"""What work costs: operations of a cell, and what a machine does of them in a second."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rates:
    """What is done in a second: by the device, float64 and float32 operations of a matrix product and
    exponentials; by a core of the host, float64 operations."""

    float64: float
    float32: float
    exponentials: float
    host: float

    @classmethod
    def of_a_core(cls, flops: float) -> Rates:
        """Of a CPU core with so many float64 operations: the ratios hardly differ between CPUs."""
        return cls(flops, 2 * flops, flops / 40, flops)


NOMINAL = Rates.of_a_core(3e10)
"""Of a core of a server of 2020: for what has to be the same on every machine, and measured on none."""


@dataclass(frozen=True)
class Cost:
    """What a cell takes: operations by what does them (see :class:`Rates`), seconds that no device makes
    shorter, and bytes of memory at its peak, on a CPU. The start of its process is not in it."""

    float64: float = 0.0
    float32: float = 0.0
    exponentials: float = 0.0
    host: float = 0.0
    fixed: float = 0.0
    bytes: float = 0.0

    def seconds(self, rates: Rates) -> float:
        """Time on one device of these rates."""
        work = self.float64 / rates.float64 + self.float32 / rates.float32
        return work + self.exponentials / rates.exponentials + self.host / rates.host + self.fixed


def measured_flops() -> float:
    """Float64 operations per second of a core's own time, from a matrix product of a tenth of a second.

    Of its own time: what else the machine does meanwhile doesn't count. Smaller products tell how long
    threads wait for each other.
    """
    A = np.ones((1024, 1024))
    A @ A
    best = math.inf
    for _ in range(4):
        start = time.process_time()
        A @ A
        best = min(best, time.process_time() - start)
    return 2 * 1024**3 / best
