"""Learning rates as powers of the dimension, and how they change from step to step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from spectral_capacity.theory.exponents import gradient_exponent

DECAYING = ("linear", "cosine")
"""Schedules that end at zero, after the last step."""


def rate_at(
    learning_rate: Mapping[str, Any], d: int, alpha: float, step: int = 1, steps: int = 1
) -> float:
    """η_t = scale · d^d_power · s_t, with s_t as ``schedule`` says, for step t of ``steps``, T.

    learning_rate: ``scale``, ``d_power``, ``schedule`` and ``warmup``, as the configuration has them. constant:
    s = 1. growing: d^(α e_t), with e_t the exponent that gradient descent reaches in t steps with these rates
    (arXiv:2603.26554, Theorem 10): at step t the items to learn next have frequencies of about d^(−α e_t).
    linear: 1 − x, cosine: (1 + cos πx)/2, with x = (t − 1 − w)/(T − w) after w steps of ``warmup``, over which
    s of any schedule rises in proportion to t.
    """
    power, schedule = learning_rate["d_power"], learning_rate.get("schedule", "constant")
    warmup = learning_rate.get("warmup", 0)
    if schedule == "growing":
        power += alpha * gradient_exponent(alpha, step)
    share = min(1.0, step / warmup) if warmup else 1.0
    if schedule in DECAYING and step > warmup:
        gone = (step - 1 - warmup) / (steps - warmup)
        share *= 1 - gone if schedule == "linear" else (1 + math.cos(math.pi * gone)) / 2
    with np.errstate(over="ignore"):  # the run then diverges, and says so
        return float(learning_rate["scale"] * np.float64(d) ** power * share)
