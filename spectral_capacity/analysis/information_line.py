"""The information line: on small batches a memory holds about as many items as it has seen.

t steps on batches of B have seen ≍ (tB)^(1/α) distinct items for p_i ∝ i^(−α). So where samples are few
capacity should grow with exponent 1/α in B at a fixed t, and in t at a fixed B.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real

from spectral_capacity.analysis.resampling import percentiles, rescaled
from spectral_capacity.theory.predictions import items_seen

FRACTION = 8.0
"""Numbers of samples up to the critical batch size over this are taken to be on the line."""


@dataclass(frozen=True)
class InformationSlope:
    """An exponent on the information line, its interval over resampled seeds, and the points behind it.

    finite_size: the same exponent of the expected number of distinct items, at the same points.
    """

    slope: float = math.nan
    low: float = math.nan
    high: float = math.nan
    finite_size: float = math.nan
    points: int = 0


def information_exponent(
    samples: Real[np.ndarray, "c m"],
    counts: Real[np.ndarray, "k c m s"],
    small: Bool[np.ndarray, "k c m"],
    p: Float[np.ndarray, " n"],
    *,
    bootstrap: int,
    confidence: float,
    rng: np.random.Generator,
    minimum: float = 3.0,
) -> InformationSlope:
    """Exponent of capacity in the number of samples seen, where batches are small; theory says 1/α.

    For each of k d's there are c curves over m numbers of ``samples``; inf is allowed where ``small`` is
    false. One slope and an intercept for each curve, by least squares on the log of the mean over the s
    seeds. A point is used where ``small`` is true and its mean count at least ``minimum``. A curve that
    keeps fewer than two points says nothing of the slope; all NaN when no curve says anything. The
    interval is of seeds drawn with replacement, for each d by itself and there for all points together
    (their batches are nested), spread by √(s/(s−1)); which points are used is not drawn anew. NaN with one
    seed.

    The number of distinct items itself has another slope than 1/α while few were seen (steeper) and
    when most of a finite number were (flatter): ``finite_size``, from the items' frequencies ``p``.
    """
    dimensions, seeds = counts.shape[0], counts.shape[3]
    mean = counts.mean(axis=3)
    use = small & (mean >= minimum)
    use &= use.sum(axis=2, keepdims=True) > 1
    if not use.any():
        return InformationSlope()
    some = use.any(axis=0)
    x, seen = np.zeros(samples.shape), np.ones(samples.shape)
    x[some] = np.log(samples[some])
    seen[some] = [items_seen(p, n) for n in samples[some].tolist()]
    slope = _common_slope(x, mean[None], use).item()
    low = high = math.nan
    if seeds > 1:
        picks = rng.integers(seeds, size=(bootstrap, dimensions, seeds))
        times = (picks[..., None] == np.arange(seeds)).mean(axis=2)
        slopes = _common_slope(x, np.einsum("rks,kcms->rkcm", times, counts), use)
        low, high = percentiles(rescaled(slopes, slope, seeds), confidence)
    expected = _common_slope(x, np.broadcast_to(seen, mean.shape)[None], use).item()
    return InformationSlope(slope, low, high, expected, int(use.sum()))


def _common_slope(x, means, use):
    """Slope shared by curves with intercepts of their own, (resamples,); zero means have no weight."""
    w = use & (means > 0)
    y = np.log(np.where(w, means, 1.0))
    centred = w * (x - (w * x).sum(axis=-1, keepdims=True) / np.maximum(w.sum(-1), 1)[..., None])
    with np.errstate(invalid="ignore"):
        return (centred * y).sum(axis=(1, 2, 3)) / np.square(centred).sum(axis=(1, 2, 3))
