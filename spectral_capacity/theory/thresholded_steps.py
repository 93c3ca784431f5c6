"""Several steps of Muon on thresholded gradients, predicted from frequencies, dimension and competitors alone.

The thresholded gradient of step t is Σ p_i v_i u_iᵀ over the items that no step before has recovered
(arXiv:2603.26554, Eq. 7). The derivation, and what is left out, are in docs/theory.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.joint_maxima import JointMaxima
from spectral_capacity.theory.polar_resolvent import PolarResolvent

GRID_RANKS = 110
"""Ranks at which probabilities are computed, evenly spaced in log rank; others are interpolated."""


@dataclass(frozen=True)
class StepsPrediction:
    """What a memory is expected to recall after each step t, item by item: arrays over the nodes of ``items``.

    recovered: P(item is recovered after step t). unlearnt: P(no step before t has recovered it), the share of it
    that is in the gradient of step t. overlaps: E tr(P_sᵀP_t)/d of the directions of steps s and t. variances:
    V_t, of the competitors' logits after step t, in units of their variance η²/d after one step of the polar map.
    kept: how many items, recovered for the first time by step s, are recovered after step t ≥ s.
    """

    items: Items
    recovered: Float[np.ndarray, "t k"]
    unlearnt: Float[np.ndarray, "t k"]
    overlaps: Float[np.ndarray, "t t"]
    variances: Float[np.ndarray, " t"]
    kept: Float[np.ndarray, "t t"]

    @property
    def counts(self) -> Float[np.ndarray, " t"]:
        """Expected number of recovered items after each step."""
        return self.items.sum(self.recovered)

    @property
    def masses(self) -> Float[np.ndarray, " t"]:
        """Expected Σ p_i over the recovered items after each step."""
        return self.items.sum(self.recovered * self.items.p)

    @property
    def survival(self) -> Float[np.ndarray, "t t"]:
        """Share of the items that step s was the first to recover which are recovered after step t; NaN for t < s."""
        share = self.kept / np.diagonal(self.kept)[:, None]
        return np.where(np.tri(len(share)).T > 0, share, np.nan)


def thresholded_muon(
    items: Items,
    d: int,
    steps: int,
    *,
    n_competitors: float | None = None,
    resolutions: Sequence[float] | None = None,
    draws: int = 2048,
    seed: int = 0,
) -> StepsPrediction:
    """Muon on thresholded gradients at a constant learning rate, from W = 0, isotropic embeddings.

    n_competitors: N − 1, where ``items`` have no end (None: all the others). resolutions: λ_t of the smoothed
    polar map z/√(z² + λ²) at each step, in units of the gradient's singular values (None: the polar map).
    The learning rate plays no part. Averages over what an item's own embeddings and its competitors contribute
    are taken over ``draws`` quasi-random points, the same for every rank: deterministic for a ``seed``.

    Raises ValueError when a gradient has no more than d items left, and for items without end whose
    competitors are not given. Left out: that items which are still in the gradient are those with
    unlucky noise, an effect of a few per cent at d = 64.
    """
    others = items.number - 1 if n_competitors is None else n_competitors
    if not math.isfinite(others):
        raise ValueError("items without end need a number of competitors: give n_competitors")
    ranks = np.geomspace(1, min(items.rank[-1], max(20.0 * d**2, 1e3)), GRID_RANKS)
    p = np.append(items.at_ranks(items.p, ranks), 0.0)
    paths = _Paths(p, steps)
    draw = _Draws(p, d, steps, others, draws, seed)
    chance = 0.0 if items.endless else 1 / (others + 1)

    def at_items(values: Float[np.ndarray, " k"], level: float) -> Float[np.ndarray, " n"]:
        """Shares at every item, from those on the grid: chance, the last value, is known to be ``level``."""
        above = np.interp(np.log(items.rank), np.log(ranks), values[:-1] - values[-1], right=0.0)
        return above + level

    unlearnt, recovered = [np.ones_like(items.p)], []
    for t in range(steps):
        weight = items.weight * unlearnt[t]
        resolution = 0.0 if resolutions is None else resolutions[t]
        resolvent = PolarResolvent(items.p, weight, d, resolution=resolution)
        luck = [items.weight * at_items(x, 0.0) for x in draw.luck(paths)]
        mixed = resolvent.admixture(np.reshape(luck, (t, items.p.size)), p)
        paths.add(resolvent, weight, mixed)
        draw.step(resolvent, paths, mixed)
        recovered.append(at_items(draw.recovered[t].mean(axis=1), chance))
        unlearnt.append(1 - at_items(1 - draw.fresh.mean(axis=1), (t + 1) * chance))
    kept = np.array(
        [[items.sum(at_items(x, chance if s == t else 0.0)) for t, x in enumerate(row)]
         for s, row in enumerate(draw.kept())]
    )
    overlaps = paths.overlaps
    variances = np.array([overlaps[:t, :t].sum() for t in range(1, steps + 1)])
    return StepsPrediction(
        items, np.array(recovered), np.array(unlearnt[:-1]), overlaps, variances, kept
    )


class _Paths:
    """Second moments of an item's logits, by frequency (k) and by the step f up to which it is in the gradients.

    own: covariance (f, k, s, t) of the noise of its own logit. competitors: that of its competitors' logits.
    Arrays grow step by step; at f and p = 0 both are the overlaps of the directions.
    """

    def __init__(self, p: Float[np.ndarray, " k"], steps: int) -> None:
        self.p, self.steps = p, steps
        self.size = 0
        self.own = np.zeros((steps, p.size, steps, steps))
        self.competitors = np.zeros((steps, p.size, steps, steps))
        self._resolvents: list[PolarResolvent] = []

    @property
    def overlaps(self) -> Float[np.ndarray, "t t"]:
        """E tr(P_sᵀP_t)/d of the steps made."""
        return self.own[0, -1, : self.size, : self.size]

    def add(
        self,
        resolvent: PolarResolvent,
        weight: Float[np.ndarray, " n"],
        mixed: Float[np.ndarray, "s k"],
    ) -> None:
        """One more step."""
        t = self.size
        self._resolvents.append(resolvent)
        last = np.arange(self.steps)[:, None]
        a, b, c = resolvent.screened(self.p)
        for s, earlier in enumerate(self._resolvents):
            turn, stay = earlier.ladders(resolvent, weight)
            a_s, b_s, c_s = earlier.screened(self.p)
            out = turn @ resolvent.measure
            both = earlier.measure @ out
            own_in = ((c_s @ turn) * c).sum(axis=1)
            all_in = ((a_s @ turn) * a + (b_s @ stay) * b).sum(axis=1)
            own = np.where(t <= last, own_in, np.where(s <= last, c_s @ out, both))
            competitors = np.where(t <= last, all_in, np.where(s <= last, a_s @ out, both))
            if s < t:
                for r in range(t):
                    kappa = np.where(t <= last, mixed[r], mixed[r, -1])
                    own = own + kappa * self.own[:, :, s, r]
                    competitors = competitors + kappa * self.competitors[:, :, s, r]
            self.own[:, :, s, t] = self.own[:, :, t, s] = own
            self.competitors[:, :, s, t] = self.competitors[:, :, t, s] = competitors
        self.size += 1


class _Draws:
    """Logits of items of frequencies ``p`` (k,), for draws of what is random about them, step by step.

    recovered: after each step, whether the item is recovered (k, draws). fresh: never so far.
    """

    def __init__(
        self,
        p: Float[np.ndarray, " k"],
        d: int,
        steps: int,
        others: float,
        draws: int,
        seed: int,
    ) -> None:
        from scipy.special import chdtri, ndtri
        from scipy.stats import qmc

        generator = np.random.default_rng(seed)
        points = qmc.Sobol(steps + 2, rng=generator).random(draws)
        points = np.clip(points, 1e-12, 1 - 1e-12)
        self.p = p
        self.length = np.sqrt(chdtri(d, points[:, 0]))  # √d |v|, chi of d degrees
        self.strength = self.length * np.sqrt(chdtri(d, points[:, 1])) / d  # |u||v|
        self.noise = ndtri(points[:, 2:])
        self.maxima = JointMaxima(others, draws, generator)
        self.fresh = np.ones((p.size, draws), bool)
        self.recovered: list[Bool[np.ndarray, "k draws"]] = []
        self.first: list[Bool[np.ndarray, "k draws"]] = []
        self.last = np.zeros((p.size, draws), int)  # step up to which it is in the gradients
        self.logit = np.zeros((p.size, draws))
        self.spikes: list[Float[np.ndarray, "k draws"]] = []
        self.own: list[Float[np.ndarray, "k draws"]] = []

    def step(self, resolvent: PolarResolvent, paths: _Paths, mixed) -> None:
        """One more step along the direction of ``resolvent``."""
        t = paths.size - 1
        self.last = np.where(self.fresh, t, self.last)
        k = np.arange(self.p.size)[:, None]
        table = np.geomspace(self.p[-2] / 4, self.p[0] * 4, 150)
        strength = self.p[:-1, None] * self.strength
        S = np.interp(np.log(strength), np.log(table), resolvent.response(table))
        S = np.concatenate([S, np.zeros_like(S[:1])]) * self.length
        spike = np.where(self.fresh, S, 0.0)
        past, now = paths.own[:, :, :t, :t], paths.own[:, :, :t, t]
        slope = np.linalg.solve(past + 1e-9 * np.eye(t), now[..., None])[..., 0]
        rest = np.sqrt(np.clip(paths.own[:, :, t, t] - (slope * now).sum(-1), 0, None))
        own = rest[self.last, k] * self.noise[:, t]
        for r in range(t):
            own += slope[self.last, k, r] * self.own[r]
            spike += np.where(self.fresh, mixed[r][:, None], mixed[r, -1]) * self.spikes[r]
        self.own.append(own)
        self.spikes.append(spike)
        self.logit += spike + own
        variance = paths.competitors[:, :, : t + 1, : t + 1].sum(axis=(2, 3))
        largest = self.maxima.next(_correlation_of_sums(paths.overlaps))
        recovered = self.logit > np.sqrt(variance)[self.last, k] * largest
        self.recovered.append(recovered)
        self.first.append(recovered & self.fresh)
        self.fresh = self.fresh & ~recovered

    def luck(self, paths: _Paths) -> Float[np.ndarray, "t k"]:
        """E[R⁻¹ g; still in the gradient], g the item's noise at each step and R its covariance."""
        if not self.own:
            return np.zeros((0, self.p.size))
        own = np.array([(g * self.fresh).mean(axis=1) for g in self.own])
        return np.linalg.solve(paths.overlaps, own)

    def kept(self) -> list[list[Float[np.ndarray, " k"]]]:
        """P(recovered for the first time by step s, and recovered after step t), for all s and t ≥ s; zero else."""
        never = np.zeros(self.p.size)
        return [
            [(first & now).mean(axis=1) if t >= s else never for t, now in enumerate(self.recovered)]
            for s, first in enumerate(self.first)
        ]


def _correlation_of_sums(covariance: Float[np.ndarray, "t t"]) -> Float[np.ndarray, "t t"]:
    """Correlations of x_1, x_1 + x_2, …, from the covariances of the x."""
    sums = covariance.cumsum(axis=0).cumsum(axis=1)
    scale = np.sqrt(np.diagonal(sums))
    return sums / np.outer(scale, scale)
