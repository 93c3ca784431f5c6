"""What an optimizer is given: a gradient with its singular value decomposition, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from spectral_capacity.memory.moments import Moments


@dataclass(frozen=True)
class StepContext:
    """What a rule may know beside the gradient.

    d: embedding dimension. alpha: exponent of the item frequencies. batch_size: samples behind the
    gradient, inf for the population. step: 1 for the first update. moments: second moments of the
    embeddings, computed when asked for. steps: of the whole run.
    """

    d: int
    alpha: float
    batch_size: float
    step: int = 1
    moments: Moments | None = None
    steps: int = 1


class Gradient:
    """A negative gradient G, (d, d) float64, and its singular value decomposition, made once.

    ``left``, ``singular_values`` and ``right`` span the numerical range only:
    G ≈ left @ diag(singular_values) @ right, singular values descending and above d·ε·σ_max and the
    ``error`` that G came with. What lies below is rounding; a map that lifts small singular values would
    add random directions.
    """

    def __init__(self, matrix: Float[np.ndarray, "d d"], error: float = 0.0) -> None:
        self.matrix = matrix
        self.error = error

    @cached_property
    def _decomposition(self):
        left, sigma, right = np.linalg.svd(self.matrix)
        threshold = max(sigma[0] * sigma.size * np.finfo(np.float64).eps, self.error)
        rank = int((sigma > threshold).sum())
        for factor in (left, sigma, right):  # shared by all who ask: a map must not edit them
            factor.setflags(write=False)
        return left[:, :rank], sigma, right[:rank]

    @property
    def left(self) -> Float[np.ndarray, "d r"]:
        return self._decomposition[0]

    @property
    def right(self) -> Float[np.ndarray, "r d"]:
        return self._decomposition[2]

    @property
    def singular_values(self) -> Float[np.ndarray, " r"]:
        return self._decomposition[1][: self.rank]

    @property
    def rank(self) -> int:
        """Dimension of the numerical range."""
        return self._decomposition[0].shape[1]

    def with_singular_values(self, values: Float[np.ndarray, " r"]) -> Float[np.ndarray, "d d"]:
        """The matrix with the singular vectors of G and these singular values."""
        return (self.left * values) @ self.right
