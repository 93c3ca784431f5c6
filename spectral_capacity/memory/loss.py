"""The exact softmax loss of a linear memory, item by item, for a whole grid of learning rates."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Array, Float, Int

from spectral_capacity.backend import HIGHEST, jax, jnp


def item_losses(
    W: Float[np.ndarray, "d d"],
    U: Float[Array, "n d"],
    V: Float[Array, "n d"],
    scales: Float[np.ndarray, " k"],
    *,
    items: Int[np.ndarray, " m"] | None = None,
    row_block: int = 512,
    competitor_block: int = 1024,
) -> Float[np.ndarray, "k m"]:
    """Cross-entropy of every item, l_i = log Σ_j exp(s_ij) − s_ii, for each memory scale·W.

    s_ij = scale · v_jᵀ W u_i and j runs over all n items: the softmax cross-entropy of
    arXiv:2603.26554, before its average over the items (``population_loss``). One row of the result per
    scale, one column per item; ``items`` names the ones wanted (None: all, in order), and these still
    meet all n competitors.

    Computed as log(1 + Σ_{j≠i} exp(s_ij − s_ii)), so a learnt item keeps its relative accuracy when
    1 − π_ii is far below float64's rounding of 1, and an item lost by an enormous margin has that margin
    for its loss. Logits and sums are float64, all of them, no approximation. One tile of logits, row_block ×
    competitor_block, exists at a time and serves all scales; another tile moves the last digits only.

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
    row_block = min(row_block, max(items.size, 1))
    for start in range(0, items.size, row_block):
        rows = items[start : start + row_block]
        # The last block is filled up with its own rows again: one shape to compile.
        block = _log_odds(
            W, U, V, scales, np.resize(rows, row_block), block=min(competitor_block, n)
        )
        odds[:, start : start + row_block] = np.asarray(block)[:, : rows.size]
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


@partial(jax.jit, static_argnames="block")
def _log_odds(W, U, V, scales, items, *, block):
    """log Σ_{j≠i} exp(s_ij) − s_ii of ``items``, (k, m), tile by tile with a running maximum."""
    n = V.shape[0]
    x = jnp.matmul(U[items].astype(jnp.float64), W.T, precision=HIGHEST)

    def meet(b, state):
        best, own, sums = state
        # dynamic_slice moves a last block that overhangs back inside: its first rows were met.
        start = jnp.minimum(b * block, n - block)
        # The barrier keeps XLA from converting all of V ahead of the loop.
        v = jax.lax.optimization_barrier(jax.lax.dynamic_slice_in_dim(V, start, block))
        logits = jnp.matmul(x, v.astype(jnp.float64).T, precision=HIGHEST)
        j = start + jnp.arange(block)
        itself = items[:, None] == j
        # From the same product as its competitors' logits, so that duplicates tie.
        own = jnp.maximum(own, jnp.max(jnp.where(itself, logits, -jnp.inf), axis=1))
        logits = jnp.where(itself | (j < b * block), -jnp.inf, logits)
        # Scales are positive: the largest logit is the largest for all of them.
        largest = jnp.maximum(best, jnp.max(logits, axis=1))

        def tile_sum(scale):
            return jnp.sum(jnp.exp(scale * (logits - largest[:, None])), axis=1)

        sums = sums * jnp.exp(scales[:, None] * (best - largest))
        return largest, own, sums + jax.lax.map(tile_sum, scales)

    rows, nothing = items.size, jnp.finfo(jnp.float64).min
    state = (jnp.full(rows, nothing), jnp.full(rows, -jnp.inf), jnp.zeros((scales.size, rows)))
    best, own, sums = jax.lax.fori_loop(0, -(-n // block), meet, state)
    return jnp.log(sums) + scales[:, None] * (best - own)
