"""One step of Newton's method from zero, outputs of any covariance: recovery from p, N and d alone.

W = A⁻¹ G C⁻¹, with C = Σ_m p_m u_m u_mᵀ the second moment of the inputs and A the covariance of the outputs,
which cancels. Without item i, u_iᵀC⁻¹u_i is h = tr C⁻¹/d times |u_i|². With x_m = p_m h the memory acts on a
new input like a sum of v_m u_mᵀ with coefficients x_m/(1 + x_m): frequent items saturate.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.recovery import competitors_of, linear_recovery


def mean_inverse(items: Items, d: int, ridge: float = 0.0) -> float:
    """h = tr (C + η)⁻¹/d, η the ``ridge``: it solves Σ_j p_j h/(1 + p_j h) = d (1 − η h).

    Raises ValueError where C has no inverse: for d items or fewer, without a ridge.
    """
    from scipy.optimize import brentq

    if ridge == 0 and items.number <= d:
        raise ValueError(
            f"{items.number:g} items do not span {d} dimensions: a ridge must be above 0"
        )

    def excess(log_h: float) -> float:
        x = items.p * math.exp(log_h)
        return float(items.sum(x / (1 + x))) - d * (1 - ridge * math.exp(log_h))

    high = math.log(1e9 / items.p[items.p > 0][-1])
    return math.exp(brentq(excess, -10.0, high, xtol=1e-12))


def recovery_probability(
    items: Items,
    d: int,
    *,
    ridge: float = 0.0,
    n_competitors: float | None = None,
    above_chance: bool = False,
) -> Float[np.ndarray, " k"]:
    """Probability that an item is recovered after one step on the population, at the nodes of the items.

    The signal in :func:`theory.recovery.linear_recovery` is r_i = x_i √((Σ x/(1+x)² + η d h)/Σ (x/(1+x))²), an
    item's share of the noise is that of (x/(1+x))². ridge: η, of C; at 1e-8 it matters where d^(−α) is as
    small. n_competitors: all other items where it is None. Items without end need a number, and then compete
    with items that are not stored. above_chance: the probability less what chance gives.

    Left out: the ridge of A, and minibatches.
    """
    n = competitors_of(items, n_competitors)
    h = mean_inverse(items, d, ridge)
    x = items.p * h
    square = np.square(x / (1 + x))
    total = items.sum(square)
    signal = x * math.sqrt((items.sum(x / (1 + x) ** 2) + ridge * d * h) / total)
    competitors = np.zeros(x.size) if items.endless else items.most_frequent(n + 1)
    at = np.arange(x.size)
    return linear_recovery(signal, at, square / total, competitors, d, n, above_chance=above_chance)


def capacity(items: Items, d: int, **options: Any) -> float:
    """Expected count of recovered items: the sum of :func:`recovery_probability`, which has the options.

    Of items without end, those above chance.
    """
    return float(items.sum(recovery_probability(items, d, above_chance=items.endless, **options)))


def constant(alpha: float) -> float:
    """c(α) of count → c d^(1 + 1/(2α)) E[(M − g)_+^(−1/α)] for p ∝ i^(−α) without end and d → ∞.

    c = (α/π) sin(π/α) (α − 1)^(−1/(2α)); M is the maximum of the competitors' normals
    (:func:`theory.recovery.threshold_moment`). Muon's is :func:`theory.muon_step.constant`.
    """
    return alpha / math.pi * math.sin(math.pi / alpha) * (alpha - 1) ** (-1 / (2 * alpha))
