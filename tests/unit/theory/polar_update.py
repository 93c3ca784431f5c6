"""The polar factor of a gradient with one more item, from the gradient's singular values and vectors, exactly.

A check on the predictions that need neither.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float


class PolarUpdate:
    """polar(G + p v uᵀ)u for any p, with G = A diag(σ) Bᵀ and drawn (u, v), from the SVD of G alone.

    singular_values: σ, of full rank. x = Aᵀv and y = Bᵀu: draws of (u, v) that G does not know, (s, d). From
    sign(H) = (2/π) ∫ H/(H² + t²) dt, 0 < t < ∞, and Woodbury's formula for a rank-two update,

        z_a = (2/π) ∫ [(1 + pε)/Q · σ_a y_a/(t² + σ_a²) + p m_u/Q · t x_a/(t² + σ_a²)] dt,
        m_v = Σ t x_a²/(t² + σ_a²),  m_u = Σ t y_a²/(t² + σ_a²),  ε = Σ σ_a x_a y_a/(t² + σ_a²),
        Q = (1 + pε)² + p² m_u m_v,

    exact for every draw, but for the quadrature: trapezoidal in log t, about 1e-4 of |z|.
    """

    def __init__(
        self,
        singular_values: Float[np.ndarray, " d"],
        x: Float[np.ndarray, "s d"],
        y: Float[np.ndarray, "s d"],
        *,
        nodes: int = 200,
    ) -> None:
        low, high = singular_values.min() * 1e-4, singular_values.max() * 1e4
        if low <= 0:
            raise ValueError(
                "the gradient has singular values that are zero; it must have full rank"
            )
        log_t = np.linspace(math.log(low), math.log(high), nodes)
        self._t = np.exp(log_t)
        self._dt = (2 / math.pi) * (log_t[1] - log_t[0]) * self._t
        self._dt[[0, -1]] /= 2
        self._dt[0] += (2 / math.pi) * self._t[0]
        self._kernel = 1 / (self._t[:, None] ** 2 + singular_values**2)
        self._sigma, self._x, self._y = singular_values, x, y
        self._m_v = (x**2 @ self._kernel.T) * self._t
        self._m_u = (y**2 @ self._kernel.T) * self._t
        self._epsilon = (x * y * singular_values) @ self._kernel.T

    def output(self, p: float) -> Float[np.ndarray, "s d"]:
        """z for items of frequency p, in the basis A."""
        one = 1 + p * self._epsilon
        Q = one**2 + p**2 * self._m_u * self._m_v
        noise = (one / Q * self._dt) @ self._kernel * self._sigma * self._y
        return noise + (p * self._m_u / Q * self._dt * self._t) @ self._kernel * self._x
