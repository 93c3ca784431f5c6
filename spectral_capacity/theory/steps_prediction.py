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


@dataclass(frozen=True)
class MuonSteps(StepsPrediction):
    """The same of steps along polar factors P_t, at a constant learning rate η.

    overlaps: E tr(P_sᵀP_t)/d of the directions of steps s and t. One is that of two equal directions; where it
    is negative a step takes back a part of an earlier one.
    """

    overlaps: Float[np.ndarray, "t t"]

    @property
    def variances(self) -> Float[np.ndarray, " t"]:
        """V_t = Σ_{r,s ≤ t} overlaps = ‖W_t‖²/(η² d), of the logits that compete with an item of the tail, in
        η²|u|²/d."""
        return np.diagonal(self.overlaps.cumsum(axis=0).cumsum(axis=1)).copy()
