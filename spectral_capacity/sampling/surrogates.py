"""Other embeddings in place of a user's own, which keep some of their properties and lose the others.

What differs between the counts of two of them is due to what the one has and the other lacks. No JAX.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Int64

Draw = Literal["rows", "pairs", "shuffled", "gaussian"]

NEAR = 2.0
"""Factor in rank within which an item of ``pairs`` takes its output, about."""

Pair = tuple[Float32[np.ndarray, "n d"], Float32[np.ndarray, "n d"]]


def redrawn(
    U: Float[np.ndarray, "n d"], V: Float[np.ndarray, "n d"], draw: Draw, seed: list[int]
) -> Pair:
    """(U, V) of one seed, float32; rows are items, the most frequent first.

    ``rows``: as they are. ``pairs``: item i has the output of another item about as frequent, each output is of
    one item; lengths and directions go with the frequency as they do in U and V. ``shuffled``: rows of U and of
    V in any order, each its own; nothing goes with the frequency. ``gaussian``: N(m, C) with m and C, the mean
    and the covariance of all rows, of U and of V; nothing else is kept. ``seed``: of NumPy's generator.
    """
    rng = np.random.default_rng(seed)
    if draw == "pairs":
        order = _near_in_rank(len(V), rng)
        outputs = np.empty_like(order)
        outputs[order] = np.roll(order, -1)
        return U, V[outputs]
    if draw == "shuffled":
        return rng.permutation(U), rng.permutation(V)
    if draw == "gaussian":
        return _gaussian(U, rng), _gaussian(V, rng)
    return U, V


def _near_in_rank(n: int, rng: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """Items in an order in which ranks are kept up to a factor of about :data:`NEAR`."""
    ranks = np.arange(1, n + 1) + 2  # so that even the first has others near it
    return np.argsort(np.log(ranks) + rng.uniform(0, np.log(NEAR), n))


def _gaussian(X: Float[np.ndarray, "n d"], rng: np.random.Generator) -> Float32[np.ndarray, "n d"]:
    mean, covariance = moments(X)
    variance, directions = np.linalg.eigh(covariance)
    root = directions * np.sqrt(variance.clip(0))
    return (mean + rng.standard_normal(X.shape) @ root.T).astype(np.float32)


def moments(
    X: Float[np.ndarray, "n d"],
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d d"]]:
    """Mean and covariance of the rows, each counted once, in float64."""
    X = X.astype(np.float64)
    mean = X.mean(axis=0)
    X -= mean
    return mean, X.T @ X / len(X)
