"""Predictions: finite-size counts that have no free parameter; for exponents see :mod:`theory.exponents`.

Everything here is a function of plain numbers and NumPy arrays, in float64.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

import numpy as np
from jaxtyping import Float
from numpy.polynomial.hermite_e import hermegauss


def recovery_probability(
    signal: Float[np.ndarray, " n"], n_competitors: int, *, nodes: int = 120
) -> Float[np.ndarray, " n"]:
    """P(x + g > max of ``n_competitors`` normals) = E_g[Φ(x + g)^n], g ~ N(0, 1), for each x.

    Tabulated by Gauss–Hermite quadrature and interpolated: accurate to about 1e-4.
    """
    return np.interp(signal, *_recovery_table(n_competitors, nodes))


@lru_cache(maxsize=16)
def _recovery_table(
    n_competitors: int, nodes: int
) -> tuple[Float[np.ndarray, " x"], Float[np.ndarray, " x"]]:
    """Signals, and the probability of each: the same for every d and alpha of an experiment."""
    from scipy.special import log_ndtr

    x, w = _normal_nodes(nodes)
    table = np.linspace(0.0, 16.0, 1601)
    return table, np.exp(n_competitors * log_ndtr(table[:, None] + x)) @ w


@cache
def _normal_nodes(nodes: int) -> tuple[Float[np.ndarray, " g"], Float[np.ndarray, " g"]]:
    """Nodes and weights of E f(g), g ~ N(0, 1), exact for polynomials of degree 2·nodes − 1."""
    x, w = hermegauss(nodes)
    return x, w / w.sum()


def response_capacity(p: Float[np.ndarray, " n"], slope: float, noise: float) -> float:
    """Expected count after one population step: Σ_i E_g[Φ(p_i s/τ + g)^(N−1)].

    The logit of item i is its spike s·p_i plus noise of standard deviation τ, and so are its N − 1
    competitors' logits. s and τ (:mod:`training.response`) are measured on the gradient itself; there is no
    fit parameter. Neither saturation of frequent items nor the spikes of competitors are in it: good for
    maps that flatten the spectrum, not for gradient descent (:mod:`theory.gradient_step`), and too high at
    small d.
    """
    return float(recovery_probability(p * (slope / noise), p.size - 1).sum())


def items_seen(p: Float[np.ndarray, " n"], batch_size: float) -> float:
    """Expected number of distinct items among ``batch_size`` samples: Σ_i 1 − (1 − p_i)^B."""
    return float(-np.expm1(batch_size * np.log1p(-p)).sum())


def critical_batch_size(p: Float[np.ndarray, " n"], capacity: float) -> float:
    """Batch size at which ``capacity`` distinct items are expected to have been seen.

    With the predicted capacity of the population, a critical batch size without a fit parameter: below
    it a memory recalls about what the batch held, which at infinite N is a·B^(1/α). NaN where the
    capacity is no more than one item, or all of them.
    """
    from scipy.optimize import brentq

    if not 1 < capacity < p.size:
        return math.nan

    def missing(log_b: float) -> float:
        return items_seen(p, math.exp(log_b)) - capacity

    return math.exp(brentq(missing, 0.0, math.log(1e3 / p[-1]), xtol=1e-9))


def ceiling(n_items: int, d: int) -> float:
    """Most items that any linear memory holds against N competitors: d² / E[(k_N + g)_+²].

    k_N is the expected maximum of N normals (the margin an item must clear, in units of the noise),
    and each stored item costs E[(k_N + g)_+²] of the d² parameters.
    """
    k = expected_maximum(n_items)
    x, w = _normal_nodes(80)
    return d**2 / float(np.clip(k + x, 0, None) ** 2 @ w)


def expected_maximum(n: int) -> float:
    """E max of ``n`` independent standard normals: ∫ x dΦ(x)^n."""
    from scipy.integrate import quad
    from scipy.special import log_ndtr

    def tail(x: float) -> float:
        return -math.expm1(n * log_ndtr(x))

    def lower(x: float) -> float:
        return math.exp(n * log_ndtr(x))

    return quad(tail, 0, 40, limit=200)[0] - quad(lower, -40, 0, limit=200)[0]
