"""What predictions of several steps have in common: recovery of every item after each step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.items import Items


@dataclass(frozen=True)
class StepsPrediction:
    """What a memory is expected to recall after each step t, item by item.

    recovered: P(the item is recovered after step t), at the nodes of ``items``.
    """

    items: Items
    recovered: Float[np.ndarray, "t k"]

    @property
    def counts(self) -> Float[np.ndarray, " t"]:
        """Expected number of recovered items after each step."""
        return self.items.sum(self.recovered)

    @property
    def masses(self) -> Float[np.ndarray, " t"]:
        """Expected Σ p_i over the recovered items after each step."""
        return self.items.sum(self.recovered * self.items.p)
