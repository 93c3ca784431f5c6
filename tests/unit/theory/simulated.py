"""One step from zero written out in NumPy: independent of what the package does."""

import numpy as np


def law(n, alpha):
    p = np.arange(1, n + 1.0) ** -alpha
    return p / p.sum()


def draw(n, d, seed):
    return np.random.default_rng([seed, d, n]).standard_normal((2, n, d)) / np.sqrt(d)


def gradient(U, V, weights):
    return (V - V.mean(axis=0)).T @ (weights[:, None] * U)


def polar(G, resolution=0.0):
    A, sigma, B = np.linalg.svd(G)
    h = np.where(sigma > sigma[0] * 1e-12, sigma / np.hypot(sigma, resolution), 0)
    return (A * h) @ B


def recovered(W, U, V, block=500):
    """Whether s_ii > max_j≠i s_ij, in float64; losers are dropped block by block."""
    outputs = U @ W.T
    own = (outputs * V).sum(axis=1)
    alive = np.arange(len(U))
    for start in range(0, len(U), block):
        logits = outputs[alive] @ V[start : start + block].T
        logits[alive[:, None] == np.arange(start, start + logits.shape[1])] = -np.inf
        alive = alive[logits.max(axis=1) < own[alive]]
    hit = np.zeros(len(U), bool)
    hit[alive] = True
    return hit
