"""Eigenvalues of a diagonal matrix plus a matrix of rank one, and what they weigh in its vector."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

ITERATIONS = 50
"""At most; six are usual."""


class RankOneUpdate:
    """K = diag(λ) + p e eᵀ at any p > 0, from its secular equation: O(n²), where LAPACK's eigh is O(n³).

    poles: λ, distinct and increasing. weight: e_k², positive. The eigenvalues μ_i ∈ (λ_i, λ_{i+1}) solve

        1/p + Σ_k e_k²/(λ_k − μ) = 0,   (eᵀq_i)² = 1/(p² Σ_k e_k²/(λ_k − μ_i)²),

    q_i the unit eigenvectors. Solved for all i at once by the iteration of Bunch, Nielsen and Sorensen (Numer.
    Math. 31, 1978): poles below and above μ_i are each replaced by one at λ_i and λ_{i+1} of the same value and
    slope, and a quadratic equation is left. The unknown is the distance from λ_i, to keep relative accuracy.
    """

    def __init__(self, poles: Float[np.ndarray, " n"], weight: Float[np.ndarray, " n"]) -> None:
        self._poles, self._weight = poles, weight
        self._from = poles - poles[:, None]  # λ_k − λ_i
        self._gap = np.diff(poles, append=np.inf)
        self._below = np.tril(np.ones((poles.size, poles.size))) * weight
        self._above = weight - self._below

    def spectrum(self, p: float) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Eigenvalues μ_i, increasing, and the weights (eᵀq_i)² of the eigenvectors, which sum to Σ e_k²."""
        gap = np.minimum(self._gap, p * self._weight.sum())
        shift = np.minimum(p * self._weight, gap / 2)
        for _ in range(ITERATIONS):
            previous, shift = shift, self._improved(shift, gap, p)
            if (np.abs(shift - previous) <= 1e-13 * shift).all():
                break
        square = np.square(1 / (self._from - shift[:, None])) @ self._weight
        return self._poles + shift, 1 / (p**2 * square)

    def _improved(
        self, shift: Float[np.ndarray, " n"], gap: Float[np.ndarray, " n"], p: float
    ) -> Float[np.ndarray, " n"]:
        inverse = 1 / (self._from - shift[:, None])
        square = inverse**2
        below, above, d_below, d_above = (
            np.einsum("ik,ik->i", values, weight)
            for values in (inverse, square)
            for weight in (self._below, self._above)
        )
        left, right = d_below * shift**2, d_above * (gap - shift) ** 2
        rest = 1 / p + below + d_below * shift + above - d_above * (gap - shift)
        # rest − left/y + right/(gap − y) = 0: the root between 0 and gap, without cancellation.
        linear = rest * gap + left + right
        root = np.sqrt((rest * gap - left + right) ** 2 + 4 * left * right)
        positive = linear > 0
        return np.where(
            positive,
            2 * left * gap / np.where(positive, linear + root, 1),
            (linear - root) / np.where(positive, 1, 2 * rest),
        )
