"""Several steps of gradient descent on thresholded gradients, predicted from frequencies, rates, dimension.

After t steps W = Σ_i A_i v_i u_iᵀ with A_i = p_i Σ_s η_s over the steps up to the first that recovered item
i: the memory of one step with other weights, whose law follows from the steps before. See docs/theory.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.joint_maxima import JointMaxima, correlation
from spectral_capacity.theory.recovery import competitors_of
from spectral_capacity.theory.steps_prediction import StepsPrediction

GRID = 110
"""Ranks at which probabilities are computed, evenly spaced in log rank; others are interpolated."""

HEAD = 1024
"""Most frequent items, whose crosstalk with an item is drawn one by one; that of the others is Gaussian."""


@dataclass(frozen=True)
class GradientSteps(StepsPrediction):
    """What is expected after each step t, item by item: arrays over the nodes of ``items``.

    unlearnt: P(no step before t has recovered it).
    """

    unlearnt: Float[np.ndarray, "t k"]


def thresholded_gradient(
    items: Items,
    d: int,
    learning_rates: Sequence[float],
    *,
    n_competitors: float | int | None = None,
    draws: int = 1024,
    seed: int = 0,
) -> GradientSteps:
    """Gradient descent on thresholded gradients with the rate η_t at step t, isotropic embeddings.

    n_competitors: N − 1 (None: all other items; to be given for items without end). Only ratios of the rates
    matter. ``draws`` quasi-random points (a power of two) stand for an item's embeddings, its crosstalk and its
    competitors; the result depends on ``seed``, by about a per cent, and on nothing else.

    The competitors of a draw are the first :data:`HEAD` items, each with its own weight A_j, and Gaussian
    ones that have no weight: good up to d of about 512, where spikes of rarer ones begin to count. Left out as
    well: that items which are left over have had unlucky noise, and v̄. Raises ValueError for items without
    end whose competitors are not given.
    """
    others = competitors_of(items, n_competitors)
    ranks = np.geomspace(1, min(items.rank[-1], max(20.0 * d**2, 1e3)), GRID)
    p = np.append(items.at_ranks(items.p, ranks), 0.0)
    chance = 0.0 if items.endless else 1 / (others + 1)
    log_rank, log_grid = np.log(items.rank), np.log(ranks)

    def at_items(shares: Float[np.ndarray, " k"], level: float) -> Float[np.ndarray, " n"]:
        excess = shares[:-1] - shares[-1]
        return np.clip(np.interp(log_rank, log_grid, excess, right=0.0) + level, 0, 1)

    particles = _Particles(items, p, ranks, d, others, len(learning_rates), draws, seed)
    recovered, unlearnt = [], [np.ones_like(items.p)]
    for t, rate in enumerate(learning_rates):
        particles.step(rate / max(learning_rates))
        recovered.append(at_items(particles.recovered.mean(axis=1), chance))
        learnt = at_items(1 - particles.fresh.mean(axis=1), (t + 1) * chance)
        unlearnt.append(1 - learnt)
    return GradientSteps(items, np.array(recovered), np.array(unlearnt[:-1]))


class _Particles:
    """Items of frequencies p (k,) for draws of what is random about them. Logits are in units of |u|.

    rates: Σ_s η_s over the steps in whose gradient the item was (k, draws). fresh: never recovered so far.
    recovered: after the last step (k, draws).
    """

    recovered: Bool[np.ndarray, "k draws"]

    def __init__(
        self,
        items: Items,
        p: Float[np.ndarray, " k"],
        ranks: Float[np.ndarray, " m"],
        d: int,
        others: float | int,
        steps: int,
        draws: int,
        seed: int,
    ) -> None:
        from scipy.special import chdtri, ndtri
        from scipy.stats import qmc

        generator = np.random.default_rng(seed)
        points = qmc.Sobol(steps + 2, rng=generator).random(draws).clip(1e-12, 1 - 1e-12)
        self.d, self._items, self._p, self._ranks = d, items, p, ranks
        self._length = np.sqrt(chdtri(d, points[:, 0]) / d)  # |v|
        self._strength = self._length * np.sqrt(chdtri(d, points[:, 1]) / d)  # |u||v|
        self._normal = ndtri(points[:, 2:])
        self.fresh = np.ones((p.size, draws), bool)
        self.rates = np.zeros((p.size, draws))
        self._history: list[Float[np.ndarray, "k draws"]] = []
        self._covariance = np.zeros((steps, steps))  # of all crosstalk
        self._of_tail = np.zeros((steps, steps))
        # Of the head: which particle each item is, √d u_j·u_i/|u_i|, √d v_j·v_i/|v_i|.
        head = np.arange(1.0, min(HEAD, items.rank[-1], others) + 1)
        self._head_p = items.at_ranks(items.p, head)
        self._row = np.abs(np.log(ranks)[:, None] - np.log(head)).argmin(axis=0)
        self._which = generator.integers(0, draws, (draws, head.size))
        self._inputs = generator.standard_normal((draws, head.size), np.float32)
        self._outputs = generator.standard_normal((draws, head.size), np.float32)
        self._noise = generator.standard_normal((steps, draws, head.size), np.float32)
        self._tail = (items.rank > head.size + 0.5).astype(float)
        self._maxima = JointMaxima(max(others - head.size, 1.0), draws, generator)

    def step(self, rate: float) -> None:
        """One more step, at this rate."""
        t, d = len(self._history), self.d
        self.rates = self.rates + rate * self.fresh
        self._history.append(self.rates)
        for s, before in enumerate(self._history):
            self._cross(s, t, (before * self.rates * self._strength**2).mean(axis=1)[:-1])
        covariance = self._covariance[: t + 1, : t + 1]
        typical = math.sqrt(covariance[t, t])
        head = self.rates[self._row, self._which] * self._head_p * self._inputs
        scale = np.sqrt((head**2).sum(axis=1) / d**2 + self._of_tail[t, t])
        own = (head * self._outputs).sum(axis=1) / d
        own += self._normal[:, : t + 1] @ _last_row(self._of_tail[: t + 1, : t + 1])
        noise = np.tensordot(_last_row(covariance) / typical, self._noise[: t + 1], 1)
        largest_of_head = (head / math.sqrt(d) + scale[:, None] * noise).max(axis=1)
        largest = self._maxima.next(correlation(covariance))
        signal = self._p[:, None] * self.rates * self._strength
        largest_of_tail = largest * np.sqrt(scale**2 + signal**2 / d)
        margin = (signal + own) * self._length - np.maximum(largest_of_head, largest_of_tail)
        self.recovered = margin > 0
        self.fresh = self.fresh & ~self.recovered

    def _cross(self, s: int, t: int, products: Float[np.ndarray, " m"]) -> None:
        """Covariance of the crosstalk after steps s and t, Σ_j A_j(s) A_j(t)/d²: of all, and of the tail."""
        items = self._items
        terms = items.p**2 * np.interp(np.log(items.rank), np.log(self._ranks), products)
        self._covariance[s, t] = self._covariance[t, s] = items.sum(terms) / self.d**2
        tail = items.sum(terms * self._tail) / self.d**2
        self._of_tail[s, t] = self._of_tail[t, s] = tail


def _last_row(covariance: Float[np.ndarray, "t t"]) -> Float[np.ndarray, " t"]:
    """Of the Cholesky factor; steps before anything was learnt are copies of each other."""
    return np.linalg.cholesky(covariance + 1e-9 * np.diag(np.diagonal(covariance)))[-1]
