"""The softmax over an item's competitors in one pass: tiles of logits under a running maximum."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from jaxtyping import Array, Float, Int

from spectral_capacity.backend import HIGHEST, jax, jnp

Sums = TypeVar("Sums")


def fold_competitors(
    queries: Float[Array, "m d"],
    V: Float[Array, "n d"],
    items: Int[Array, " m"],
    sums: Sums,
    add_tile: Callable[..., Sums],
    *,
    columns: int,
) -> tuple[Float[Array, " m"], Float[Array, " m"], Sums]:
    """Logits s_ii of ``items``, the largest max_{j≠i} s_ij, and sums over the competitors j ≠ i.

    s_ij = v_jᵀ x_i, of the type of the queries x_i = W u_i; to be called in a compiled function. One tile of
    logits, m × ``columns``, exists at a time. ``add_tile(sums, logits, v, before, now)`` takes ``sums`` from
    the running maximum ``before`` to ``now``, both (m,), and adds a tile, whose competitors are the rows
    of ``v``: −∞ stands where there is nothing to add. A −∞ in the results: a logit that overflowed.
    """
    n = V.shape[0]

    def fold(b, state):
        target, before, sums = state
        # dynamic_slice moves a last block that overhangs back inside: its first rows were added.
        start = jnp.minimum(b * columns, n - columns)
        # The barrier keeps XLA from converting all of V ahead of the loop.
        v = jax.lax.optimization_barrier(jax.lax.dynamic_slice_in_dim(V, start, columns))
        v = v.astype(queries.dtype)
        logits = jnp.matmul(queries, v.T, precision=HIGHEST)
        j = (start + jnp.arange(columns))[None, :]
        itself = items[:, None] == j
        # From the same product as its competitors' logits, so that duplicates tie.
        target = jnp.maximum(target, jnp.max(jnp.where(itself, logits, -jnp.inf), axis=1))
        logits = jnp.where(itself | (j < b * columns), -jnp.inf, logits)
        now = jnp.maximum(before, jnp.max(logits, axis=1))
        return target, now, add_tile(sums, logits, v, before, now)

    rows, lowest = items.size, jnp.finfo(queries.dtype).min
    start = (jnp.full(rows, -jnp.inf, queries.dtype), jnp.full(rows, lowest, queries.dtype), sums)
    return jax.lax.fori_loop(0, -(-n // columns), fold, start)
