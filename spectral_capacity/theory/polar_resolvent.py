"""Deterministic equivalents of the polar factor of Σ_i b_i p_i v_i u_iᵀ, and of two that share items.

u, v ~ N(0, I_d/d), independent. Everything follows from the Stieltjes transform m(t) of the singular values,
m(t) = (1/d) tr t(t² + GGᵀ)⁻¹, which for large d solves t m + f(m) = 1 with f(m) = (1/d) Σ_i b_i p_i²m²/(1 + p_i²m²),
and from P = (2/π) ∫₀^∞ (t² + GGᵀ)⁻¹ G dt. Derivations: docs/theory.md.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

LOG_STEP = 0.4
"""Of the nodes in log s. All integrands are analytic for |Im log s| < π/2: the rule's error is about e^(−π²/0.4)."""


class PolarResolvent:
    """m(t) at the nodes of ∫₀^∞ ds with t² = s² + λ², for the map h_λ(z) = z/√(z² + λ²); λ = 0 is the polar map.

    p, weight: frequencies, and how many items of each are in the gradient. resolution: λ, in units of the
    gradient's singular values. Raises ValueError when no more than d items are: such a gradient has singular
    values of zero, which these equations do not cover.

    nodes: m at each node. measure: weights of (2/π) ∫ ds.
    """

    def __init__(
        self,
        p: Float[np.ndarray, " n"],
        weight: Float[np.ndarray, " n"],
        d: int,
        *,
        resolution: float = 0.0,
    ) -> None:
        number = weight[p > 0].sum()
        if not number > d:
            raise ValueError(
                f"a gradient of {number:.6g} items at d = {d}: the prediction needs more than d of them"
            )
        self.d = d
        self._p, self._squares, self._weight = p, p**2, weight / d
        largest_m = math.exp(self._log_m(np.zeros(1))[0])  # t = 0, where f(m) = 1
        lowest = math.log(max(1 / largest_m, resolution)) - 14
        highest = math.log(max(p.max(), resolution)) + 14
        s = np.exp(np.arange(lowest, highest + LOG_STEP, LOG_STEP))
        self.measure = (2 / np.pi) * LOG_STEP * s
        self.nodes = np.exp(self._log_m(np.hypot(s, resolution)))

    def response(self, p: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """S(p) = (2/π) ∫ p m²/(1 + p²m²) ds: vᵀP u/(|u||v|) of an item of frequency p in the gradient, on average.

        At most 1: a memory saturates.
        """
        pm = p[:, None] * self.nodes
        return (pm / (1 + pm**2)) @ (self.nodes * self.measure)

    def ladders(
        self, other: PolarResolvent, shared: Float[np.ndarray, " n"]
    ) -> tuple[Float[np.ndarray, "k l"], Float[np.ndarray, "k l"]]:
        """(1/d) E tr of two resolvents at all pairs of nodes, of gradients that have ``shared`` items in common.

        First of (t² + GGᵀ)⁻¹G with that of G', X = μ²A/((1 − μB)² − μ²A²), then of t(t² + GGᵀ)⁻¹ with that of
        G', Y = μ(1 − μB)/((1 − μB)² − μ²A²). μ = m m', A = (1/d) Σ p²/(q q'), B = (μ/d) Σ p⁴/(q q'),
        q = 1 + p²m²: both cross the same items, and at each either turn from inputs to outputs (A) or stay (B).
        """
        squares, weight = self._squares, shared / self.d
        q = 1 / (1 + self.nodes[:, None] ** 2 * squares)
        q_other = 1 / (1 + other.nodes[:, None] ** 2 * squares)
        mu = np.outer(self.nodes, other.nodes)
        turn = mu * ((q * (weight * squares)) @ q_other.T)
        stay = 1 - mu**2 * ((q * (weight * squares**2)) @ q_other.T)
        determinant = stay**2 - turn**2
        return mu * turn / determinant, mu * stay / determinant

    def screened(self, p: Float[np.ndarray, " k"]) -> tuple[Float[np.ndarray, "k m"], ...]:
        """What an item of frequency p in the gradient makes of the resolvent without it, at each node.

        Weights, with the measure, of P u = Σ a Ku + b Rv and of the noise vᵀPu − E vᵀPu = Σ c vᵀKu, where
        K = (t² + GGᵀ)⁻¹G and R = t(t² + GGᵀ)⁻¹ know nothing of the item: a = 1/q, b = pm/q, c = (2 − q)/q².
        """
        pm = p[:, None] * self.nodes
        q = 1 + pm**2
        return self.measure / q, self.measure * pm / q, self.measure * (2 - q) / q**2

    def admixture(
        self, excess: Float[np.ndarray, "s n"], p: Float[np.ndarray, " k"]
    ) -> Float[np.ndarray, "s k"]:
        """How much of some other directions Q is in P, seen by an item of frequency p in the gradient.

        excess: e_i = √d Σ v_iᵀQ u_i over the items at each node, for each Q, less what is there by their being in the
        gradient of Q. It adds θ(m) Q to the gradient, θ = d^(−3/2) Σ e_i p_i/(1 + p_i²m²), and
        to first order κ Q to P, with vᵀP u raised by vᵀQ u times (2/π) ∫ m² θ (1 − p²m²)/(1 + p²m²)² ds, which
        is κ at p = 0.
        """
        screened = self._p / (1 + self.nodes[:, None] ** 2 * self._squares)
        theta = excess @ screened.T / self.d**1.5
        return (theta * self.nodes**2) @ self.screened(p)[2].T

    def _log_m(self, t: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """log m at each t ≥ 0: bisection on t m + f(m) = 1, which increases in m."""
        low = np.full(t.shape, -math.log(t.max() + 1) - math.log(4) )
        high = np.full(t.shape, 200.0)
        for _ in range(60):
            middle = (low + high) / 2
            m = np.exp(middle)
            x = m[:, None] ** 2 * self._squares
            below = t * m + (x / (1 + x)) @ self._weight < 1
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2
