"""The linear memory, s_ij = v_jᵀ W u_i: gradient of its softmax loss and second moments, at W = 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from jaxtyping import Array, Float

from spectral_capacity.backend import HIGHEST, jax, jnp
from spectral_capacity.memory.chunks import padded
from spectral_capacity.memory.moments import numerical_range

ITEM_BLOCK = 256
"""Items whose products are summed at a time. Fixed, not tuned to the machine: the order of
summation is part of the result, and inner products this short are summed in the same order by
any number of threads (longer ones are not: XLA splits them by the size of its thread pool)."""


@dataclass(frozen=True)
class Associations:
    """The facts u_i → v_i of one seed: rows of U and V, (n, d) float32. What does not depend on a batch
    is computed once."""

    U: Float[Array, "n d"]
    V: Float[Array, "n d"]

    @cached_property
    def output_mean(self) -> Float[Array, " d"]:
        """v̄ = (1/n) Σ_j v_j, float64."""
        return jnp.sum(self.V, axis=0, dtype=jnp.float64) / self.V.shape[0]

    @cached_property
    def output_covariance(self) -> Float[np.ndarray, "d d"]:
        """A_v = (1/n) Σ_j (v_j − v̄)(v_j − v̄)ᵀ, float64, exactly symmetric."""
        n = self.V.shape[0]
        A = weighted_products(self.V, self.V, np.full(n, 1 / n), centre=self.output_mean)
        return (A + A.T) / 2

    @cached_property
    def span(self) -> tuple[int, float]:
        """Dimensions that the u's and the v's (less v̄) both span, and how strong the middle ones are.

        The middle singular value of U, relative to the root mean square of those it spans, times that of V:
        near 1 for isotropic embeddings, and by how much the bulk of a gradient's singular values lies lower
        for others. (0, NaN) where the embeddings are not finite.
        """
        n, d = self.U.shape
        rank, share = d, 1.0
        for moment in (self.output_covariance, self.input_moment(np.full(n, 1 / n))):
            if not np.isfinite(moment).all():
                return 0, math.nan
            variances, _ = numerical_range(moment)
            rank = min(rank, variances.size)
            if variances.size:
                share *= math.sqrt(np.median(variances) / variances.mean())
        return rank, share

    def input_moment(self, weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, "d d"]:
        """C_u = Σ_i q_i u_i u_iᵀ, float64, exactly symmetric."""
        C = weighted_products(self.U, self.U, weights)
        return (C + C.T) / 2

    def initial_gradient(self, weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, "d d"]:
        """Negative gradient of the loss at W = 0: G_0 = Σ_i q_i (v_i − v̄) u_iᵀ.

        v̄ is the unweighted mean of all n rows of V (at W = 0 the softmax is uniform) and
        ``weights`` are the q_i: p for the population, counts / B for a batch, whose cost is that of its
        distinct items. Rows of the result belong to v, columns to u.

        Singular values near ε·σ_max inherit the rounding of this sum: another block of summation
        moves them by about ε·σ_max, relatively more the smaller they are.

        Only W = 0: the gradient of a memory that has learnt something is not this sum.
        """
        return weighted_products(self.V, self.U, weights, centre=self.output_mean)


def weighted_products(
    X: Float[Array, "n d"],
    Y: Float[Array, "n d"],
    weights: Float[np.ndarray, " n"],
    *,
    centre: Float[Array, " d"] | None = None,
    item_block: int = ITEM_BLOCK,
) -> Float[np.ndarray, "d d"]:
    """Σ_i w_i (x_i − c) y_iᵀ over the items whose weight is not zero.

    Embeddings are float32; products and sums are float64, because the small singular values that a
    spectral map lifts lie far below float32's rounding of the large ones.
    """
    n, d = X.shape
    block = min(item_block, n)
    used = np.flatnonzero(weights)
    n_blocks = -(-used.size // block)
    # Padded to the shape of all items, with weight zero: one compiled program for every batch.
    capacity = -(-n // block) * block
    items, factors = padded(used.astype(np.int32), capacity), padded(weights[used], capacity)
    centre = np.zeros(d) if centre is None else centre
    return np.asarray(_weighted_products(X, Y, items, factors, centre, n_blocks, block=block))


@partial(jax.jit, static_argnames="block")
def _weighted_products(X, Y, items, factors, centre, n_blocks, *, block):
    d = X.shape[1]

    def add_products(b, total):
        rows = jax.lax.dynamic_slice_in_dim(items, b * block, block)
        factor = jax.lax.dynamic_slice_in_dim(factors, b * block, block)
        # Gather in float32 and convert after: XLA would convert the whole array first.
        x, y = jax.lax.optimization_barrier((X[rows], Y[rows]))
        weighted = (x.astype(jnp.float64) - centre[None, :]) * factor[:, None]
        return total + jnp.matmul(weighted.T, y.astype(jnp.float64), precision=HIGHEST)

    return jax.lax.fori_loop(0, n_blocks, add_products, jnp.zeros((d, d)))
