"""Spectral maps as functions of singular values: the source of what optimizers do, and of predictions.

Each takes singular values σ ≥ 0, of any shape, and the Frobenius norm of the matrix that they are of. Zero
stays zero: maps act on the numerical range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.exponents import bulk_exponent
from spectral_capacity.theory.newton_schulz import coefficients as polynomials

Values = Float[np.ndarray, "..."]

ScalarMap = Callable[[Values, float | Values], Values]
"""h(σ; ‖·‖_F), elementwise; the norm is one number or broadcasts."""


def identity(sigma: Values, norm: float | Values) -> Values:
    """h = σ."""
    return sigma


def polar(sigma: Values, norm: float | Values) -> Values:
    """h = 1 over the numerical range."""
    return np.where(sigma > 0, 1.0, 0.0)


def smoothed_polar(sigma: Values, norm: float | Values, *, resolution: float) -> Values:
    """h = σ/√(σ² + λ²), λ > 0 the ``resolution``."""
    return sigma / np.hypot(sigma, resolution)


def power(sigma: Values, norm: float | Values, *, exponent: float) -> Values:
    """h = σ^γ over the numerical range, γ ≥ 0 the ``exponent``."""
    return np.where(sigma > 0, sigma**exponent, 0.0)


def newton_schulz(
    sigma: Values, norm: float | Values, *, coefficients: str, iterations: int, safety: float = 1.0
) -> Values:
    """x ← a x + b x³ + c x⁵, ``iterations`` times from x = σ/(s ‖·‖_F), s the ``safety``; without rounding."""
    x = sigma / (safety * norm)
    for a, b, c in polynomials(coefficients, iterations, safety):
        square = x * x
        x = x * (a + square * (b + c * square))
    return x


def scalar_map(
    spectral_map: Mapping[str, Any],
    *,
    d: int,
    alpha: float,
    batch_size: float = math.inf,
    step: int = 1,
) -> ScalarMap | None:
    """The function of a configured map, ``{name: …, options}``; None of one that is not in :data:`SCALAR_MAPS`.

    Such is a user's own, which is a file's. Of a map that rounds it is the function in exact arithmetic: what
    rounding adds is noise in the gradient (:mod:`theory.rounding`). Of an exponent that changes from step to
    step there is only the first.
    """
    options = {
        key: value for key, value in spectral_map.items() if key not in ("name", "precision")
    }
    name = spectral_map["name"]
    if name not in SCALAR_MAPS:
        return None
    if options.pop("last_exponent", None) is not None and step > 1:
        return None
    if name == "smoothed_polar":
        at = {"d": d, "alpha": alpha, "batch_size": batch_size, "step": step}
        return partial(smoothed_polar, resolution=resolution_of(**options, **at))
    return partial(SCALAR_MAPS[name], **options)


SCALAR_MAPS: dict[str, Callable[..., Values]] = {
    "identity": identity,
    "polar": polar,
    "smoothed_polar": smoothed_polar,
    "power": power,
    "newton_schulz": newton_schulz,
}
"""Every map of the package by its name in the configuration."""


def resolution_of(
    resolution: float | str,
    unit: str,
    *,
    d: int,
    alpha: float,
    batch_size: float = math.inf,
    step: int = 1,
) -> float:
    """λ of a smoothed polar map, in units of singular values, as the configuration gives it.

    A number is λ itself (``absolute``) or a multiple of :func:`bulk_scale` (``bulk``). ``theory`` is
    max{(log d)^(2α+2) · bulk, (log d)²/B}, at which the theorems run stabilised Muon; its second part is
    zero for the population (B = ∞). The logarithms make it larger than the whole spectrum of G_0 at any d that
    fits a computer.
    """
    if resolution == "theory":
        log_d = math.log(d)
        return max(log_d ** (2 * alpha + 2) * bulk_scale(d, alpha, step), log_d**2 / batch_size)
    return resolution * (bulk_scale(d, alpha, step) if unit == "bulk" else 1)


def bulk_scale(d: int, alpha: float, step: int = 1) -> float:
    """Scale of the bulk singular values that are left to learn at a step, without logarithms.

    d^(−α) at the first step (Theorem 3 of arXiv:2603.26554) and d^(1/2 − α e_t) at step t (Theorem 9).
    """
    return d ** bulk_exponent(alpha, step)
