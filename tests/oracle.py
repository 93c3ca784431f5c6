"""The slow oracle: NumPy float64, every logit, no shortcut and nothing from the package.

N × N arrays throughout, so N stays in the hundreds.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg


def logits(W, U, V):
    """s_ij = v_jᵀ W u_i, (n, n). Equal rows of V give equal columns, to the last bit."""
    x = np.stack([(W * u).sum(axis=1) for u in U.astype(np.float64)])
    return np.stack([(V.astype(np.float64) * row).sum(axis=1) for row in x])


def recovered(W, U, V):
    """s_ii > max_{j≠i} s_ij, strictly."""
    s = logits(W, U, V)
    own = np.diag(s).copy()
    np.fill_diagonal(s, -np.inf)
    return own > s.max(axis=1)


def gradient(W, U, V, q):
    """Σ_i q_i (v_i − Σ_j π_ij v_j) u_iᵀ with π the softmax of the logits, summed item by item."""
    U, V = U.astype(np.float64), V.astype(np.float64)
    s = logits(W, U, V)
    pi = np.exp(s - s.max(axis=1, keepdims=True))
    pi /= pi.sum(axis=1, keepdims=True)
    G = np.zeros((V.shape[1], U.shape[1]))
    for i in range(len(U)):
        G += q[i] * np.outer(V[i] - pi[i] @ V, U[i])
    return G


def polar(G):
    """A Bᵀ over singular values above d·ε·σ_max, by LAPACK's other SVD driver."""
    A, sigma, B = scipy.linalg.svd(G, lapack_driver="gesvd")
    keep = sigma > sigma[0] * len(sigma) * np.finfo(float).eps
    return A[:, keep] @ B[keep]


def frequencies(n, alpha):
    p = np.array([1.0 / (i + 1) ** alpha for i in range(n)])
    return p / p.sum()


def capacity(U, V, alpha, rule):
    """Items recovered after one population step of ``rule`` from zero."""
    n, d = U.shape
    G = gradient(np.zeros((d, d)), U, V, frequencies(n, alpha))
    return int(recovered(rule(G), U, V).sum())
