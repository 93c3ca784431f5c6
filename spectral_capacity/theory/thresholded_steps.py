"""Several steps of Muon on thresholded gradients, predicted from frequencies, dimension and competitors alone.

The thresholded gradient of a step is Σ p_i v_i u_iᵀ over the items that no step before has recovered
(arXiv:2603.26554, Eq. 7). The derivation, and what is left out, are in docs/theory.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.joint_maxima import JointMaxima, correlation
from spectral_capacity.theory.logit_moments import LogitMoments
from spectral_capacity.theory.polar_resolvent import PolarResolvent
from spectral_capacity.theory.recovery import competitors_of
from spectral_capacity.theory.steps_prediction import MuonSteps

GRID = 110
"""Ranks at which probabilities are computed, evenly spaced in log rank; others are interpolated."""


@dataclass(frozen=True)
class ThresholdedSteps(MuonSteps):
    """What a memory is expected to recall after each step t, item by item: arrays over the nodes of ``items``.

    unlearnt: P(no step before t has recovered it), its share in the gradient of step t. head_variance: V_t of
    the logits that compete with the most frequent item after step t, in units of η²|u|²/d; √d against k_N √V_t,
    k_N the maximum of N normals, says whether the head is kept. kept: how many items that step s was the first
    to recover are recovered after step t ≥ s.
    """

    unlearnt: Float[np.ndarray, "t k"]
    head_variance: Float[np.ndarray, " t"]
    kept: Float[np.ndarray, "t t"]

    @property
    def survival(self) -> Float[np.ndarray, "s t"]:
        """Share of the items first recovered by step s that are recovered after t; NaN for t < s."""
        share = self.kept / np.diagonal(self.kept)[:, None]
        return np.where(np.tri(len(share), dtype=bool).T, share, np.nan)


def thresholded_muon(
    items: Items,
    d: int,
    steps: int,
    *,
    n_competitors: float | int | None = None,
    resolutions: Sequence[float] | None = None,
    draws: int = 4096,
    seed: int = 0,
) -> ThresholdedSteps:
    """Muon on thresholded gradients at a constant learning rate, from W = 0, isotropic embeddings.

    n_competitors: N − 1 (None: all other items; to be given for items without end). resolutions: λ_t of the
    smoothed polar map z/√(z² + λ²) at each step, in units of the gradient's singular values (None: the polar
    map). The learning rate plays no part. Averages over an item's own embeddings and its competitors are taken
    over ``draws`` quasi-random points (a power of two), the same for all ranks: the result depends on ``seed``,
    by 0.1 % at the first step and 0.8 % at most at the fourth, and on nothing else.

    To leading order in 1/d, with the lengths of embeddings and the selection of unlucky items to first order.
    Left out: terms of order 1/d, and v̄. Raises ValueError when a gradient has no more than d items left, and
    for items without end whose competitors are not given.
    """
    others = competitors_of(items, n_competitors)
    # No memory holds more than about d²/20 items; and p = 0, whose shares are those of chance.
    ranks = np.geomspace(1, min(items.rank[-1], max(20.0 * d**2, 1e3)), GRID)
    p = np.append(items.at_ranks(items.p, ranks), 0.0)
    chance = 0.0 if items.endless else 1 / (others + 1)

    def at_items(shares: Float[np.ndarray, " k"], chance: float = 0.0) -> Float[np.ndarray, " n"]:
        """Shares of all items from those on the grid, of which the last one is known to be ``chance``."""
        excess = shares[:-1] - shares[-1]
        return np.interp(np.log(items.rank), np.log(ranks), excess, right=0.0) + chance

    moments = LogitMoments(p, steps)
    particles = _Particles(p, d, steps, others, draws, seed)
    active, luck = np.ones_like(items.p), np.zeros((0, items.p.size))
    recovered, unlearnt = [], [np.ones_like(items.p)]
    for t in range(steps):
        weight = items.weight * active
        resolution = 0.0 if resolutions is None else resolutions[t]
        resolvent = PolarResolvent(items.p, weight, d, resolution=resolution)
        moments.add(resolvent, weight, items.weight * luck)
        particles.step(moments)
        recovered.append(np.clip(at_items(particles.probabilities[t], chance), 0, 1))
        learnt = at_items(1 - particles.share_of(1.0), (t + 1) * chance)
        unlearnt.append(np.clip(1 - learnt, 0, 1))
        active = np.clip(1 - at_items(1 - particles.share_of(particles.strength**2)), 0, 1)
        noise = np.array([particles.share_of(own) for own in particles.own])
        luck = np.array([at_items(x) for x in moments.luck(noise)])

    kept = [
        [
            items.sum(np.clip(at_items(share, chance * (s == t)), 0, 1))
            for t, share in enumerate(row)
        ]
        for s, row in enumerate(particles.kept())
    ]
    head = np.diagonal(moments.competitors[0, 0].cumsum(axis=0).cumsum(axis=1)).copy()
    return ThresholdedSteps(
        items,
        np.array(recovered),
        overlaps=moments.overlaps,
        unlearnt=np.array(unlearnt[:-1]),
        head_variance=head,
        kept=np.array(kept),
    )


class _Particles:
    """Items of frequencies p (k,), for draws of all that is random about them, step by step.

    strength: |u||v| (draws,). recovered: after each step (k, draws), and its mean, the probabilities (k,).
    own: noise of the own logit at each step.
    """

    def __init__(
        self,
        p: Float[np.ndarray, " k"],
        d: int,
        steps: int,
        others: float | int,
        draws: int,
        seed: int,
    ) -> None:
        from scipy.special import chdtri, ndtri
        from scipy.stats import qmc

        generator = np.random.default_rng(seed)
        points = qmc.Sobol(steps + 2, rng=generator).random(draws).clip(1e-12, 1 - 1e-12)
        self._p = p
        self._length = np.sqrt(chdtri(d, points[:, 0]))  # √d|v|
        self.strength = self._length * np.sqrt(chdtri(d, points[:, 1])) / d
        self._normal = ndtri(points[:, 2:])
        self._maxima = JointMaxima(others, draws, generator)
        self._fresh = np.ones((p.size, draws), bool)
        self._last = np.zeros((p.size, draws), int)
        self._logit = np.zeros((p.size, draws))
        self._signals: list[Float[np.ndarray, "k draws"]] = []
        self._first: list[Bool[np.ndarray, "k draws"]] = []
        self.own: list[Float[np.ndarray, "k draws"]] = []
        self.probabilities: list[Float[np.ndarray, " k"]] = []
        self.recovered: list[Bool[np.ndarray, "k draws"]] = []

    def step(self, moments: LogitMoments) -> None:
        """The step that ``moments`` was given last."""
        from scipy.special import ndtr

        t = len(self.recovered)
        self._last[self._fresh] = t
        fate = self._last, np.arange(self._p.size)[:, None]  # into arrays (f, k, …)
        known, scale = self._noise(moments, fate)
        new = scale * self._normal[:, t]
        self.own.append(known + new)
        self._signals.append(self._signal(moments))
        self._logit += self.own[t] + self._signals[t]
        largest = self._maxima.next(correlation(moments.overlaps.cumsum(axis=0).cumsum(axis=1)))
        margin = self._logit - np.sqrt(moments.variance())[fate] * largest
        # What is new in the noise of this step is averaged over by its law.
        smooth = ndtr((margin - new) / np.maximum(scale, 1e-6))
        self.probabilities.append(smooth.mean(axis=1))
        recovered = margin > 0
        self.recovered.append(recovered)
        self._first.append(recovered & self._fresh)
        self._fresh = self._fresh & ~recovered

    def share_of(self, values: np.ndarray | float) -> Float[np.ndarray, " k"]:
        """E[value; never recovered so far]."""
        return (self._fresh * values).mean(axis=1)

    def kept(self) -> list[list[Float[np.ndarray, " k"]]]:
        """P(recovered for the first time by step s, and recovered after step t), zero for t < s."""
        return [
            [(first & now).mean(axis=1) * (t >= s) for t, now in enumerate(self.recovered)]
            for s, first in enumerate(self._first)
        ]

    def _noise(
        self, moments: LogitMoments, fate: tuple
    ) -> tuple[Float[np.ndarray, "k draws"], Float[np.ndarray, "k draws"]]:
        """Noise of the own logit in this step: its mean given the steps before, and the scale of the rest."""
        t = len(self.own)
        past, now = moments.own[:, :, :t, :t], moments.own[:, :, :t, t]
        slope = np.linalg.solve(past + 1e-9 * np.eye(t), now[..., None])[..., 0]
        rest = moments.own[:, :, t, t] - (slope * now).sum(axis=-1)
        known = np.zeros(self._logit.shape)
        for s, own in enumerate(self.own):
            known += slope[..., s][fate] * own
        return known, np.sqrt(np.clip(rest, 0, None))[fate]

    def _signal(self, moments: LogitMoments) -> Float[np.ndarray, "k draws"]:
        """√d|v| S(p|u||v|) of items in the gradient, and what is mixed in of their signals before."""
        p = self._p[:-1]
        table = np.geomspace(p[-1] / 8, p[0] * 8, 200)
        responses = moments.resolvents[-1].response(table)
        own = np.interp(np.log(np.outer(p, self.strength)), np.log(table), responses)
        signal = np.zeros(self._fresh.shape)
        signal[:-1] = np.where(self._fresh[:-1], own * self._length, 0.0)
        for mixed, before in zip(moments.mixed[-1], self._signals, strict=True):
            signal += np.where(self._fresh, mixed[:, None], mixed[-1]) * before
        return signal
