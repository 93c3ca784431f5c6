"""What each item meets: the softmax over its competitors, as one attention call in tiles.

Queries are W u_i, keys and values are the v_j, and item i itself is left out: without it the softmax keeps
its relative accuracy when the item is learnt. Two tiles of logits exist at a time, never N × N.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

import numpy as np
from jaxtyping import Array, Float, Int

from spectral_capacity.backend import HIGHEST, jax, jnp
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.recall import largest_norm, margin_bound

MEMORY_BUDGET = {"cpu": 8 * 2**20, "gpu": 2**30}
"""Bytes for tiles of logits: what a core's caches hold, or what keeps an accelerator busy."""

CHUNK = 8
"""Blocks of rows that are handed over at a time: at least one for each of eight devices."""


@dataclass(frozen=True)
class Competition:
    """Of m items, each against all the others (the sums run over j ≠ i), float64:

    own: s_ii. best: max_j s_ij. log_sum: log Σ_j exp s_ij. bound: an upper bound of the error of
    s_ii − s_ij in float32. mean: the softmax mean M_i = Σ_j exp(s_ij) v_j / Σ_j exp(s_ij), None if it was
    not asked for; in chunks of rows, (k, d) each, float32 or float64, the last one filled up with rubbish.
    """

    own: Float[np.ndarray, " m"]
    best: Float[np.ndarray, " m"]
    log_sum: Float[np.ndarray, " m"]
    bound: Float[np.ndarray, " m"]
    mean: list[Float[Array, "k d"]] | None

    @property
    def losses(self) -> Float[np.ndarray, " m"]:
        """Cross-entropy of each item, log(1 + Σ_j exp(s_ij − s_ii))."""
        return np.logaddexp(0.0, self.log_sum - self.own)

    @property
    def is_finite(self) -> bool:
        """False where the logits have left the range of their type."""
        return bool(np.isfinite(self.own).all() and np.isfinite(self.log_sum).all())


def compete(
    W: Float[np.ndarray, "d d"],
    data: Associations,
    items: Int[np.ndarray, " m"],
    *,
    means: bool,
    precision: Literal["float32", "float64"] = "float32",
    tile: tuple[int, int] | None = None,
    devices: int = 1,
) -> Competition:
    """Let each of ``items`` meet all other items of the memory W.

    s_ij = v_jᵀ W u_i. W u_i is computed in float64; logits, exponentials and products are of
    ``precision``, sums over tiles float64. 4 m n d operations with ``means``, half of it without.
    ``tile`` is (rows, competitors) of a block of logits (None: from :data:`MEMORY_BUDGET`, fewer rows for
    a few items); another one moves the last digits only. Rows are spread over the first ``devices``
    devices; up to eight make no difference to the result at all.

    Needs two items or more. Values that are not finite are given back as they come.
    """
    n = data.U.shape[0]
    if tile is None:
        rows, columns = tile_shape(np.dtype(precision).itemsize)
        while rows >= 4 * max(items.size, 8):  # by quarters: there are few shapes to compile
            rows //= 4
        tile = rows, columns
    rows, columns = min(tile[0], n), min(tile[1], n)
    chunk = rows * devices * -(-CHUNK // devices)
    run, everywhere = _program(means, precision, rows, columns, devices)
    own, best, log_sum, bound = np.empty((4, items.size))
    mean: list | None = [] if means else None
    largest = largest_norm(data.V)
    W, U, V, largest = jax.device_put((W, data.U, data.V, largest), everywhere)
    for start, some in chunks(items, chunk):
        found = run(W, U, V, largest, some, min(items.size - start, chunk))
        if means:
            mean.append(found.pop())
        for whole, part in zip((own, best, log_sum, bound), found, strict=True):
            whole[start : start + chunk] = np.asarray(part)[: items.size - start]
    return Competition(own, best, log_sum, bound, mean)


def chunks(
    values: Int[np.ndarray, " m"], size: int
) -> Iterator[tuple[int, Int[np.ndarray, " size"]]]:
    """``values`` in pieces of one size, with where each starts; the last is filled up with zeros."""
    for start in range(0, values.size, size):
        piece = np.zeros(size, values.dtype)
        piece[: values.size - start] = values[start : start + size]
        yield start, piece


def tile_shape(itemsize: int, budget: int | None = None) -> tuple[int, int]:
    """Rows and competitors, powers of two, whose logits take at most ``budget`` bytes.

    For the tile, its exponentials and a temporary. ``budget`` None: :data:`MEMORY_BUDGET` of the
    device in use.
    """
    if budget is None:
        budget = MEMORY_BUDGET["cpu" if jax.default_backend() == "cpu" else "gpu"]
    rows = 2 ** max(math.floor(math.log2(budget / (6 * itemsize)) / 2), 3)
    return rows, 2 * rows


@cache
def _program(means, precision, rows, columns, devices):
    """The compiled pass over one chunk of items, and where what all rows need must lie: everywhere."""
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:devices]), "rows")
    P = jax.sharding.PartitionSpec
    pass_over = partial(_pass, means=means, dtype=precision, rows=rows, columns=columns)
    spread = jax.shard_map(
        pass_over,
        mesh=mesh,
        in_specs=(P(), P(), P(), P(), P("rows"), P()),
        out_specs=[P("rows")] * (5 if means else 4),
        check_vma=False,
    )
    return jax.jit(spread), jax.sharding.NamedSharding(mesh, P())


def _pass(W, U, V, largest, items, count, *, means, dtype, rows, columns):
    """Own and best logits, log sums, bounds (and means) of the rows of one device, block by block."""
    here = items.size
    first = jax.lax.axis_index("rows") * here
    n_blocks = jnp.clip((count - first + rows - 1) // rows, 0, here // rows)

    def block(r, found):
        which = jax.lax.dynamic_slice_in_dim(items, r * rows, rows)
        new = _block(W, U[which], V, largest, which, means=means, dtype=dtype, columns=columns)
        return [
            jax.lax.dynamic_update_slice_in_dim(old, part, r * rows, axis=0)
            for old, part in zip(found, new, strict=True)
        ]

    empty = [jnp.zeros(here) for _ in range(4)] + [jnp.zeros((here, V.shape[1]), dtype)] * means
    return jax.lax.fori_loop(0, n_blocks, block, empty)


def _block(W, u, V, largest, items, *, means, dtype, columns):
    n, d = V.shape
    rows = items.size
    x = jnp.matmul(u.astype(jnp.float64), W.T, precision=HIGHEST)
    bound = margin_bound(x.astype(jnp.float32), V[items], largest)
    x = x.astype(dtype)
    nothing = jnp.asarray(jnp.finfo(dtype).min, dtype)

    def meet(b, state):
        best, own, total, weighted = state
        # dynamic_slice moves a last block that overhangs back inside: its first columns were met.
        place = jnp.minimum(b * columns, n - columns)
        # The barrier keeps XLA from converting all of V ahead of the loop.
        v = jax.lax.optimization_barrier(jax.lax.dynamic_slice_in_dim(V, place, columns))
        v = v.astype(dtype)
        logits = jnp.matmul(x, v.T, precision=HIGHEST)
        j = place + jnp.arange(columns)
        itself = items[:, None] == j
        # From the same product as its competitors' logits, so that duplicates tie.
        own = jnp.maximum(own, jnp.max(jnp.where(itself, logits, nothing), axis=1))
        logits = jnp.where(itself | (j < b * columns), -jnp.inf, logits)
        higher = jnp.maximum(best, jnp.max(logits, axis=1))
        share = jnp.exp(logits - higher[:, None])
        fade = jnp.exp(best.astype(jnp.float64) - higher)
        # Sums of a tile are short; from tile to tile they run on in float64.
        total = total * fade + jnp.sum(share, axis=1)
        if means:
            weighted = weighted * fade[:, None] + jnp.matmul(share, v, precision=HIGHEST)
        return higher, own, total, weighted

    start = (jnp.full(rows, nothing), jnp.full(rows, nothing), jnp.zeros(rows))
    weighted = jnp.zeros((rows, d) if means else ())
    n_blocks = -(-n // columns)
    best, own, total, weighted = jax.lax.fori_loop(0, n_blocks, meet, (*start, weighted))
    best = best.astype(jnp.float64)
    found = [own.astype(jnp.float64), best, best + jnp.log(total), bound.astype(jnp.float64)]
    return [*found, (weighted / total[:, None]).astype(dtype)] if means else found
