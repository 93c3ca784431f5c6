"""Means and covariances of an item's logits over several steps of a polar map, by its frequency and fate."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.polar_resolvent import PolarResolvent


class LogitMoments:
    """Of items of frequencies ``p`` (k,) that are in the gradients of the steps 0 … f and in none after them.

    Logits are in units of η|u|/√d, those of a step along a polar factor's competitors. Grown by :meth:`add`:
    own: covariance (f, k, s, t) of the noise that steps s and t give to the item's own logit.
    competitors: of what they give to any competitor's. mixed: (s, k) for each step, what of direction s is
    in that of the step (:meth:`PolarResolvent.admixture`). The last p must be 0, an item that is in no
    gradient: its covariances are the overlaps of the directions.
    """

    def __init__(self, p: Float[np.ndarray, " k"], steps: int) -> None:
        self.p = p
        self.resolvents: list[PolarResolvent] = []
        self.mixed: list[Float[np.ndarray, "s k"]] = []
        self.own = np.zeros((steps, p.size, steps, steps))
        self.competitors = np.zeros((steps, p.size, steps, steps))
        # Noise of an item outside of the gradient of s, with that of one inside of the gradients of both.
        self._outside = np.zeros((p.size, steps, steps))
        self._last = np.arange(steps)[:, None]

    @property
    def overlaps(self) -> Float[np.ndarray, "t t"]:
        """E tr(P_sᵀP_t)/d of the steps made."""
        t = len(self.resolvents)
        return self.own[0, -1, :t, :t]

    def variance(self) -> Float[np.ndarray, "f k"]:
        """Of a competitor's logit after the steps made."""
        t = len(self.resolvents)
        return self.competitors[:, :, :t, :t].sum(axis=(2, 3))

    def add(
        self,
        resolvent: PolarResolvent,
        weight: Float[np.ndarray, " n"],
        excess: Float[np.ndarray, "s n"],
    ) -> None:
        """One more step: its gradient, how many items of each frequency are in it, and their luck so far."""
        t = len(self.resolvents)
        mixed, _ = resolvent.admixture(excess, self.p)
        self.resolvents.append(resolvent)
        self.mixed.append(mixed)
        kappa = np.where(t <= self._last, mixed[:, None], mixed[:, None, -1:])  # (s, f, k)
        for s in range(t + 1):
            self._pair(s, t, weight, kappa)

    def luck(self, noise: Float[np.ndarray, "t k"]) -> Float[np.ndarray, "t k"]:
        """E[Q⁻¹ e] of items whose own noise at the steps made has the mean ``noise``, all in the gradients.

        e are their v_iᵀP_s u_i at every s if they had been in no gradient, and Q the overlaps: what each
        direction gains from such items, by linear regression.
        """
        t = len(self.resolvents)
        own = self.own[t - 1, :, :t, :t]
        regressed = np.linalg.solve(own, noise.T[..., None])
        outside = (self._outside[:, :t, :t] @ regressed)[..., 0]
        return np.linalg.solve(self.overlaps, outside.T)

    def _pair(
        self,
        s: int,
        t: int,
        weight: Float[np.ndarray, " n"],
        kappa: Float[np.ndarray, "r f k"],
    ) -> None:
        """Covariances of step t with step s ≤ t."""
        earlier, later = self.resolvents[s], self.resolvents[t]
        turn, stay = earlier.ladders(later, weight)
        to_inputs, to_outputs, to_noise = later.screened(self.p)
        from_inputs, from_outputs, from_noise = earlier.screened(self.p)
        right, left = turn @ later.measure, earlier.measure @ turn
        neither = earlier.measure @ right
        both = ((from_noise @ turn) * to_noise).sum(axis=1)
        both += earlier.spread_of_signals(later, stay, self.p)
        own = self._by_fate(s, t, both, from_noise @ right, neither)
        both = ((from_inputs @ turn) * to_inputs + (from_outputs @ stay) * to_outputs).sum(axis=1)
        competitors = self._by_fate(s, t, both, from_inputs @ right, neither)
        of_earlier, of_later = to_noise @ left, from_noise @ right
        if s < t:
            for r, mixed in enumerate(self.mixed[t]):
                own += kappa[r] * self.own[:, :, s, r]
                competitors += kappa[r] * self.competitors[:, :, s, r]
                of_earlier = of_earlier + mixed * self._outside[:, s, r]
                of_later = of_later + mixed[-1] * self._outside[:, r, s]
        self.own[:, :, s, t] = self.own[:, :, t, s] = own
        self.competitors[:, :, s, t] = self.competitors[:, :, t, s] = competitors
        self._outside[:, t, s], self._outside[:, s, t] = of_later, of_earlier

    def _by_fate(
        self,
        s: int,
        t: int,
        both: Float[np.ndarray, " k"],
        first: Float[np.ndarray, " k"],
        neither: Float[np.floating, ""] | float,
    ) -> Float[np.ndarray, "f k"]:
        """In the gradients of both steps, of the first only, or of neither."""
        return np.where(t <= self._last, both, np.where(s <= self._last, first, neither))
