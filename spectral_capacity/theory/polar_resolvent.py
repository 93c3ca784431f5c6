"""Deterministic equivalents of the polar factor P of G = Σ_i b_i p_i v_i u_iᵀ, and of two that share items.

u, v ~ N(0, I_d/d), independent; to leading order in 1/d. Everything follows from the Stieltjes transform
m(t) = (1/d) tr t(t² + GGᵀ)⁻¹ of the singular values, which solves t m + f(m) = 1 with
f(m) = (1/d) Σ_i b_i p_i²m²/(1 + p_i²m²), and from P = (2/π) ∫₀^∞ (t² + GGᵀ)⁻¹ G dt. The smoothed polar map
z/√(z² + λ²) is the same integral over s with t² = s² + λ². Derivations: docs/theory.md.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

LOG_STEP = 0.4
"""Of the nodes in log s. Integrands are analytic for |Im log s| < π/2: an error of about e^(−π²/0.4)."""

REACH = 14.0
"""How far the nodes go beyond the spectrum, in log s; what is cut off is about e^(−14)."""


class PolarResolvent:
    """m(t) of a gradient at the nodes of ∫ ds, and what follows from it.

    p, weight: frequencies, and how many items of each are in the gradient. resolution: λ, in units of the
    gradient's singular values. Raises ValueError when no more than d items are: such a gradient has singular
    values of zero, which these equations do not cover.

    nodes: m at each node. measure: weights of (2/π) ∫ ds. Below, q = 1 + p²m² at a node; K = (t² + GGᵀ)⁻¹G and
    R = t(t² + GGᵀ)⁻¹ are the resolvents of the gradient without the item in question.
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
        bulk = math.exp(-self._log_m(np.zeros(1))[0])  # t = 0, where f(m) = 1
        lowest, highest = math.log(max(bulk, resolution)), math.log(max(p.max(), resolution))
        s = np.exp(np.arange(lowest - REACH, highest + REACH, LOG_STEP))
        self.measure = (2 / np.pi) * LOG_STEP * s
        self.nodes = np.exp(self._log_m(np.hypot(s, resolution)))

    def response(self, p: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """S(p) = (2/π) ∫ pm²/q ds: E vᵀP u of an item in the gradient. At most 1: it saturates."""
        pm = p[:, None] * self.nodes
        return (pm / (1 + pm**2)) @ (self.nodes * self.measure)

    def screened(
        self, p: Float[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, "k m"], Float[np.ndarray, "k m"], Float[np.ndarray, "k m"]]:
        """What an item of frequency p in the gradient makes of the resolvents without it: weights of the nodes.

        P u = ∫ a K u + b R v with a = 1/q, b = pm/q, and the noise of its own logit is ∫ c vᵀK u with
        c = (1 − p²m²)/q². An item outside of the gradient has P u = ∫ K u: p = 0 here.
        """
        pm = p[:, None] * self.nodes
        q = 1 + pm**2
        return self.measure / q, self.measure * pm / q, self.measure * (1 - pm**2) / q**2

    def ladders(
        self, other: PolarResolvent, shared: Float[np.ndarray, " n"]
    ) -> tuple[Float[np.ndarray, "k l"], Float[np.ndarray, "k l"]]:
        """(1/d) E tr of two resolvents, K with K' and R with R', at all pairs of nodes.

        The gradients have ``shared`` items in common. X = μ²A/D and Y = μ(1 − μB)/D with μ = m m',
        D = (1 − μB)² − μ²A², A = (1/d) Σ p²/(q q'), B = (μ/d) Σ p⁴/(q q'): both resolvents cross the
        same items, and at each they both turn from inputs to outputs (A) or both stay (B).
        """
        both, weight = self._p * other._p, shared / self.d
        q = 1 / (1 + self.nodes[:, None] ** 2 * self._squares)
        q_other = 1 / (1 + other.nodes[:, None] ** 2 * other._squares)
        mu = np.outer(self.nodes, other.nodes)
        turn = mu * ((q * (weight * both)) @ q_other.T)
        stay = 1 - mu**2 * ((q * (weight * both**2)) @ q_other.T)
        determinant = stay**2 - turn**2
        return mu * turn / determinant, mu * stay / determinant

    def spread_of_signals(
        self,
        other: PolarResolvent,
        stay: Float[np.ndarray, "k l"],
        p: Float[np.ndarray, " n"],
    ) -> Float[np.ndarray, " n"]:
        """Covariance of √d vᵀP u/|u| of one item in both gradients, beyond what |u| and |v| alone give it.

        vᵀP u = ∫ p m_u m_v/(1 + p² m_u m_v) with m_v = vᵀR v and m_u = uᵀR u, of covariance 2Y/d (``stay``).
        Taken off: the covariance of √d|v| S(p|u||v|), in which only the lengths vary.
        """
        pm, pm_other = p[:, None] * self.nodes, p[:, None] * other.nodes
        w = self.measure * pm / (1 + pm**2) ** 2
        w_other = other.measure * pm_other / (1 + pm_other**2) ** 2
        signal, signal_other = self.response(p), other.response(p)
        mean, mean_other = w @ self.nodes, w_other @ other.nodes
        full = 4 * ((w @ stay) * w_other).sum(axis=1)
        full += signal * signal_other / 2 - signal * mean_other - signal_other * mean
        slope, slope_other = 2 * mean - signal, 2 * mean_other - signal_other  # dS/d log p
        of_v = (signal + slope) * (signal_other + slope_other) / 2
        return full - of_v - slope * slope_other / 2

    def admixture(
        self, excess: Float[np.ndarray, "s n"], p: Float[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, "s k"], Float[np.ndarray, "s k"]]:
        """How much of each of some other directions Q is in P, for an item of frequency p in the gradient.

        excess: e_i = √d Σ v_iᵀQ u_i over the items of each frequency, for each Q, beyond what is there because
        they were in Q's own gradient. It puts θ(m) Q into this one, θ = d^(−3/2) Σ e_i p_i/q_i, and to first
        order κ Q into P: κ = ∫ c m²θ in the item's own logit, and ∫ a m²θ in its competitors'.
        """
        screened = self._p / (1 + self.nodes[:, None] ** 2 * self._squares)
        turned = (excess @ screened.T / self.d**1.5) * self.nodes**2
        to_others, _, to_own = self.screened(p)
        return turned @ to_own.T, turned @ to_others.T

    def _log_m(self, t: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """log m at each t ≥ 0: bisection on t m + f(m) = 1, which increases in m."""
        low = np.full(t.shape, -math.log(t.max() + 4 * math.sqrt(self._squares @ self._weight)))
        high = np.full(t.shape, 200.0)
        for _ in range(50):
            middle = (low + high) / 2
            m = np.exp(middle)
            x = m[:, None] ** 2 * self._squares
            below = t * m + (x / (1 + x)) @ self._weight < 1
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2
