"""Learning rates as powers of the dimension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spectral_capacity.theory.exponents import gradient_exponent


def rate_at(learning_rate: Mapping[str, Any], d: int, alpha: float, step: int = 1) -> float:
    """η_t = scale · d^d_power, times d^(α e_t) for the schedule ``growing``.

    learning_rate: ``scale``, ``d_power`` and ``schedule``, as the configuration has them. e_t is the exponent
    that gradient descent reaches in t steps with these rates (arXiv:2603.26554, Theorem 10): at step t the
    items to learn next have frequencies of about d^(−α e_t).
    """
    power = learning_rate["d_power"]
    if learning_rate.get("schedule") == "growing":
        power += alpha * gradient_exponent(alpha, step)
    with np.errstate(over="ignore"):  # the run then diverges, and says so
        return float(learning_rate["scale"] * np.float64(d) ** power)
