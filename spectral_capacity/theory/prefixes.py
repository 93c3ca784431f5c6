"""How far down the ranks a memory recalls everything, from the probability of each item."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.items import Items


def robust_prefix(items: Items, recovered: Float[np.ndarray, " k"], share: float = 0.95) -> float:
    """Largest m of which at least ``share`` of the m most frequent items are expected to be recovered, or 0.

    recovered: P at the nodes of the items. That of one draw is another one where it is a few dozen items or
    less: luck of single items decides it.
    """
    ranks = np.cumsum(items.weight)
    excess = np.cumsum(items.weight * (recovered - share))
    enough = np.flatnonzero(excess >= -1e-9 * ranks)
    if not enough.size:
        return 0.0
    last = int(enough[-1])
    if last + 1 == ranks.size:
        return float(ranks[-1])
    return float(np.interp(0.0, excess[[last + 1, last]], ranks[[last + 1, last]]))
