"""Predictions: exponents of the theorems, and finite-size counts that have no free parameter.

Everything here is a function of plain numbers and NumPy arrays, in float64.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy.polynomial.hermite_e import hermegauss


def muon_exponent(alpha: float) -> float:
    """One population Muon step stores ≍ d^(1 + 1/(2α)) items (arXiv:2603.26554, Theorem 3)."""
    return 1 + 1 / (2 * alpha)


def gradient_exponent(alpha: float) -> float:
    """One population gradient step stores ≍ d^(1/(2α)) items (arXiv:2603.26554, Theorem 5)."""
    return 1 / (2 * alpha)


def bulk_exponent(alpha: float) -> float:
    """The singular value of G_0 at rank ~d/2 scales as d^(−α) (arXiv:2603.26554, Lemma 8)."""
    return -alpha


def recovery_probability(
    signal: Float[np.ndarray, " n"], n_competitors: int, *, nodes: int = 120
) -> Float[np.ndarray, " n"]:
    """P(x + g > max of ``n_competitors`` normals) = E_g[Φ(x + g)^n], g ~ N(0, 1), for each x.

    Tabulated by Gauss–Hermite quadrature and interpolated: accurate to about 1e-4.
    """
    from scipy.special import log_ndtr

    x, w = hermegauss(nodes)
    w = w / w.sum()
    table = np.linspace(0.0, 16.0, 1601)
    probability = np.exp(n_competitors * log_ndtr(table[:, None] + x)) @ w
    return np.interp(signal, table, probability)


def muon_capacity(p: Float[np.ndarray, " n"], d: int, slope: float) -> float:
    """Expected count after one polar step: Σ_i E_g[Φ(√d p_i s + g)^(N−1)].

    The logit of item i is its spike s·p_i plus noise of variance 1/d, and so are its N − 1
    competitors' logits. ``slope`` is s of :func:`spectral.spike_slope`, measured on the gradient itself.
    """
    return float(recovery_probability(math.sqrt(d) * p * slope, p.size - 1).sum())


def gradient_capacity(p: Float[np.ndarray, " n"], d: int, *, nodes: int = 100) -> float:
    """Expected count after one gradient step from zero, for isotropic embeddings.

    With W = G_0, item i scores s_ii ≈ p_i + τ g_i and competitor j scores s_ij ≈ p_j g'_j/√d + τ g_j:
    a spike of its own item seen through u_jᵀu_i, and the crosstalk of all others,
    τ² = Σ_m p_m² / d². So E[count] = Σ_i E_g[Π_{j≠i} Φ((p_i + τ g)/√(p_j²/d + τ²))]. Fluctuations
    of the norms of the embeddings, of relative size √(2/d), are ignored. ``p`` must not increase.
    """
    from scipy.special import log_ndtr

    tau = math.sqrt(float(p @ p)) / d
    spread = np.sqrt(p**2 / d + tau**2)
    levels = tau * np.concatenate(
        [np.linspace(-8, 30, 400), np.geomspace(30, max(31.0, 2 * p[0] / tau), 200)[1:]]
    )
    # Competitors of the tail share one spread; sum the distinguishable ones, count the rest.
    head = int(np.searchsorted(-p, -1e-3 * tau * math.sqrt(d)))
    log_all = log_ndtr(levels[:, None] / spread[:head]).sum(axis=1)
    log_all += (p.size - head) * log_ndtr(levels / tau)
    x, w = hermegauss(nodes)
    # Neighbours in the tail are recovered alike: a sample of them is enough.
    ranks = np.arange(1, p.size + 1)
    some = np.unique(np.concatenate([ranks[:1000], np.geomspace(1, p.size, 400).astype(int)])) - 1
    thresholds = p[some, None] + tau * x
    logs = np.interp(thresholds, levels, log_all) - log_ndtr(thresholds / spread[some, None])
    probability = np.exp(np.minimum(logs, 0.0)) @ (w / w.sum())
    return float(np.interp(np.log(ranks), np.log(ranks[some]), probability).sum())


def ceiling(n_items: int, d: int) -> float:
    """Most items that any linear memory holds against N competitors: d² / E[(k_N + g)_+²].

    k_N is the expected maximum of N normals (the margin an item must clear, in units of the noise),
    and each stored item costs E[(k_N + g)_+²] of the d² parameters.
    """
    k = expected_maximum(n_items)
    x, w = hermegauss(80)
    cost = (np.clip(k + x, 0, None) ** 2 @ w) / w.sum()
    return d**2 / float(cost)


def expected_maximum(n: int) -> float:
    """E max of ``n`` independent standard normals: ∫ x dΦ(x)^n."""
    from scipy.integrate import quad
    from scipy.special import log_ndtr

    def tail(x: float) -> float:
        return -math.expm1(n * log_ndtr(x))

    def lower(x: float) -> float:
        return math.exp(n * log_ndtr(x))

    return quad(tail, 0, 40, limit=200)[0] - quad(lower, -40, 0, limit=200)[0]
