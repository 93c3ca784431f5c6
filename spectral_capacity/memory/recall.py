"""Exact recall: which items have a logit strictly above all N − 1 competitors.

Nearly every item loses to one of the first few dozen competitors, so the N² logits are never
computed: float32 logits with a proven error bound drop what surely loses, the rest face the
remaining competitors block by block, and what is too close to call is decided in float64.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Array, Bool, Float

from spectral_capacity.backend import HIGHEST, by_device, jax, jnp
from spectral_capacity.memory.chunks import padded

UNIT_ROUNDOFF = 2.0**-24
"""Of float32."""

TILE = {"cpu": (128, 1024), "gpu": (1024, 8192)}
"""Survivors and competitors that face each other at a time. A card is given larger tiles: between two of
them it waits for the host."""


@dataclass(frozen=True)
class Recall:
    """What a memory recalls.

    recovered: (n,) bool, item i has s_ii > max_{j≠i} s_ij.
    near_ties: items whose smallest margin lies within float32's error bound; float64 decided them.
    """

    recovered: Bool[np.ndarray, " n"]
    near_ties: int

    @property
    def capacity(self) -> int:
        """Number of recovered items."""
        return int(self.recovered.sum())

    @property
    def prefix_capacity(self) -> int:
        """Length of the initial run of recovered items."""
        lost = np.flatnonzero(~self.recovered)
        return int(lost[0]) if lost.size else self.recovered.size

    def robust_prefix(self, share: float) -> int:
        """Largest m of which at least this share of the first m items are recovered, 0 where there is none.

        Theorems speak of all items up to a rank; a count alone hides that a memory forgets frequent items for
        rare ones, and the first miss alone is a single item's bad luck.
        """
        ranks = np.arange(1, self.recovered.size + 1)
        enough = np.flatnonzero(np.cumsum(self.recovered) >= share * ranks - 1e-9)
        return int(enough[-1]) + 1 if enough.size else 0

    def head_recall(self, size: int) -> float:
        """Share of the ``size`` most frequent items that are recovered, or of all where there are fewer."""
        return float(self.recovered[:size].mean())

    def mass(self, p: Float[np.ndarray, " n"]) -> float:
        """Σ p_i over the recovered items."""
        return float(p[self.recovered].sum())


def recall(
    W: Float[np.ndarray, "d d"],
    U: Float[Array, "n d"],
    V: Float[Array, "n d"],
    *,
    row_block: int = 4096,
    head: int = 128,
    tile: tuple[int, int] | None = None,
) -> Recall:
    """Decide for each item whether it is recovered; exact in float64, ties are not recovered.

    The result is a function of W, U, V only; ``row_block``, ``head``, the number of competitors that every
    item faces, and ``tile``, rows and competitors (None: :data:`TILE`), trade memory against speed. Most
    frequent items first makes it fast (they are the strongest competitors), any order is correct. The margin
    v_iᵀ W u_i − v_jᵀ W u_i of a near tie is computed as (v_i − v_j)ᵀ W u_i, which is exactly zero for
    duplicated items.

    Raises FloatingPointError when W is not finite.
    """
    n = U.shape[0]
    if not np.isfinite(W).all():
        raise FloatingPointError("W has entries that are not finite; nothing can be recalled")
    if n == 1:  # no competitor to lose to
        return Recall(np.ones(1, bool), 0)
    scale = np.abs(W).max()
    if scale == 0:  # every logit is zero, every item ties
        return Recall(np.zeros(n, bool), 0)
    # Recall knows no scale, float32 has a range; a power of two rounds nothing, so ties stay ties.
    W = jnp.asarray(np.ldexp(W, -int(np.frexp(scale)[1])))

    largest = largest_norm(V)
    head = min(head, n)
    alive = np.asarray(_screen(W, U, V, largest, row_block=min(row_block, n), head=head))
    survivors = np.flatnonzero(alive)
    recovered = np.zeros(n, bool)
    near_ties = 0
    for start in range(0, survivors.size, row_block):
        items = survivors[start : start + row_block]
        won, tied = _confirm(items, W, U, V, largest, row_block, tile or by_device(**TILE))
        recovered[won] = True
        near_ties += tied
    return Recall(recovered, near_ties)


def recall_from_margins(
    margins: Float[np.ndarray, " n"],
    bounds: Float[np.ndarray, " n"],
    W: Float[np.ndarray, "d d"],
    U: Float[Array, "n d"],
    V: Float[Array, "n d"],
) -> Recall:
    """What :func:`recall` finds, where the smallest margin of every item is known to within ``bounds``.

    For memories whose logits were computed anyway; what is too close to call is decided in float64. Where
    a bound is infinite, norms having left float32's range, it is :func:`recall` that decides, on its own scale.
    """
    if not np.isfinite(bounds).all():
        return recall(W, U, V)
    recovered = margins > 2 * bounds
    close = np.flatnonzero(~recovered & ~(margins < -2 * bounds))
    exact = _exact_margins(close, jnp.asarray(W), U, V)
    recovered[close] = exact > 0
    return Recall(recovered, int((np.abs(exact) <= bounds[close]).sum()))


def _confirm(items, W, U, V, largest, row_block, tile):
    """Which of ``items`` (few) beat all competitors, and how many of them nearly tie."""
    n = V.shape[0]
    chunk, block = min(tile[0], n), min(tile[1], n)
    rows = -(-min(row_block, n) // chunk) * chunk
    parts = _queries(padded(items, rows), items.size, W, U, V, largest, chunk=chunk)
    queries, targets, bound = (np.asarray(part)[: items.size] for part in parts)
    margins = np.full(items.size, np.inf)
    # Short stages first: most items that the screen let pass fall early, and cost nothing after.
    stages = [0, *(s for s in (block, 8 * block) if s < n), n]
    kept = np.arange(items.size)
    for first, last in itertools.pairwise(stages):
        rest = (padded(values[kept], rows) for values in (queries, targets, items))
        stage = _smallest_margins(*rest, kept.size, V, first, last, block=block, chunk=chunk)
        margins[kept] = np.minimum(margins[kept], np.asarray(stage)[: kept.size])
        kept = kept[~(margins[kept] < -2 * bound[kept])]
        if kept.size == 0:
            return items[:0], 0
    clear = margins[kept] > 2 * bound[kept]
    sure, close = kept[clear], kept[~clear]
    exact = _exact_margins(items[close], W, U, V)
    # Counted by the float64 margin, so that the number does not depend on block sizes.
    near_ties = int((np.abs(exact) <= bound[close]).sum())
    return items[np.concatenate([sure, close[exact > 0]])], near_ties


@jax.jit
def largest_norm(V: Float[Array, "n d"]) -> Float[Array, ""]:
    """An upper bound of max_j ‖v_j‖, float32."""
    return jnp.sqrt(jnp.max(jnp.sum(V * V, axis=1, dtype=jnp.float32))) * (1 + 1e-5)


def margin_bound(
    x: Float[Array, "m d"], v: Float[Array, "m d"], largest: Float[Array, ""]
) -> Float[Array, " m"]:
    """Error of the float32 margins (v − v_j)ᵀ x of queries x = W u_i rounded from float64.

    ``largest`` is that of all v_j (:func:`largest_norm`). Infinite where norms leave float32's range.
    """
    return _bound((x.shape[1] + 4) * UNIT_ROUNDOFF, _norm(x), _norm(v) + largest)


def _norm(rows):
    return jnp.sqrt(jnp.sum(rows * rows, axis=1, dtype=jnp.float32)) * (1 + 1e-5)


def _bound(roundoff, x, v):
    """Error of a float32 margin; infinite, for float64 to decide, where norms under- or overflow."""
    safe = (x > 1e-15) & (x < 1e15) & (v > 1e-15) & (v < 1e15)
    return jnp.where(safe, roundoff * x * v, jnp.inf)


@partial(jax.jit, static_argnames=("row_block", "head"))
def _screen(W, U, V, largest, *, row_block, head):
    """Items that float32 cannot rule out against the first ``head`` competitors, (n,) bool."""
    n, d = U.shape
    W32 = W.astype(jnp.float32)
    # |fl(Wu) − Wu| ≤ (d+2)ε ‖W‖_F ‖u‖ (rounding of W included), |fl(v·x) − v·x| ≤ (d+2)ε ‖v‖ ‖x‖.
    roundoff = (d + 4) * UNIT_ROUNDOFF
    frobenius = jnp.sqrt(jnp.sum(W * W)).astype(jnp.float32) * (1 + 1e-5)
    competitors = V[:head]

    def block(b, alive):
        start = jnp.minimum(b * row_block, n - row_block)
        u = jax.lax.dynamic_slice_in_dim(U, start, row_block)
        v = jax.lax.dynamic_slice_in_dim(V, start, row_block)
        x = jnp.matmul(u, W32.T, precision=HIGHEST)
        target = jnp.sum(v * x, axis=1)
        logits = jnp.matmul(x, competitors.T, precision=HIGHEST)
        itself = (start + jnp.arange(row_block))[:, None] == jnp.arange(head)[None, :]
        best = jnp.max(jnp.where(itself, -jnp.inf, logits), axis=1)
        error = _bound(roundoff, frobenius * _norm(u) + _norm(x), _norm(v) + largest)
        return jax.lax.dynamic_update_slice_in_dim(alive, ~(target - best < -error), start, axis=0)

    return jax.lax.fori_loop(0, -(-n // row_block), block, jnp.zeros(n, bool))


def _in_chunks(count, size, function, results):
    """Fill ``results``, arrays over rows, chunk by chunk up to row ``count``; later rows stay."""

    def chunk(c, results):
        start = c * size
        new = function(start)
        return tuple(
            jax.lax.dynamic_update_slice_in_dim(old, part, start, axis=0)
            for old, part in zip(results, new, strict=True)
        )

    return jax.lax.fori_loop(0, (count + size - 1) // size, chunk, results)


@partial(jax.jit, static_argnames="chunk")
def _queries(items, count, W, U, V, largest, *, chunk):
    """W u_i rounded from float64, logits s_ii, and the error bound of a float32 margin."""
    rows, d = items.shape[0], U.shape[1]

    def some(start):
        which = jax.lax.dynamic_slice_in_dim(items, start, chunk)
        u, v = jax.lax.optimization_barrier((U[which], V[which]))
        x = jnp.matmul(u.astype(jnp.float64), W.T, precision=HIGHEST)
        target = jnp.sum(v.astype(jnp.float64) * x, axis=1).astype(jnp.float32)
        x = x.astype(jnp.float32)
        return x, target, margin_bound(x, v, largest)

    empty = (jnp.zeros((rows, d), jnp.float32), *(jnp.zeros(rows, jnp.float32) for _ in range(2)))
    return _in_chunks(count, chunk, some, empty)


@partial(jax.jit, static_argnames=("block", "chunk"))
def _smallest_margins(x, targets, items, count, V, first, last, *, block, chunk):
    """min over competitors j in [first, last) of s_ii − s_ij, float32; blocks may overhang."""
    n = V.shape[0]

    def tile(b, margins):
        place = jnp.minimum(first + b * block, n - block)
        competitors = jax.lax.dynamic_slice_in_dim(V, place, block)

        def some(start):
            def rows(array):
                return jax.lax.dynamic_slice_in_dim(array, start, chunk)

            logits = jnp.matmul(rows(x), competitors.T, precision=HIGHEST)
            itself = rows(items)[:, None] == (place + jnp.arange(block))[None, :]
            best = jnp.max(jnp.where(itself, -jnp.inf, logits), axis=1)
            return (jnp.minimum(rows(margins), rows(targets) - best),)

        return _in_chunks(count, chunk, some, (margins,))[0]

    n_blocks = (last - first + block - 1) // block
    return jax.lax.fori_loop(0, n_blocks, tile, jnp.full(x.shape[0], jnp.inf, jnp.float32))


def _exact_margins(items, W, U, V):
    block = min(by_device(**TILE)[1], V.shape[0])
    margins = [_exact_margin(int(i), W, U, V, block=block) for i in items]
    return np.asarray(margins, np.float64)


@partial(jax.jit, static_argnames="block")
def _exact_margin(item, W, U, V, *, block):
    """min_{j≠i} (v_i − v_j)ᵀ W u_i in float64, for one item."""
    n = V.shape[0]
    x = jnp.matmul(W, U[item].astype(jnp.float64), precision=HIGHEST)
    v = V[item].astype(jnp.float64)

    def tile(b, margin):
        start = jnp.minimum(b * block, n - block)
        competitors = jax.lax.dynamic_slice_in_dim(V, start, block).astype(jnp.float64)
        differences = jnp.sum((v[None, :] - competitors) * x[None, :], axis=1)
        itself = start + jnp.arange(block) == item
        return jnp.minimum(margin, jnp.min(jnp.where(itself, jnp.inf, differences)))

    return jax.lax.fori_loop(0, -(-n // block), tile, jnp.inf)
