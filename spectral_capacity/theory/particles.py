"""Particles: items of some ranks with draws of all that is random about them, for steps of exact Muon."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Float32

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.polar_resolvent import PolarResolvent

GRID = 44
"""Ranks of particles, about evenly spaced in log rank; one more has frequency zero."""

NODES = 240
"""Of the tables, in log frequency, that functions of a particle's frequency are looked up in."""


class Particles:
    """Particles of some ranks and, last, of frequency 0 (k, draws). Logits are in units of η|u|/√d.

    others: number of competitors, each of whose logits is kept (k, draws, others). sharpness: η/√d.

    recovered: P(own logit is the largest) by rank after each step. in_gradient: mean of 1 − π_ii before it.
    overlaps, mixed: of the directions, see :class:`theory.exact_steps.ExactSteps`.
    """

    def __init__(
        self,
        items: Items,
        d: int,
        steps: int,
        others: int,
        draws: int,
        sharpness: float,
        seed: int,
    ) -> None:
        generator = np.random.default_rng(seed)
        self.d, self.sharpness = d, sharpness
        self._item_log_ranks = np.log(items.rank)
        self._log_ranks = np.log(np.unique(np.rint(np.geomspace(1, items.rank[-1], GRID))))
        p = self._stand_for(items, draws)
        self._draw(p, d, steps, others, draws, generator)
        shape = p.size, draws
        self._logit = np.zeros(shape)
        self._logits = np.zeros((*shape, others), np.float32)
        self._pi = np.zeros((*shape, others), np.float32)
        self._left = np.ones(shape)  # 1 − π_ii
        self._norm = np.ones(shape)  # |v_i − Σ_j≠i π_ij v_j|
        self._push = np.zeros(shape)  # of the softmax's mean along W u
        self._resolvents: list[PolarResolvent] = []
        self._norms: list[Float[np.ndarray, "k draws"]] = []
        self._luck: list[Float[np.ndarray, "k draws"]] = []
        self._increments: list[Float[np.ndarray, "k draws"]] = []
        self._loadings: list[Float[np.ndarray, "k draws m"]] = []
        self.overlaps, self._fresh_overlaps = np.eye(steps), np.eye(steps)
        self.mixed = np.zeros((steps, steps))
        self.recovered: list[Float[np.ndarray, " k"]] = []
        self.in_gradient: list[Float[np.ndarray, " k"]] = []

    def at_items(self, shares: Float[np.ndarray, " k"], level: float) -> Float[np.ndarray, " n"]:
        """Shares of all items from those by rank, of which the last one is known to be ``level``."""
        excess = shares[:-1] - shares[-1]
        return np.interp(self._item_log_ranks, self._log_ranks, excess) + level

    def step(self) -> None:
        """One step along the polar factor of the gradient that the particles make."""
        from scipy.special import ndtr

        t = len(self._resolvents)
        self.in_gradient.append(self._left.mean(axis=1))
        weight = self._p * self._left
        kappa_own, kappa_others = self._direction(weight)
        factor = np.linalg.cholesky(self._fresh_overlaps[: t + 1, : t + 1])[t]
        fresh = self._noise[..., : t + 1] @ factor
        signal, spread, common = self._response(weight)
        pushed = signal * self._push / math.sqrt(self.d)
        self._luck.append(common * fresh + _combine(self.mixed[t, :t], self._luck, fresh.shape))
        self._add_to_others(signal, pushed, kappa_others, factor)
        own = signal * self._length - pushed * self._logit + spread * fresh
        own += _combine(kappa_own, self._increments, own.shape)
        self._increments.append(own)
        self._logit = self._logit + own
        # What is new in the noise of this step is averaged over by its law.
        scale = np.maximum(spread * factor[t], 1e-6)
        margin = self._logit - scale * self._noise[..., t] - self._logits.max(axis=-1)
        self.recovered.append(ndtr(margin / scale).mean(axis=1))

    def softmax(self) -> None:
        """What the softmax of the logits leaves of each particle in the next gradient."""
        best, variance = self._logits.max(axis=-1), self._logits.var(axis=-1)
        np.subtract(self._logits, best[..., None], out=self._pi)
        self._pi *= np.float32(self.sharpness)
        np.exp(self._pi, out=self._pi)
        total = self._pi.sum(axis=-1)
        self._pi /= total[..., None]
        lead = self.sharpness * (self._logit - best) - np.log(total)
        self._left = 1 / (1 + np.exp(np.clip(lead, -700, 700)))
        self._norm = np.sqrt(1 + _dot(self._pi, self._pi))
        self._push = _dot(self._pi, self._logits) / variance

    def _stand_for(self, items: Items, draws: int) -> Float[np.ndarray, " k"]:
        """Frequencies by rank, with ``_share``, how many items a particle is: numbers and Σ p² are kept."""
        unit = np.eye(self._log_ranks.size)
        hats = np.array([np.interp(self._item_log_ranks, self._log_ranks, row) for row in unit])
        number = hats @ items.weight
        share = np.append(number, 0.0) / draws
        self._share = np.repeat(share[:, None], draws, axis=1)
        return np.append(np.sqrt(hats @ (items.weight * items.p**2) / number), 0.0)

    def _draw(
        self,
        p: Float[np.ndarray, " k"],
        d: int,
        steps: int,
        others: int,
        draws: int,
        generator: np.random.Generator,
    ) -> None:
        """Lengths and noise of particles, quasi-random with a shift for each rank, and competitors' noise."""
        from scipy.special import chdtri, ndtri
        from scipy.stats import qmc

        points = qmc.Sobol(steps + 2, rng=generator).random(draws)
        points = (points + generator.random((p.size, 1, steps + 2))) % 1
        points = points.clip(1e-9, 1 - 1e-9)
        self._length = np.sqrt(chdtri(d, points[..., 0]))  # √d|v|
        self._p = p[:, None] * self._length * np.sqrt(chdtri(d, points[..., 1])) / d  # p|u||v|
        noise = ndtri(points[..., 2:])
        self._noise = noise - noise.mean(axis=1, keepdims=True)
        self._pool = generator.standard_normal((draws, steps + 1, others), np.float32)

    def _direction(
        self, weight: Float[np.ndarray, "k draws"]
    ) -> tuple[Float[np.ndarray, "s k draws"], Float[np.ndarray, "s k draws"]]:
        """Resolvent and overlaps of a new step, and how much each particle sees of the directions before it."""
        t = len(self._resolvents)
        past = self.overlaps[:t, :t]
        signal = self._logit - _combine(np.ones(t), self._luck, weight.shape)
        held = weight * np.clip(1 - self._push * signal / self.d, 0, None)
        pull = np.zeros((t, *weight.shape))
        if t:
            pull = np.tensordot(np.linalg.inv(past), np.array(self._luck), 1) - self._push
        excess = (self._share * pull / self._norm).reshape(t, weight.size)
        p = (held * self._norm).ravel()
        resolvent = PolarResolvent(p, self._share.ravel(), self.d)
        self._resolvents.append(resolvent)
        self._norms.append(self._norm)
        self._mix(resolvent.admixture(excess, np.zeros(1))[0][:, 0])
        grid, look_up = _table(weight * self._norm)
        own, others = resolvent.admixture(excess, np.exp(grid))
        shape = t, *weight.shape
        return (
            np.array([np.interp(look_up, grid, row) for row in own]).reshape(shape),
            np.array([np.interp(look_up, grid, row) for row in others]).reshape(shape),
        )

    def _mix(self, kappa: Float[np.ndarray, " s"]) -> None:
        """Overlaps of P_t = F_t + Σ_r κ_r P_r, where F_t has items in common with every F before it."""
        t = kappa.size
        common = np.zeros(t)
        for s, earlier in enumerate(self._resolvents[:t]):
            shared = self._share / self._norms[s] / self._norms[t]
            turn, _ = earlier.ladders(self._resolvents[t], shared.ravel())
            common[s] = earlier.measure @ turn @ self._resolvents[t].measure
        past = self.overlaps[:t, :t]
        with_fresh = np.linalg.solve(np.eye(t) - self.mixed[:t, :t], common)
        rest = 1 - kappa @ past @ kappa - 2 * kappa @ with_fresh
        self.mixed[t, :t] = kappa
        self.overlaps[:t, t] = self.overlaps[t, :t] = with_fresh + past @ kappa
        self._fresh_overlaps[:t, t] = self._fresh_overlaps[t, :t] = common
        self._fresh_overlaps[t, t] = max(rest, 0.05)

    def _response(
        self, weight: Float[np.ndarray, "k draws"]
    ) -> tuple[
        Float[np.ndarray, "k draws"], Float[np.ndarray, "k draws"], Float[np.ndarray, "k draws"]
    ]:
        """Signal in P, scale of the noise of the own logit, and its correlation with that of P without it."""
        resolvent = self._resolvents[-1]
        grid, look_up = _table(weight * self._norm)
        p = np.exp(grid)
        turn, stay = resolvent.ladders(resolvent, self._share.ravel())
        _, _, c = resolvent.screened(p)
        whole = resolvent.measure @ turn @ resolvent.measure
        variance = ((c @ turn) * c).sum(axis=1) / whole
        variance += resolvent.spread_of_signals(resolvent, stay, p)
        spread = np.sqrt(np.clip(variance, 1e-8, None))
        common = (c @ turn) @ resolvent.measure / whole / spread
        signal = np.interp(look_up, grid, resolvent.response(p) / p) * weight
        return signal, np.interp(look_up, grid, spread), np.interp(look_up, grid, common)

    def _add_to_others(
        self,
        signal: Float[np.ndarray, "k draws"],
        pushed: Float[np.ndarray, "k draws"],
        kappa: Float[np.ndarray, "s k draws"],
        factor: Float[np.ndarray, " t"],
    ) -> None:
        """Add a step to the competitors' logits: their loadings, less what the softmax pushes back.

        Loadings are on √d v_jᵀv_i/|v_i| and on the noise of each step; the last one makes |P u| = |u|.
        """
        t = len(self._loadings)
        loading = np.zeros((*signal.shape, self._pool.shape[1]))
        loading[..., 0] = signal
        rest = np.sqrt(np.clip(1 - (signal * self._norm) ** 2, 0, 1))
        loading[..., 1 : t + 1] = rest[..., None] * factor[:t]
        loading += _combine(kappa[..., None], self._loadings, loading.shape)
        loading[..., 1 + t] = np.sqrt(np.clip(1 - (loading**2).sum(axis=-1), 0.02, None))
        self._loadings.append(loading)
        slopes, held = loading.astype(np.float32), (signal * math.sqrt(self.d)).astype(np.float32)
        shrink = 1 - pushed.astype(np.float32)
        for rank in range(len(signal)):  # one rank at a time: these are by far the largest arrays
            new = np.einsum("sm,smn->sn", slopes[rank], self._pool, optimize=True)
            self._pi[rank] *= held[rank, :, None]
            self._logits[rank] *= shrink[rank, :, None]
            self._logits[rank] += new - self._pi[rank]


def _combine(factors: np.ndarray, arrays: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Σ_s factors[s] arrays[s], zero for none."""
    total = np.zeros(shape)
    for factor, array in zip(factors, arrays, strict=True):
        total += factor * array
    return total


def _dot(
    a: Float32[np.ndarray, "k draws n"], b: Float32[np.ndarray, "k draws n"]
) -> Float[np.ndarray, "k draws"]:
    return np.einsum("ksn,ksn->ks", a, b).astype(float)


def _table(
    p: Float[np.ndarray, "k draws"],
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "k draws"]]:
    """Nodes in log frequency, and where the particles are among them."""
    top = math.log(p.max())
    return np.linspace(top - 40, top, NODES), np.log(np.maximum(p, 1e-300))
