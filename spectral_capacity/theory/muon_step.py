"""One step of exact or smoothed Muon from zero, isotropic embeddings: recovery from p, N and d alone.

The gradient Σ_j q_j v_j u_jᵀ is a sum of as many independent rank-one matrices as there are items. Of its
singular values σ_a only one function is needed, m(t) = (1/d) Σ_a t/(t² + σ_a²). It solves t m + f(m) = 1, where
f(m) = (1/d) Σ_j q_j² m²/(1 + q_j² m²) is the share of the d dimensions that items of weight q_j ≳ 1/m take up.
docs/theory.md derives what follows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.polynomial.legendre import leggauss

from spectral_capacity.theory.batches import Batch
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.recovery import competitors_of, rotation_recovery

LEAST_SHARE = 0.28
"""Of the dimensions that items must take up at the resolution λ, for a prediction that holds to 4 per cent."""


def share_taken(m: Float[np.ndarray, " t"], items: Items, d: int) -> Float[np.ndarray, " t"]:
    """f(m) = (1/d) Σ_j p_j² m²/(1 + p_j² m²): share of the dimensions that the items take up at 1/m."""
    x = np.square(m[:, None] * items.p)
    return items.sum(x / (1 + x)) / d


def largest_m(items: Items, d: int, *, share: float = 1.0, resolution: float = 0.0) -> float:
    """m at which f(m) + λ m = ``share``, λ the ``resolution``; infinity where f never gets there."""
    from scipy.optimize import brentq

    if resolution == 0 and items.number <= share * d:
        return math.inf

    def excess(log_m: float) -> float:
        m = math.exp(log_m)
        return float(share_taken(np.array([m]), items, d)[0]) + resolution * m - share

    low = math.log(1e-3 / items.p.max())
    high = math.log(1e9 / items.p[items.p > 0].min())
    return math.exp(brentq(excess, low, high, xtol=1e-12))


def spike_signal(
    items: Items, d: int, *, resolution: float = 0.0, own: float | Float[np.ndarray, " k"] = 1.0
) -> Float[np.ndarray, " k"]:
    """S(p) = (4p/π) ∫ √((1 − f)² − λ²m²)/(1 + p²m²)² dm / √V, V = 1 − λ m_λ/(1 + p² m_λ²).

    The component along its target v/|v| of an item's output, the output scaled to length 1. The integral
    runs up to m_λ, where f + λ m = 1 and the root ends. ``resolution`` is λ of h_λ(z) = z/√(z² + λ²); with 0,
    the polar map, V is 1. f is of the other items: the share ``own`` of an item's term is left out.
    """
    top = largest_m(items, d, share=1 + 1 / d, resolution=resolution)
    top = min(top, 1e4 / items.p[items.p > 0].min())
    m, weight = _nodes(top, math.log(max(top * items.p.max(), 1.0)) + 12)
    x = np.square(items.p[:, None] * m)
    share = share_taken(m, items, d) - np.asarray(own)[..., None] / d * x / (1 + x)
    root = np.sqrt(((1 - share).clip(0) ** 2 - (resolution * m) ** 2).clip(0))
    signal = 4 / math.pi * items.p * ((root / (1 + x) ** 2) @ weight)
    if resolution > 0:
        m = largest_m(items, d, resolution=resolution)
        signal /= np.sqrt(1 - resolution * m / (1 + np.square(items.p * m)))
    return signal.clip(0, 1)


def recovery_probability(
    items: Items,
    d: int,
    *,
    batch_size: int | None = None,
    resolution: float = 0.0,
    n_competitors: float | None = None,
    above_chance: bool = False,
) -> Float[np.ndarray, " k"]:
    """Probability that an item is recovered after one step, at the nodes of the items.

    batch_size: of a minibatch; None for the population. resolution: λ of the smoothed polar map. n_competitors:
    all other items where it is None; items without end need a number, and are not told apart from chance
    in their tail. above_chance: the probability less what chance gives, 1/(n + 1).

    NaN for a resolution beyond the bulk (:data:`LEAST_SHARE`; λ = d^(−α) is inside for α from 1.25 to 3, 10
    times as much is not): there the most frequent items score more than others as competitors. Left out
    besides: fluctuations of the spectrum, of order 1/d. Batches of a few items are as good as their number.
    """
    n = competitors_of(items, n_competitors)
    batch = None if batch_size is None else Batch.of(items, batch_size)
    weights = items if batch is None else batch.weights
    if resolution > 0 and _taken_at(weights, d, resolution) < LEAST_SHARE:
        return np.full(items.p.size, math.nan)
    if batch is None:
        signal = spike_signal(items, d, resolution=resolution)
        return rotation_recovery(signal, d, n, above_chance=above_chance)
    # What is left out of f is what the item itself was expected to add.
    own = batch.probability @ (batch.seen * items.weight) / batch.weights.weight.clip(1e-300)
    signal = spike_signal(batch.weights, d, resolution=resolution, own=own)
    gain = rotation_recovery(signal, d, n, above_chance=True) @ batch.probability
    return gain if above_chance else 1 / (n + 1) + gain


def capacity(items: Items, d: int, **options: Any) -> float:
    """Expected count of recovered items: the sum of :func:`recovery_probability`, which has the options.

    Of items without end, those above chance.
    """
    return float(items.sum(recovery_probability(items, d, above_chance=items.endless, **options)))


def constant(alpha: float) -> float:
    """c(α) of count → c d^(1 + 1/(2α)) E[(M − g)_+^(−1/α)] for p ∝ i^(−α) without end and d → ∞.

    The constant in front of Theorem 3 of arXiv:2603.26554, which has none:
    c = (2α/π) sin(π/(2α)) [4/(π(1 + α))]^(1/α); M is the maximum of the competitors' normals
    (:func:`theory.recovery.threshold_moment`).
    """
    taken = 2 * alpha / math.pi * math.sin(math.pi / (2 * alpha))
    return taken * (4 / (math.pi * (1 + alpha))) ** (1 / alpha)


def _taken_at(items: Items, d: int, resolution: float) -> float:
    """f(m_λ), where f + λ m = 1: the share of the squared singular values that h_λ keeps, Σ h_λ²/d."""
    return 1 - resolution * largest_m(items, d, resolution=resolution)


def _nodes(top: float, log_range: float) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """Nodes and weights of ∫ dm up to ``top``, over ``log_range`` in log m; close together near it."""
    # log(top/m) = y², so that a root that ends at ``top`` is smooth.
    panels = math.ceil(2 * math.sqrt(log_range))
    x, w = leggauss(10)
    half = math.sqrt(log_range) / panels / 2
    y = (half * (1 + x) + 2 * half * np.arange(panels)[:, None]).ravel()
    m = top * np.exp(-(y**2))
    return m, np.tile(half * w, panels) * 2 * y * m
