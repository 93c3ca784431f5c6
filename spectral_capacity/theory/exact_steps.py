"""Several steps of exact Muon, W ← W + η polar(G) on the softmax gradient, predicted by particles.

A particle is an item of some rank with a draw of what is random about it: its lengths, the noise of its own logit, and the
logits of all its competitors, one by one. Derivation and limits: docs/theory.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.polar_resolvent import PolarResolvent

GRID = 44
"""Ranks of particles, evenly spaced in log rank; one more has frequency zero."""

BUDGET = 2.4e7
"""Logits of competitors that are kept, over all particles."""


@dataclass(frozen=True)
class ExactPrediction:
    """What a memory is expected to recall after each step t.

    recovered: P(item is recovered after step t), at the nodes of ``items``. in_gradient: E[1 − π_ii] at step t, what is
    left of an item in the gradient of that step. overlaps: E tr(P_sᵀP_t)/d. mixed: (t, s), how much of
    the direction of step s is in that of step t > s by itself, beyond what their items have in common: negative, for
    the softmax pushes back what the memory already says.
    """

    items: Items
    recovered: Float[np.ndarray, "t k"]
    in_gradient: Float[np.ndarray, "t k"]
    overlaps: Float[np.ndarray, "t t"]
    mixed: Float[np.ndarray, "t t"]

    @property
    def counts(self) -> Float[np.ndarray, " t"]:
        """Expected number of recovered items after each step."""
        return self.items.sum(self.recovered)

    @property
    def masses(self) -> Float[np.ndarray, " t"]:
        """Expected Σ p_i over the recovered items after each step."""
        return self.items.sum(self.recovered * self.items.p)


def exact_muon(
    items: Items,
    d: int,
    steps: int,
    *,
    learning_rate: float,
    draws: int | None = None,
    seed: int = 0,
) -> ExactPrediction:
    """Muon on the population's softmax gradient at a constant learning rate, from W = 0, isotropic embeddings.

    draws: particles per rank (None: as many as fit some 100 MB). The result depends on
    ``seed`` by a per cent or two, and on nothing else. Raises ValueError for items without end.
    """
    if items.endless:
        raise ValueError(
            "items without end: every competitor is followed, there must be a last one"
        )
    number = round(items.number)
    draws = draws or 2 ** int(np.clip(math.log2(BUDGET / (GRID * number)), 4, 8))
    particles = _Particles(items, d, steps, number - 1, draws, learning_rate / math.sqrt(d), seed)
    for t in range(steps):
        particles.step()
        if t < steps - 1:
            particles.softmax()
    recovered = [
        np.clip(particles.at_items(share, 1 / number), 0, 1) for share in particles.recovered
    ]
    in_gradient = [np.clip(particles.at_items(x, 1.0), 0, 1) for x in particles.in_gradient]
    return ExactPrediction(
        items, np.array(recovered), np.array(in_gradient), particles.overlaps, particles.mixed
    )


class _Particles:
    """Particles of GRID ranks and one of frequency 0, (k, draws); logits are in units of η|u|/√d."""

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
        from scipy.special import chdtri, ndtri
        from scipy.stats import qmc

        generator = np.random.default_rng(seed)
        self.d, self.steps, self.sharpness = d, steps, sharpness
        self._items = items
        self._log_ranks = np.log(np.unique(np.rint(np.geomspace(1, items.rank[-1], GRID))))
        hats = self._hats()
        number = hats @ items.weight
        p = np.append(np.sqrt(hats @ (items.weight * items.p**2) / number), 0.0)
        self.weight = np.append(number, 0.0)[:, None] / draws
        # One set of quasi-random points for all ranks, shifted at random for each of them.
        points = qmc.Sobol(steps + 2, rng=generator).random(draws)
        points = (points + generator.random((p.size, 1, steps + 2))) % 1
        points = points.clip(1e-9, 1 - 1e-9)
        self.length = np.sqrt(chdtri(d, points[..., 0]))  # √d|v|
        self.p = p[:, None] * self.length * np.sqrt(chdtri(d, points[..., 1])) / d  # p|u||v|
        noise = ndtri(points[..., 2:])
        self.noise = noise - noise.mean(axis=1, keepdims=True)
        self.pool = generator.standard_normal((draws, steps + 1, others), np.float32)
        shape = self.p.shape
        self.logit = np.zeros(shape)
        self.logits = np.zeros((*shape, others), np.float32)
        self.left = np.ones(shape)  # 1 − π_ii
        self.norm = np.ones(shape)  # |v_i − Σ_j π_ij v_j|²
        self.push = np.zeros(shape)  # of the softmax's mean along W u
        self.softmax_of_others = None
        self.resolvents: list[PolarResolvent] = []
        self.scales: list[Float[np.ndarray, "k draws"]] = []
        self.fresh_noise: list[Float[np.ndarray, "k draws"]] = []
        self.all_noise: list[Float[np.ndarray, "k draws"]] = []
        self.increments: list[Float[np.ndarray, "k draws"]] = []
        self.loadings: list[Float[np.ndarray, "k draws m"]] = []
        self.overlaps = np.eye(steps)
        self.fresh_overlaps = np.eye(steps)
        self.mixed = np.zeros((steps, steps))
        self.recovered: list[Float[np.ndarray, " k"]] = []
        self.in_gradient: list[Float[np.ndarray, " k"]] = []

    def step(self) -> None:
        """One step along the polar factor of the gradient that the particles make."""
        from scipy.special import ndtr

        t, root_d = len(self.resolvents), math.sqrt(self.d)
        self.in_gradient.append(self.left.mean(axis=1))
        weight = self.p * self.left
        kappa_own, kappa_others = self._direction(t, weight)
        factor = np.linalg.cholesky(self.fresh_overlaps[: t + 1, : t + 1])[t]
        fresh = self.noise[..., : t + 1] @ factor
        signal, spread, common = self._response(weight)
        self.fresh_noise.append(fresh)
        self.all_noise.append(
            common * fresh + sum(self.mixed[t, r] * self.all_noise[r] for r in range(t))
        )
        pushed = signal * self.push / root_d
        new = signal * self.length - pushed * self.logit + spread * fresh
        new = new + sum(kappa_own[r] * self.increments[r] for r in range(t))

        loading = np.zeros((*weight.shape, self.steps + 1))
        loading[..., 0] = signal
        rest = np.sqrt(np.clip(1 - signal**2 * self.norm, 0, 1))
        for r in range(t):
            loading += kappa_others[r][..., None] * self.loadings[r]
            loading[..., 1 + r] += rest * factor[r]
        free = 1 - (loading**2).sum(axis=-1)
        loading[..., 1 + t] = np.sqrt(np.clip(free, 0.02, None))
        self.loadings.append(loading)
        of_others = np.einsum(
            "ksm,smn->ksn",
            loading[..., : t + 2].astype(np.float32),
            self.pool[:, : t + 2],
            optimize=True,
        )
        if self.softmax_of_others is not None:
            of_others -= pushed[..., None].astype(np.float32) * self.logits
            of_others -= (signal * root_d)[..., None].astype(np.float32) * self.softmax_of_others
        self.logits += of_others
        self.logit = self.logit + new
        self.increments.append(new)
        # The noise that is new in this step is averaged over by its law.
        smooth = np.maximum(spread * factor[t], 1e-6)
        margin = self.logit - smooth * self.noise[..., t] - self.logits.max(axis=-1)
        self.recovered.append(ndtr(margin / smooth).mean(axis=1))

    def softmax(self) -> None:
        """What the softmax of the logits makes of each particle in the next gradient."""
        c = np.float32(self.sharpness)
        best = self.logits.max(axis=-1)
        variance = self.logits.var(axis=-1)
        pi = np.exp(c * (self.logits - best[..., None]))
        total = pi.sum(axis=-1)
        pi /= total[..., None]
        excess = np.clip(self.sharpness * (self.logit - best) - np.log(total), -700, 700)
        self.left = 1 / (1 + np.exp(excess))
        self.norm = 1 + np.einsum("ksn,ksn->ks", pi, pi).astype(float)
        self.push = np.einsum("ksn,ksn->ks", pi, self.logits).astype(float) / variance
        self.softmax_of_others = pi

    def at_items(self, shares: Float[np.ndarray, " k"], level: float) -> Float[np.ndarray, " n"]:
        """Shares of all items from those of the particles, of which the last one is known to be ``level``."""
        excess = shares[:-1] - shares[-1]
        return np.interp(np.log(self._items.rank), self._log_ranks, excess) + level

    def _direction(self, t, weight):
        """Overlaps and admixtures of step t; the latter as particles see them, in own logits and in others'."""
        past = self.overlaps[:t, :t]
        signal = self.logit - sum(self.all_noise)
        held = weight * np.clip(1 - self.push * signal / self.d, 0, None)
        scale = np.sqrt(self.norm)
        share = np.broadcast_to(self.weight, weight.shape)
        if t:
            luck = np.tensordot(np.linalg.inv(past), np.array(self.all_noise), 1) - self.push
            excess = (share * luck / scale).reshape(t, -1)
        else:
            excess = np.zeros((0, weight.size))
        resolvent = PolarResolvent(
            (held * scale).ravel(), share.ravel(), self.d, excess=excess, overlaps=past
        )
        self.resolvents.append(resolvent)
        self.scales.append(scale)
        if t:
            self._mix(t, resolvent.admixture(excess, np.zeros(1))[:, 0], share)
        grid = _log_grid(weight * scale)
        turned, _, screened = resolvent.screened(np.exp(grid))
        by_density = resolvent.coherent(excess)
        look_up = np.log(np.maximum(weight * scale, 1e-300))
        own = [np.interp(look_up, grid, row) for row in by_density @ screened.T]
        return own, [np.interp(look_up, grid, row) for row in by_density @ turned.T]

    def _mix(self, t, kappa, share):
        """Overlaps of step t: P_t = F_t + Σ κ_r P_r, and F_t has items in common with the F before it."""
        vertex = np.zeros(t)
        for s in range(t):
            shared = (share / self.scales[s] / self.scales[t]).ravel()
            turn, _ = self.resolvents[s].ladders(self.resolvents[t], shared)
            vertex[s] = self.resolvents[s].measure @ turn @ self.resolvents[t].measure
        past = self.overlaps[:t, :t]
        with_fresh = np.linalg.solve(np.eye(t) - self.mixed[:t, :t], vertex)
        self.mixed[t, :t] = kappa
        self.overlaps[:t, t] = self.overlaps[t, :t] = with_fresh + past @ kappa
        self.fresh_overlaps[:t, t] = self.fresh_overlaps[t, :t] = vertex
        left = 1 - kappa @ past @ kappa - 2 * kappa @ with_fresh
        self.fresh_overlaps[t, t] = max(left, 0.05)

    def _response(self, weight):
        """Mean signal of the particles, and the scale of the noise of their own logits."""
        resolvent, scale = self.resolvents[-1], np.sqrt(self.norm)
        grid = _log_grid(weight * scale)
        p = np.exp(grid)
        share = np.broadcast_to(self.weight, weight.shape).ravel()
        turn, stay = resolvent.ladders(resolvent, share)
        _, _, c = resolvent.screened(p)
        whole = resolvent.measure @ turn @ resolvent.measure
        variance = ((c @ turn) * c).sum(axis=1) / whole
        variance += resolvent.spread_of_signals(resolvent, stay, p)
        look_up = np.log(np.maximum(weight * scale, 1e-300))
        signal = np.interp(look_up, grid, resolvent.response(p) / p) * weight
        common = (c @ turn) @ resolvent.measure / whole / np.sqrt(variance)
        spread = np.sqrt(np.clip(np.interp(look_up, grid, variance), 1e-8, None))
        return signal, spread, np.interp(look_up, grid, common)

    def _hats(self) -> Float[np.ndarray, "k n"]:
        """Weights of linear interpolation in log rank: from the grid to each item."""
        return np.array(
            [
                np.interp(np.log(self._items.rank), self._log_ranks, row)
                for row in np.eye(self._log_ranks.size)
            ]
        )


def _log_grid(values) -> Float[np.ndarray, " m"]:
    """Where functions of a frequency are tabulated for look-up in its logarithm."""
    top = math.log(values.max())
    return np.linspace(top - 40, top, 240)
