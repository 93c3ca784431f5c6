"""Recovery by one Muon step from zero when embeddings are anisotropic: no gradient, no SVD, no fit.

Needs the frequencies p, the eigenvalues of both covariances and the number of competitors; docs/theory.md
derives it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.anisotropic_resolvent import EmbeddingSpectrum, Resolvent, resolvent
from spectral_capacity.theory.gaussian_response import Response, responses
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.recovery import competitors_of

FAINT = 0.05
"""√d × signal below which recovery is above chance in proportion to p."""


def recovery_probability(
    items: Items,
    outputs: EmbeddingSpectrum,
    *,
    inputs: EmbeddingSpectrum | None = None,
    n_competitors: float | None = None,
    above_chance: bool = False,
    points: int = 28,
    samples: int = 4096,
    seed: int = 0,
) -> Float[np.ndarray, " k"]:
    """Probability that an item is recovered after W = polar(Σ_j p_j v_j u_jᵀ), at the nodes of the items.

    inputs: isotropic where it is None. n_competitors: all other items where it is None; items without end need
    a number. above_chance: the probability less what chance gives, 1/(n + 1). Computed at ``points``
    frequencies and interpolated. samples, a power of two: items that are drawn
    (:class:`gaussian_response.Response`) with ``seed``, the same at every p and, to take chance away, at p = 0.
    Given its output z = W u, an item is recovered with probability Φ(vᵀz/√(zᵀΞz))^n.

    Left out: the item's own part in the gradient and fluctuations to second order, both of relative size 1/d;
    the mean of outputs, which G_0 subtracts; correlations of competitors with the gradient, which are no longer
    small where there are not many more items than dimensions, or where few directions have most of the
    variance of the inputs, so that competitors that are stored themselves answer to u (docs/theory.md).
    """
    n = competitors_of(items, n_competitors)
    answer = resolvent(items.p, items.weight, outputs, inputs)
    p = _frequencies(items.p, answer, outputs.d, points)
    gain = np.zeros(p.size)
    for response in responses(answer, samples, seed):
        chance = _recovered(response, 0.0, n)
        gain += [_recovered(response, float(p_i), n) - chance for p_i in p]
    gain = _interpolate(p, gain / samples, items.p)
    return gain if above_chance else 1 / (n + 1) + gain


def capacity(items: Items, outputs: EmbeddingSpectrum, **options: Any) -> float:
    """Expected count of recovered items: the sum of :func:`recovery_probability`, which has the options.

    Of items without end, those above chance.
    """
    return float(
        items.sum(recovery_probability(items, outputs, above_chance=items.endless, **options))
    )


def _recovered(response: Response, p: float, n_competitors: float) -> float:
    from scipy.special import log_ndtr

    logit, variance = response.logit_and_variance(p)
    return float(np.exp(n_competitors * log_ndtr(logit / np.sqrt(variance))).sum())


def _frequencies(
    p: Float[np.ndarray, " k"], answer: Resolvent, d: int, points: int
) -> Float[np.ndarray, " n"]:
    """Increasing frequencies, the mean signal of each by the same factor above the last."""
    low, high = float(p[p > 0].min()), float(p.max())
    if high < low * (1 + 1e-9):
        return np.array([high])
    fine = np.geomspace(low, high, 400)
    kernel = fine[:, None] * answer.w / (1 + fine[:, None] ** 2 * answer.w)
    signal = math.sqrt(d) * (kernel @ answer.dt)
    wanted = np.geomspace(np.clip(FAINT, signal[0], signal[-1]), signal[-1], points)
    return np.unique(np.exp(np.interp(np.log(wanted), np.log(signal), np.log(fine))))


def _interpolate(
    p: Float[np.ndarray, " n"], above: Float[np.ndarray, " n"], at: Float[np.ndarray, " k"]
) -> Float[np.ndarray, " k"]:
    from scipy.interpolate import PchipInterpolator

    faint = at < p[0]
    result = above[0] * at / p[0]
    if p.size > 1:
        result[~faint] = PchipInterpolator(np.log(p), above)(np.log(np.minimum(at[~faint], p[-1])))
    return result
