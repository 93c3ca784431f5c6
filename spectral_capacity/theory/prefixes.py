"""How far down the ranks a memory recalls everything, from the probability of each item."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def unbroken_prefix(recovered: Float[np.ndarray, " n"]) -> float:
    """Expected length of the initial run of recovered items, Σ_m Π_{i ≤ m} P_i, for independent items.

    recovered: P_i of the items, the most frequent first.
    """
    return float(np.cumprod(recovered).sum())


def robust_prefix(recovered: Float[np.ndarray, " n"], share: float = 0.95) -> int:
    """Largest m of which at least ``share`` of the first m items are expected to be recovered, or 0."""
    ranks = np.arange(1, recovered.size + 1)
    enough = np.flatnonzero(np.cumsum(recovered) >= share * ranks * (1 - 1e-12))
    return int(enough[-1]) + 1 if enough.size else 0
