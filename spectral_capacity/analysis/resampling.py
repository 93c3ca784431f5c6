"""Seeds drawn with replacement: how far the draws move what was measured."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Real


def line_generator(root_seed: int, name: str, at: Mapping[str, Any]) -> np.random.Generator:
    """Random numbers of the quantity ``name`` on one line, whatever other lines there are."""
    place = zlib.crc32(repr((name, sorted(at.items()))).encode())
    return np.random.default_rng([root_seed, place])


def resampled_means(
    sample: Real[np.ndarray, "m s"],
    resamples: int,
    rng: np.random.Generator,
    average: Callable[..., np.ndarray] = np.mean,
) -> Float[np.ndarray, "r m"]:
    """Means over seeds drawn with replacement, independently for each of m d's, :func:`rescaled`.

    Percentiles of these still cover less than they say: of a nominal 95 %, 76 % with 2 seeds, 90 % with 4,
    93 % with 8. ``average``: ``np.median`` in place of the mean.
    """
    m, seeds = sample.shape
    picks = rng.integers(seeds, size=(resamples, m, seeds))
    means = average(sample[np.arange(m)[None, :, None], picks], axis=2)
    return rescaled(means, average(sample, axis=1), seeds)


def rescaled(
    values: Float[np.ndarray, "*b"], centre: Float[np.ndarray, "*c"] | float, seeds: int
) -> Float[np.ndarray, "*b"]:
    """Resampled values with their distance to ``centre`` times √(S/(S−1)).

    So they have the variance of S seeds; drawing from these alone has (S−1)/S of it.
    """
    return centre + (values - centre) * math.sqrt(seeds / max(seeds - 1, 1))


def percentiles(
    values: Float[np.ndarray, " r"], confidence: float, method: str = "linear"
) -> tuple[float, float]:
    """Both ends of the central interval of resampled values, NaN among them left out.

    NaN where more of them are NaN than one tail holds. ``method`` is NumPy's: between infinite values
    nothing can be interpolated, there it must be ``inverted_cdf``.
    """
    tail = (1 - confidence) / 2
    if np.isnan(values).mean() > tail:
        return math.nan, math.nan
    low, high = np.nanquantile(values, [tail, 1 - tail], method=method).tolist()
    return low, high
