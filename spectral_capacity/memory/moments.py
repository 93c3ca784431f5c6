"""Second moments of embeddings: what a preconditioner may ask for (NumPy only)."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float


class Moments(ABC):
    """What a preconditioner may ask for, (d, d) float64 each; every one costs as much as a gradient."""

    @property
    @abstractmethod
    def output_covariance(self) -> Float[np.ndarray, "d d"]:
        """A_v = (1/N) Σ_j (v_j − v̄)(v_j − v̄)ᵀ."""

    @property
    @abstractmethod
    def input_moment(self) -> Float[np.ndarray, "d d"]:
        """C_u = Σ_i q_i u_i u_iᵀ with the weights q_i of this gradient."""


def numerical_range(
    A: Float[np.ndarray, "d d"],
) -> tuple[Float[np.ndarray, " r"], Float[np.ndarray, "d r"]]:
    """Eigenvalues above d·ε·λ_max of a positive semidefinite A, and their eigenvectors."""
    values, vectors = np.linalg.eigh(A)
    used = values > max(values[-1], 0.0) * values.size * np.finfo(np.float64).eps
    return values[used], vectors[:, used]
