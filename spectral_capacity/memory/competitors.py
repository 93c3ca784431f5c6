"""The softmax of each item over its competitors, as one attention call in tiles.

Queries are W u_i, keys and values are the v_j, and item i itself is left out: without it the softmax keeps
its relative accuracy when the item is learnt. Two tiles of logits exist at a time, never N × N.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

import numpy as np
from jaxtyping import Array, Float, Int

from spectral_capacity.backend import HIGHEST, by_device, computing, jax, jnp
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.chunks import chunks
from spectral_capacity.memory.recall import largest_norm, margin_bound
from spectral_capacity.memory.tiles import fold_competitors

MEMORY_BUDGET = {"cpu": 8 * 2**20, "gpu": 2**30}
"""Bytes for tiles of logits: what a core's caches hold, or what keeps an accelerator busy."""

CHUNK = 8
"""Blocks of rows that are handed over at a time: at least one for each of eight devices."""


@dataclass(frozen=True)
class CompetitorSoftmax:
    """Of m items, each against all the others (the sums run over j ≠ i), float64:

    target: s_ii. best: max_j s_ij. log_sum: log Σ_j exp s_ij. bound: an upper bound of the error of
    s_ii − s_ij in float32. mean: the softmax mean M_i = Σ_j exp(s_ij) v_j / Σ_j exp(s_ij), None if it was
    not asked for; in chunks of rows, (k, d) each, float32 or float64, the last one filled up with rubbish.
    """

    target: Float[np.ndarray, " m"]
    best: Float[np.ndarray, " m"]
    log_sum: Float[np.ndarray, " m"]
    bound: Float[np.ndarray, " m"]
    mean: list[Float[Array, "k d"]] | None

    @property
    def losses(self) -> Float[np.ndarray, " m"]:
        """Cross-entropy of each item, log(1 + Σ_j exp(s_ij − s_ii))."""
        return np.logaddexp(0.0, self.log_sum - self.target)

    @property
    def margins(self) -> Float[np.ndarray, " m"]:
        """s_ii − max_j s_ij: positive where the item is recovered, to within ``bound``."""
        return self.target - self.best

    @property
    def is_finite(self) -> bool:
        """False where the logits have left the range of their type."""
        return bool(np.isfinite(self.target).all() and np.isfinite(self.log_sum).all())


def competitor_softmax(
    W: Float[np.ndarray, "d d"],
    data: Associations,
    items: Int[np.ndarray, " m"],
    *,
    means: bool,
    precision: Literal["float32", "float64"] = "float32",
    tile: tuple[int, int] | None = None,
    devices: int = 1,
) -> CompetitorSoftmax:
    """The softmax of each of ``items`` over all other items of the memory W.

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
    run, everywhere = _program(means, precision, rows, columns, computing(devices))
    target, best, log_sum, bound = np.empty((4, items.size))
    mean: list | None = [] if means else None
    largest = largest_norm(data.V)
    W, U, V, largest = jax.device_put((W, data.U, data.V, largest), everywhere)
    for place, some in chunks(items, chunk):
        count = place.stop - place.start
        found = run(W, U, V, largest, some, count)
        if means:
            mean.append(found.pop())
        for whole, part in zip((target, best, log_sum, bound), found, strict=True):
            whole[place] = np.asarray(part)[:count]
    return CompetitorSoftmax(target, best, log_sum, bound, mean)


def tile_shape(itemsize: int, budget: int | None = None) -> tuple[int, int]:
    """Rows and competitors, powers of two, whose logits take at most ``budget`` bytes.

    For the tile, its exponentials and a temporary. ``budget`` None: :data:`MEMORY_BUDGET` of the
    device in use.
    """
    if budget is None:
        budget = by_device(**MEMORY_BUDGET)
    rows = 2 ** max(math.floor(math.log2(budget / (6 * itemsize)) / 2), 3)
    return rows, 2 * rows


@cache
def _program(means, precision, rows, columns, devices):
    """The compiled pass over one chunk of items, and where what all rows need must lie: everywhere."""
    mesh = jax.sharding.Mesh(np.array(devices), "rows")
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
    """Target and best logits, log sums, bounds (and means) of the rows of one device, block by block."""
    here = items.size
    first = jax.lax.axis_index("rows").astype(count.dtype) * here
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
    x = jnp.matmul(u.astype(jnp.float64), W.T, precision=HIGHEST)
    bound = margin_bound(x.astype(jnp.float32), V[items], largest)
    x = x.astype(dtype)

    def add_tile(sums, logits, v, before, now):
        total, weighted = sums
        share = jnp.exp(logits - now[:, None])
        fade = jnp.exp(before.astype(jnp.float64) - now.astype(jnp.float64))
        # Sums of a tile are short; from tile to tile they run on in float64.
        total = total * fade + jnp.sum(share, axis=1).astype(jnp.float64)
        if means:
            part = jnp.matmul(share, v, precision=HIGHEST)
            weighted = weighted * fade[:, None] + part.astype(jnp.float64)
        return total, weighted

    nothing = jnp.zeros(items.size), jnp.zeros(u.shape if means else ())
    target, best, sums = fold_competitors(x, V, items, nothing, add_tile, columns=columns)
    total, weighted = sums
    target, best, bound = (part.astype(jnp.float64) for part in (target, best, bound))
    found = [target, best, best + jnp.log(total), bound]
    return [*found, (weighted / total[:, None]).astype(dtype)] if means else found
