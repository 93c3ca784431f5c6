"""How often each item is seen."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def power_law(n_items: int, alpha: float) -> Float[np.ndarray, " n"]:
    """p_i = i^(-alpha) / Z for i = 1 … n_items, float64, summing to 1; alpha = 0 is uniform."""
    weights = np.arange(1, n_items + 1, dtype=np.float64) ** -alpha
    return weights / weights.sum()
