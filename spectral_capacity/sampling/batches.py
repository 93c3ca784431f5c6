"""Minibatches: how often each item is seen in B samples.

The batches of one seed and step are *nested*: a batch of B is the first B items of one endless
sequence of independent draws from p. Each of them alone is Multinomial(B, p); together they are
what one run sees as it goes on, so a curve of capacity against B bends where more samples of the same
stream stop helping, without the noise of a fresh batch at every point. Curves of different seeds
stay independent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int64

from spectral_capacity.backend import jax
from spectral_capacity.sampling.streams import Stream, stream_key

DRAW_BLOCK = 16384
"""Samples drawn from one key. Part of the data: sample b is the same in every batch of more than b."""


def batch_counts(
    p: Float[np.ndarray, " n"],
    batch_sizes: Sequence[int],
    *,
    root_seed: int,
    d: int,
    seed: int,
    step: int = 1,
) -> dict[int, Int64[np.ndarray, " n"]]:
    """Counts of each item in the batch of every size, counts ~ Multinomial(B, p), nested.

    A function of p and of the coordinates: optimizer, κ and the other sizes of the list change nothing,
    so every optimizer learns from the same batches. Samples are drawn one by one on the CPU (inverse
    distribution function at uniforms of 53 bits), about 0.1 s for a million.
    """
    if not batch_sizes:
        return {}
    with jax.default_device(jax.devices("cpu")[0]):
        key = stream_key(root_seed, Stream.BATCHES, d, seed, step)
        cumulative = np.cumsum(p)
        counts = np.zeros(p.size, np.int64)
        found = {}
        seen, block, items = 0, -1, np.empty(0, np.int64)
        for size in sorted(set(batch_sizes)):
            while seen < size:
                if seen // DRAW_BLOCK != block:
                    block = seen // DRAW_BLOCK
                    items = _draw(jax.random.fold_in(key, block), cumulative)
                upto = min(size - block * DRAW_BLOCK, DRAW_BLOCK)
                new = items[seen - block * DRAW_BLOCK : upto]
                counts += np.bincount(new, minlength=p.size)
                seen += new.size
            found[size] = counts.copy()
    return found


def _draw(key, cumulative):
    uniform = np.asarray(jax.random.uniform(key, (DRAW_BLOCK,), np.float64))
    items = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    return np.minimum(items, cumulative.size - 1)
