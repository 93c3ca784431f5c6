"""Softmax gradients in float64, from all logits at once, and memories that have learnt something."""

from functools import cache

import jax.numpy as jnp
import numpy as np
from scipy.special import expit, logsumexp

from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.softmax_gradient import softmax_gradient

BAR = 1e-4
"""Error of the gradient, of its singular value at rank d/2."""


@cache
def embeddings(n, d):
    rng = np.random.default_rng([n, d])
    return tuple((rng.standard_normal((n, d)) / np.sqrt(d)).astype(np.float32) for _ in "UV")


def associations(U, V):
    return Associations(jnp.asarray(U), jnp.asarray(V))


def gradient(W, U, V, q, **options):
    return softmax_gradient(W, associations(U, V), q, **options)


def competition(x, V, items=None):
    """1 − π_ii and M_i of queries x_i = W u_i, float64."""
    items = np.arange(len(x)) if items is None else items
    V = V.astype(float)
    s = x @ V.T
    here = np.arange(len(x)), items
    own = s[here].copy()
    s[here] = -np.inf
    log_sum = logsumexp(s, axis=1)
    return expit(log_sum - own), np.exp(s - log_sum[:, None]) @ V


def reference(W, U, V, q):
    """The negative gradient in the form without the diagonal, and 1 − π_ii, float64."""
    lost, mean = competition(U.astype(float) @ W.T, V)
    return (V - mean).T @ ((q * lost)[:, None] * U), lost


def learnt(U, V, lost, noise=0.0):
    """A memory in which the first items have 1 − π_ii = ``lost``, over a background of ``noise``.

    W u_i = b_i + a_i v_i with a_i by Newton's method, W from these by the pseudo-inverse.
    """
    U, V, m = U.astype(float), V.astype(float), lost.size
    B = noise * np.random.default_rng(m).standard_normal((V.shape[1], U.shape[1]))
    wanted, a = np.log(lost) - np.log1p(-lost), np.full(m, 20.0)
    for _ in range(50):
        now, mean = competition(U[:m] @ B.T + a[:, None] * V[:m], V, np.arange(m))
        slope = ((V[:m] - mean) * V[:m]).sum(axis=1)
        a += np.clip((np.log(now) - np.log1p(-now) - wanted) / slope, -5, 5)
    return B + (a[:, None] * V[:m]).T @ np.linalg.pinv(U[:m]).T


def error(found, expected, distinct=None):
    """Relative to the bulk singular value."""
    rank = min(len(expected), distinct or len(expected))
    bulk = np.linalg.svd(expected, compute_uv=False)[max(rank // 2 - 1, 0)]
    return np.linalg.norm(found - expected, 2) / bulk
