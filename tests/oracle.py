"""The slow oracle: NumPy float64, every logit, no shortcut and nothing from the package.

N × N arrays throughout, so N stays in the hundreds.
"""

from __future__ import annotations

import math

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


def newton(G, U, V, q, ridge):
    """(A_v + ridge)⁻¹ G (C_u + ridge)⁻¹, each moment summed item by item, pseudo-inverse for ridge 0."""
    U, V = U.astype(np.float64), V.astype(np.float64)
    centred = V - V.mean(axis=0)
    A = sum(np.outer(v, v) for v in centred) / len(V)
    C = sum(w * np.outer(u, u) for w, u in zip(q, U, strict=True))
    left, right = (
        np.linalg.pinv(M, rcond=1e-12, hermitian=True)
        if ridge == 0
        else np.linalg.inv(M + ridge * np.eye(len(M)))
        for M in (A, C)
    )
    return left @ G @ right


def capacity(U, V, alpha, rule, q=None):
    """Items recovered after one step of ``rule`` from zero, with weights q (the population's)."""
    n, d = U.shape
    q = frequencies(n, alpha) if q is None else q
    G = gradient(np.zeros((d, d)), U, V, q)
    return int(recovered(rule(G), U, V).sum())


def loss(W, U, V):
    """log Σ_j exp(s_ij) − s_ii, item by item; log1p of the others' odds, so that tiny losses keep digits."""
    losses = []
    for i, row in enumerate(logits(W, U, V)):
        margins = [s - row[i] for j, s in enumerate(row) if j != i]
        worst = max([0.0, *margins])
        odds = math.fsum(math.exp(margin - worst) for margin in margins)
        # The item's own term is exp(−worst): 1 where no one beats it.
        losses.append(math.log1p(odds) if worst == 0 else worst + math.log(odds + math.exp(-worst)))
    return np.array(losses)


def train(U, V, q, rule, rate, steps, *, thresholded=False):
    """Memories after each of ``steps`` updates W + rate(t)·rule(G) from zero, and their recovered sets.

    ``q(t)`` are the weights of step t. Thresholded: items once recovered are left out for good, all
    others keep their gradient at W = 0.
    """
    W, known = np.zeros((V.shape[1], U.shape[1])), np.zeros(len(U), bool)
    found = []
    for t in range(1, steps + 1):
        if thresholded:
            G = gradient(np.zeros_like(W), U, V, np.where(known, 0, q(t)))
        else:
            G = gradient(W, U, V, q(t))
        W = W + rate(t) * rule(G)
        now = recovered(W, U, V)
        known |= now
        found.append((W, now))
    return found
