"""The exact softmax loss of a linear memory, item by item, for a whole grid of learning rates."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Array, Float, Int

from spectral_capacity.backend import HIGHEST, by_device, jax, jnp
from spectral_capacity.memory.chunks import chunks
from spectral_capacity.memory.tiles import fold_competitors

TILE = {"cpu": (512, 1024), "gpu": (4096, 8192)}
"""Items and competitors whose logits exist at a time; see :data:`memory.recall.TILE`."""


def item_losses(
    W: Float[np.ndarray, "d d"],
    U: Float[Array, "n d"],
    V: Float[Array, "n d"],
    scales: Float[np.ndarray, " k"],
    *,
    items: Int[np.ndarray, " m"] | None = None,
    tile: tuple[int, int] | None = None,
) -> Float[np.ndarray, "k m"]:
    """Cross-entropy of every item, l_i = log Σ_j exp(s_ij) − s_ii, for each memory scale·W.

    s_ij = scale · v_jᵀ W u_i and j runs over all n items: the softmax cross-entropy of
    arXiv:2603.26554, before its average over the items (``population_loss``). One row of the result per
    scale, one column per item; ``items`` names the ones wanted (None: all, in order), and these still
    face all n competitors.

    Computed as log(1 + Σ_{j≠i} exp(s_ij − s_ii)), so a learnt item keeps its relative accuracy when
    1 − π_ii is far below float64's rounding of 1, and an item lost by an enormous margin has that margin
    for its loss. Logits and sums are float64, all of them, no approximation. One ``tile`` of logits, rows and
    competitors (None: :data:`TILE`), exists at a time and serves all scales; another one moves the last
    digits only.

    Raises ValueError when ``scales`` is empty or has one that is not positive and finite, or when
    ``items`` leave [0, n); FloatingPointError when W or the margins it gives are not finite.

    Left out: the gradient, and relative accuracy of losses below 1e-307, the end of float64's range.
    """
    n = U.shape[0]
    items = np.arange(n) if items is None else items
    if scales.size == 0 or not ((scales > 0) & np.isfinite(scales)).all():
        raise ValueError(f"scales must be one or more positive numbers, not {scales}")
    if ((items < 0) | (items >= n)).any():
        raise ValueError(f"items must lie in [0, {n})")
    if not np.isfinite(W).all():
        raise FloatingPointError("W has entries that are not finite; it has no loss")
    if n == 1:  # no competitor to lose to
        return np.zeros((scales.size, items.size))

    W, scales = jnp.asarray(W), jnp.asarray(scales, jnp.float64)
    odds = np.empty((scales.size, items.size))
    rows, columns = tile or by_device(**TILE)
    for place, some in chunks(items, min(rows, max(items.size, 1))):
        block = _log_odds(W, U, V, scales, some, columns=min(columns, n))
        odds[:, place] = np.asarray(block)[:, : place.stop - place.start]
    if not np.isfinite(odds).all():
        raise FloatingPointError(
            "margins of the logits are not finite: embeddings or scales too large"
        )
    return np.logaddexp(0.0, odds)


def population_loss(
    losses: Float[np.ndarray, "k n"], p: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " k"]:
    """L = Σ_i p_i l_i for each row of ``item_losses``, summed pairwise in float64."""
    return (losses * p).sum(axis=1, dtype=np.float64)


@partial(jax.jit, static_argnames="columns")
def _log_odds(W, U, V, scales, items, *, columns):
    """log Σ_{j≠i} exp(s_ij) − s_ii of ``items``, (k, m)."""
    x = jnp.matmul(U[items].astype(jnp.float64), W.T, precision=HIGHEST)

    # Scales are positive: the largest logit is the largest for all of them.
    def add_tile(sums, logits, _, before, now):
        def tile_sum(scale):
            return jnp.sum(jnp.exp(scale * (logits - now[:, None])), axis=1)

        faded = sums * jnp.exp(scales[:, None] * (before - now)[None, :])
        return faded + jax.lax.map(tile_sum, scales)

    nothing = jnp.zeros((scales.size, items.size))
    target, best, sums = fold_competitors(x, V, items, nothing, add_tile, columns=columns)
    return jnp.log(sums) + scales[:, None] * (best - target)[None, :]
