"""Probability that an item's logit exceeds those of all its competitors, from its signal.

Two cases: competitors that are alike, and competitors of which the frequent ones stand out. The item's own
noise is integrated by quadrature: Monte Carlo of Φ^(N−1) has heavy tails (one item in all wins by chance).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from numpy.polynomial.hermite_e import hermegauss

from spectral_capacity.theory.items import Items

HEADS = 4
"""Items whose part in the noise of others is drawn; that of the rest is taken at its mean."""

DRAWS = 128
"""Of those parts and of the lengths of embeddings: a Sobol sequence."""


def competitors_of(items: Items, n_competitors: float | int | None) -> float | int:
    """``n_competitors``, or where it is None the number of all other items.

    Raises ValueError for items without end, which need a number.
    """
    if n_competitors is None and items.endless:
        raise ValueError("items without end need n_competitors, a number")
    return items.number - 1 if n_competitors is None else n_competitors


def threshold_moment(alpha: float, n_competitors: float) -> float:
    """E[(M − g)^(−1/α); M > g], M the maximum of n normals, g ~ N(0, 1).

    An item of signal x = x_1 i^(−α) is recovered where x > M − g: of items without end, x_1^(1/α) times this.
    """
    from scipy.integrate import quad
    from scipy.special import log_ndtr

    # P(M − g < y) is recovery at signal y, less chance in the tail: Σ_i P(x_i) = ∫ P'(y) (x_1/y)^(1/α) dy.
    g, weight = _normal_nodes()

    def density(y: float) -> float:
        x = y + g
        logs = (n_competitors - 1) * log_ndtr(x) - x**2 / 2
        return float(n_competitors / math.sqrt(2 * math.pi) * np.exp(logs) @ weight)

    # y = z^α' takes the (integrable) singularity at 0 away.
    power = 1 / (1 - 1 / alpha)
    return quad(lambda z: power * density(z**power), 0, 16 ** (1 / power), limit=200)[0]


def rotation_recovery(
    signal: Float[np.ndarray, " k"], d: int, n_competitors: float, *, above_chance: bool = False
) -> Float[np.ndarray, " k"]:
    """P(S) = E Φ(χ_d S + √(1 − S²) g)^n: recovery against n competitors that are all alike.

    Of an item whose output W u, scaled to length 1, has the component S = ``signal`` (0 to 1) along its own
    target v, whose length χ_d/√d is a chi variable, and points anywhere otherwise: g ~ N(0, 1). So it is for
    an orthogonal W. P(0), chance, is 1/(n + 1); ``above_chance`` gives P(S) − P(0) to full relative accuracy.
    Interpolated by a cubic spline in S: to about 1e-6.
    """
    from scipy.interpolate import CubicSpline
    from scipy.special import log_ndtr

    root = math.sqrt(d)
    table = np.linspace(0, min(root, 16.0), 161)
    if root > 16:
        table = np.concatenate([table, np.geomspace(16, root, 20)[1:]])
    s = (table / root)[:, None]
    g, weight = _normal_nodes()
    probability = np.zeros(table.size)
    for length, share in zip(*_chi_nodes(d), strict=True):
        x = length * s + np.sqrt((1 - s**2).clip(0)) * g
        probability += share * (np.exp(n_competitors * log_ndtr(x)) @ weight)
    gain = CubicSpline(table, probability - probability[0])(signal * root)
    return gain if above_chance else probability[0] + gain


def linear_recovery(
    signal: Float[np.ndarray, " m"],
    node: Int[np.ndarray, " m"],
    share: Float[np.ndarray, " k"],
    competitors: Float[np.ndarray, " k"],
    d: float | int,
    n_competitors: float,
    *,
    above_chance: bool = False,
) -> Float[np.ndarray, " m"]:
    """Recovery by a memory like W = Σ_m c_m v_m u_mᵀ: W u_i ∝ z = r_i |u_i| ξ + √d Σ_{m≠i} √a_m g_m v_m.

    ξ = √d v_i is the item's target; g_m = √d u_mᵀu_i/|u_i| is normal. r is ``signal``, in any order, of the
    items at ``node``, −1 for one that is not told from the tail; a is ``share``, c_m²/Σc², of an item in the
    mean square of the noise, at nodes of items, the largest first. Competitor j scores √d v_j·z, of variance
    |z|² around d √a_j g_j. Of the first :data:`HEADS` nodes, which are items, g is drawn, for their part of |z|
    and for their own score alike; of the others |z|² has its mean, and their scores the variance
    |z|² + d² a_j. ``competitors``: how many items of each node compete; the rest of ``n_competitors`` are in
    no W. above_chance: less the probability of r = 0. With the fluctuations of |u_i| and |v_i|; to about 1 %.
    """
    from scipy.interpolate import PchipInterpolator

    order = np.argsort(-signal, kind="stable")
    some = order[_to_evaluate(signal[order], d)]
    against = _Competitors(share, competitors, d, n_competitors)
    chance = against.recovery(0.0, -1)
    probability = np.array([against.recovery(float(signal[i]), int(node[i])) for i in some])
    table = np.append(signal[some], 0.0)[::-1]
    gain = PchipInterpolator(table, np.append(probability - chance, 0.0)[::-1])(signal)
    return gain if above_chance else chance + gain


class _Competitors:
    """The competitors of :func:`linear_recovery`, and what is drawn."""

    def __init__(self, share, competitors, d: float | int, n_competitors: float) -> None:
        self.d, self.share = d, share
        self.heads = min(HEADS, share.size)
        self.tail = max(1 - float(share[: self.heads].sum()), 0.0)
        self.stored = (competitors > 0) & (share * d > 1e-3)
        self.stored[: self.heads] = competitors[: self.heads] > 0
        weight = np.where(self.stored, competitors, 0.0)
        self.alike = max(n_competitors + 1 - float(weight.sum()), 0.0)
        self.weight = weight[self.heads :]
        self.noise, self.noise_weight = _normal_nodes()
        self.target, self.rest, self.length, self.parts = _draws(d, self.heads)
        self._tabulate()

    def recovery(self, signal: float, i: int) -> float:
        """P of an item of this signal at node ``i``; −1: not told from the tail."""
        from scipy.special import log_ndtr

        d, target, rest = self.d, self.target[:, None], self.rest[:, None]
        heads = np.array([m for m in range(self.heads) if m != i], dtype=int)
        parts = np.sqrt(self.share[heads]) * self.parts[:, heads]
        nu = np.sqrt((parts**2).sum(axis=1) + self.tail)[:, None]
        along = signal * self.length[:, None] * target + nu * self.noise
        norm = np.hypot(along, nu * rest)
        score = target * along / norm
        # y such that y/√(1 + y²/d) is the score, also where |ξ|² is not d; not needed where it saturates.
        square = (along / nu) ** 2
        left = rest**2 + np.minimum(square, 16 * d) * (1 - target**2 / d)
        y = target * (along / nu) / np.sqrt(np.maximum(left, 0.1 * rest**2))
        logs = self._log_against_others(y, nu)
        for part in parts[:, self.stored[heads]].T:
            mean = d * part[:, None] / norm
            logs += log_ndtr((score - mean) / np.sqrt((1 - mean**2 / d).clip(1e-4)))
        stored = i >= 0 and bool(self.stored[i])
        if not (stored and i < self.heads):  # it is counted among the others
            own = self.share[i] if stored else 0.0
            logs -= log_ndtr(score / np.sqrt(1 + own * (d / norm) ** 2))
        return float((np.exp(np.minimum(logs, 0)) @ self.noise_weight).mean())

    def _tabulate(self) -> None:
        """log −Σ_j log Φ(√d y ν / √(y² ν² + d ν² + d² a_j)), j beyond the heads, in asinh y and log ν.

        y is the part of z along ξ over what is left of its length; |ξ|² is d.
        """
        from scipy.special import log_ndtr

        parts = self.share[: self.heads] * self.parts**2
        smallest = (
            parts.sum(axis=1) - parts.max(axis=1)
        ).min() + self.tail  # some item's own is left out
        low, high = np.log([smallest, parts.sum(axis=1).max() + self.tail]) / 2
        self.log_nu = np.linspace(low, max(high, low + 1e-3), 8)  # some width where heads take none
        self.asinh_y = np.arange(-3.5, math.log(4 * self.d) - self.log_nu[0], 0.025)
        y = np.sinh(self.asinh_y)[:, None]
        alike = self.alike * log_ndtr(y / np.sqrt(1 + y**2 / self.d))[:, 0]
        share = self.share[self.heads :][self.weight > 0]
        self.table = np.empty((self.log_nu.size, y.size))
        for row, log_nu in zip(self.table, self.log_nu, strict=True):
            scale = np.sqrt(1 + y**2 / self.d + self.d * share * math.exp(-2 * log_nu))
            logs = log_ndtr(y / scale) @ self.weight[self.weight > 0] + alike
            row[:] = np.log(np.maximum(-logs, 1e-300))

    def _log_against_others(self, y, nu):
        """Σ_j log Φ of all but the heads, by the table: bilinear."""
        column, row = np.arcsinh(y), np.log(nu)
        column = ((column - self.asinh_y[0]) / (self.asinh_y[1] - self.asinh_y[0])).clip(
            0, self.asinh_y.size - 1.001
        )
        row = ((row - self.log_nu[0]) / (self.log_nu[1] - self.log_nu[0])).clip(
            0, self.log_nu.size - 1.001
        )
        c, r = column.astype(int), row.astype(int)
        column, row = column - c, row - r
        low = self.table[r, c] * (1 - column) + self.table[r, c + 1] * column
        high = self.table[r + 1, c] * (1 - column) + self.table[r + 1, c + 1] * column
        return -np.exp(low * (1 - row) + high * row)


def _normal_nodes() -> tuple[Float[np.ndarray, " g"], Float[np.ndarray, " g"]]:
    """Nodes and weights of E f(g), g ~ N(0, 1): trapezoidal, exact where f varies over 0.2 or more."""
    g = np.linspace(-8, 8, 81)
    weight = np.exp(-(g**2) / 2)
    return g, weight / weight.sum()


@lru_cache(maxsize=64)
def _chi_nodes(d: int) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """Nodes and weights of E f(χ_d): Gauss–Hermite, through the quantiles of a normal."""
    from scipy.stats import chi2, norm

    z, weight = hermegauss(16)
    tail = norm.sf(np.abs(z))
    return np.sqrt(np.where(z < 0, chi2.ppf(tail, d), chi2.isf(tail, d))), weight / weight.sum()


@lru_cache(maxsize=64)
def _draws(d: float | int, heads: int) -> tuple[Float[np.ndarray, ...], ...]:
    """χ_d and χ_{d−1}, χ_d/√d, (n,), and ``heads`` normals, (n, heads): the same for every call."""
    from scipy.special import ndtri
    from scipy.stats import chi2, qmc

    uniform = qmc.Sobol(3 + heads, seed=0).random(DRAWS)
    target, rest, length = (
        np.sqrt(chi2.ppf(uniform[:, k], dof)) for k, dof in enumerate((d, max(d - 1, 1), d))
    )
    return target, rest, length / math.sqrt(d), ndtri(uniform[:, 3:])


def _to_evaluate(signal: Float[np.ndarray, " k"], d: float | int) -> Int[np.ndarray, " m"]:
    """Indices that tell P for all: the first ones, and small steps in the mean logit r √d. Signals differ."""
    steps = np.concatenate([np.linspace(0, 10, 41), np.geomspace(10, max(d, 20), 31)]) / math.sqrt(
        d
    )
    indices = np.searchsorted(-signal, -steps).clip(0, signal.size - 1)
    indices = np.unique(np.concatenate([np.arange(min(16, signal.size)), indices]))
    return indices[np.diff(signal[indices], append=0.0) < 0]
