"""Shampoo and SOAP as optax transformations of matrices, exact at every step: no library that is kept has them.

Both keep means of G Gᵀ and Gᵀ G. Published codes update roots or eigenvectors now and then and approximately;
at the sizes of a memory exact ones cost less than its gradient. Leaves are matrices (out, in).
"""

from __future__ import annotations

from typing import NamedTuple

import optax
from jaxtyping import Array, Float, Int, PyTree

from spectral_capacity.backend import jax, jnp


class ShampooState(NamedTuple):
    """Of each leaf: mu, the mean of gradients; outer, means of G Gᵀ; inner, of Gᵀ G; after ``count`` steps."""

    count: Int[Array, ""]
    mu: PyTree
    outer: PyTree
    inner: PyTree


class SoapState(NamedTuple):
    """The same, and nu, the mean of squares of the gradient's entries in the eigenbasis."""

    count: Int[Array, ""]
    mu: PyTree
    nu: PyTree
    outer: PyTree
    inner: PyTree


def scale_by_shampoo(momentum: float, b2: float, ridge: float) -> optax.GradientTransformation:
    """G ↦ L^(−1/4) M R^(−1/4): L and R of the gradients with decay ``b2`` (1: sums), M their mean.

    Means are corrected for their beginning at zero. ``ridge`` times the largest eigenvalue is added to all:
    singular values of G below its root, times the largest, are damped.
    """

    def init(parameters):
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return ShampooState(jnp.zeros((), jnp.int32), zeros, *_no_means(parameters))

    def update(updates, state, parameters=None):
        count = state.count + 1
        mu = _decayed(momentum, state.mu, updates)
        outer, inner = _means(b2, state, updates)
        corrected = _without_beginning(momentum, count, mu)
        new = jax.tree.map(
            lambda M, L, R: _root(L, ridge) @ M @ _root(R, ridge),
            corrected,
            _without_beginning(b2, count, outer),
            _without_beginning(b2, count, inner),
        )
        return new, ShampooState(count, mu, outer, inner)

    return optax.GradientTransformation(init, update)


def scale_by_soap(b1: float, b2: float, b_basis: float, eps: float) -> optax.GradientTransformation:
    """Adam on the entries of Qᵀ G P, with Q and P the eigenvectors of the means of G Gᵀ and Gᵀ G, turned back.

    The mean of gradients is kept as it is and turned at every step, that of squares in the basis of its time,
    eigenvectors being in the order of their eigenvalues.
    """

    def init(parameters):
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return SoapState(jnp.zeros((), jnp.int32), zeros, zeros, *_no_means(parameters))

    def update(updates, state, parameters=None):
        count = state.count + 1
        outer, inner = _means(b_basis, state, updates)
        left, right = (jax.tree.map(_eigenvectors, means) for means in (outer, inner))
        turned = jax.tree.map(lambda Q, G, P: Q.T @ G @ P, left, updates, right)
        mu = _decayed(b1, state.mu, updates)
        nu = _decayed(b2, state.nu, jax.tree.map(jnp.square, turned))
        new = jax.tree.map(
            lambda Q, M, P, v: Q @ ((Q.T @ M @ P) / (jnp.sqrt(v) + eps)) @ P.T,
            left,
            _without_beginning(b1, count, mu),
            right,
            _without_beginning(b2, count, nu),
        )
        return new, SoapState(count, mu, nu, outer, inner)

    return optax.GradientTransformation(init, update)


def _no_means(parameters):
    def square(axis):
        return jax.tree.map(lambda W: jnp.zeros((W.shape[axis],) * 2, W.dtype), parameters)

    return square(0), square(1)


def _means(decay, state, updates):
    outer = _decayed(decay, state.outer, jax.tree.map(lambda G: G @ G.T, updates))
    return outer, _decayed(decay, state.inner, jax.tree.map(lambda G: G.T @ G, updates))


def _decayed(decay, means, new):
    """Means with one more; sums where nothing decays."""
    share = 1.0 if decay == 1 else 1 - decay
    return jax.tree.map(lambda mean, one: decay * mean + share * one, means, new)


def _without_beginning(decay, count, means):
    """Means as if they had not begun at zero; sums as they are."""
    if decay == 1:
        return means
    share = 1 - decay ** count.astype(jnp.float64)
    return jax.tree.map(lambda mean: mean / share.astype(mean.dtype), means)


def _root(A: Float[Array, "d d"], ridge: float) -> Float[Array, "d d"]:
    """(A + ridge·λ_max)^(−1/4) of A ⪰ 0; zero for zero."""
    values, vectors = jnp.linalg.eigh(A)
    lifted = jnp.clip(values, 0) + ridge * values[-1]
    powers = jnp.where(values[-1] > 0, lifted, 1.0) ** -0.25
    return (vectors * jnp.where(values[-1] > 0, powers, 0.0)) @ vectors.T


def _eigenvectors(A: Float[Array, "d d"]) -> Float[Array, "d d"]:
    return jnp.linalg.eigh(A)[1]
