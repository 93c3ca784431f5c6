"""The linear memory, s_ij = v_jᵀ W u_i: the gradient of its softmax loss."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Array, Float

from spectral_capacity.backend import HIGHEST, jax, jnp

ITEM_BLOCK = 256
"""Items whose products are summed at a time. Fixed, not tuned to the machine: the order of
summation is part of the result, and inner products this short are summed in the same order by
any number of threads (longer ones are not: XLA splits them by the size of its thread pool)."""


def initial_gradient(
    U: Float[Array, "n d"],
    V: Float[Array, "n d"],
    weights: Float[np.ndarray, " n"],
    *,
    item_block: int = ITEM_BLOCK,
) -> Float[np.ndarray, "d d"]:
    """Negative gradient of the loss at W = 0: G_0 = Σ_i q_i (v_i − v̄) u_iᵀ.

    v̄ is the unweighted mean of all n rows of ``V`` (at W = 0 the softmax is uniform) and
    ``weights`` are the q_i. Rows of the result belong to v, columns to u. Embeddings are float32;
    products and sums are float64, because the small singular values that a spectral map lifts lie
    far below float32's rounding of the large ones.

    Singular values near ε·σ_max inherit the rounding of this sum: another ``item_block`` moves them by
    about ε·σ_max, relatively more the smaller they are.

    Only W = 0: the gradient of a memory that has learnt something is not this sum.
    """
    n = U.shape[0]
    block = min(item_block, n)
    return np.asarray(_initial_gradient(U, V, jnp.asarray(weights, jnp.float64), block=block))


@partial(jax.jit, static_argnames="block")
def _initial_gradient(U, V, weights, *, block):
    n, d = U.shape
    n_blocks = -(-n // block)

    def rows(array, b):
        part = jax.lax.dynamic_slice_in_dim(array, b * block, block)
        return jax.lax.optimization_barrier(part).astype(jnp.float64)

    def fresh(b):
        # dynamic_slice moves a last block that overhangs back inside: its first rows were seen.
        start = jnp.minimum(b * block, n - block)
        return (start + jnp.arange(block) >= b * block)[:, None]

    mean = jnp.sum(V, axis=0, dtype=jnp.float64) / n

    def add_products(b, total):
        weighted = jnp.where(fresh(b), rows(V, b) - mean, 0.0) * rows(weights[:, None], b)
        return total + jnp.matmul(weighted.T, rows(U, b), precision=HIGHEST)

    return jax.lax.fori_loop(0, n_blocks, add_products, jnp.zeros((d, d)))
