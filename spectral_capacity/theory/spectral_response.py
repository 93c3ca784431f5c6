"""What any spectral map of a gradient does to one more item, isotropic embeddings: recovery without a fit.

A prediction for maps that have no closed form: powers, polynomials, smoothed maps far above the bulk. From the
singular values of a few drawn gradients, so from p, N and d alone. docs/theory.md derives it.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.rank_one_update import RankOneUpdate
from spectral_capacity.theory.recovery import LogBelow, cosine_recovery
from spectral_capacity.theory.spectral_maps import ScalarMap

RANKS = 48
"""At which a spectrum is computed; that of other items is interpolated."""

FAR = 64
"""Times d: the last of them. Beyond, an item's signal is proportional to its frequency."""

LARGEST_D = 1024
"""Of a spectrum: some fifteen seconds and 0.5 GB."""

WHOLE = 16
"""Times d: items of a drawn gradient that are drawn one by one."""

DRAWN = 4096
"""Singular values that are drawn in all for a typical spectrum, d at least."""


LENGTHS = 8
"""Values that the length of an item's noise takes."""


class SpikedSpectrum:
    """Spectral measure of G + p v uᵀ between an isotropic item's unit vectors u and v, at each p.

    singular_values: of G, r ≤ d of them, measured or of a drawn gradient; (u, v) is not in G. p: positive. The
    resolvents of the symmetric [0 M; Mᵀ 0], M = G + p v uᵀ, between u and v are in the mean those of a matrix K
    whose spectrum is ±σ, and 0 for d − r dimensions, with a spike on the vector e of equal entries 1/√(2d):

        K = diag(±σ) + p e eᵀ,   S(p) = E vᵀh(M)u = eᵀ h(K) e,   V(p) = E |h(M)u|² = |h(K) e|²,

    for any odd function h of singular values, to relative 1/d. No formula of h is needed: it may be a
    polynomial, a power, or a function of a user. Saturation is in K: its largest eigenvalue leaves the others
    when p does. Costs O(d²) for each p, once for all maps.

    ``eigenvalues`` and ``weight``, (n, 2r or 2r + 1), are those of K that e has a part in; ``norm``, (n,), is
    ‖M‖_F, √(Σσ² + p²).
    """

    def __init__(
        self, singular_values: Float[np.ndarray, " r"], d: int, p: Float[np.ndarray, " n"]
    ) -> None:
        sigma, null = np.sort(singular_values), d - singular_values.size
        middle = np.zeros(min(null, 1))
        poles = np.concatenate([-sigma[::-1], middle, sigma])
        weight = np.where(poles == 0, null / d, 1 / (2 * d))
        spectra = RankOneUpdate(poles, weight)
        found = [spectra.spectrum(float(frequency)) for frequency in p]
        self.singular_values, self.p, self.d = sigma, p, d
        self.eigenvalues, self.weight = (np.stack(rows) for rows in zip(*found, strict=True))
        self.norm = np.hypot(np.linalg.norm(sigma), p)

    @classmethod
    def of(cls, items: Items, d: int) -> SpikedSpectrum:
        """Of :func:`typical_singular_values`, at :data:`RANKS` geometric ranks from 1 to :data:`FAR` d.

        Raises ValueError for d above :data:`LARGEST_D`.
        """
        if d > LARGEST_D:
            raise ValueError(f"d is {d}; the spectrum of a drawn gradient goes up to {LARGEST_D}")
        last = items.rank[items.p > 0][-1]
        ranks = np.geomspace(1, min(FAR * d, last), RANKS)
        log_p = items.at_ranks(np.log(items.p.clip(1e-300)), ranks)
        return cls(typical_singular_values(items, d), d, np.exp(np.unique(log_p.round(9))))

    def response(self, h: ScalarMap) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Signal S and mean square V of an item's output, at each p, for the map h of singular values."""
        mapped = np.sign(self.eigenvalues) * h(np.abs(self.eigenvalues), self.norm[:, None])
        return (self.weight * mapped).sum(axis=1), (self.weight * mapped**2).sum(axis=1)

    def output(
        self, h: ScalarMap, p: Float[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
        """Cosine S/√V of output and target, and V, at any frequencies: of :meth:`response`.

        Interpolated in log p; below the spectrum's own frequencies S is proportional to p and V constant.
        """
        from scipy.interpolate import PchipInterpolator

        signal, square = self.response(h)
        cosine = np.clip(signal / np.sqrt(square), 1e-12, 1)
        nodes, log_p = np.log(self.p), np.log(p.clip(1e-300))
        inside = np.clip(log_p, nodes[0], nodes[-1])
        if nodes.size == 1:  # all items alike
            return np.full(p.size, cosine[0]), np.full(p.size, square[0])
        logs = (PchipInterpolator(nodes, np.log(values))(inside) for values in (cosine, square))
        log_cosine, log_square = logs
        return np.exp(log_cosine + log_p - inside).clip(0, 1), np.exp(log_square)

    def noise(self, h: ScalarMap) -> tuple[float, Float[np.ndarray, " q"]]:
        """V(0) = E |h(G)u|², u a unit vector that is not in G, and how |h(G)u|²/V(0) varies with u.

        In :data:`LENGTHS` equally likely groups the means over drawn u, the same in every call.
        """
        square = h(self.singular_values, float(np.linalg.norm(self.singular_values))) ** 2
        mean = float(square.sum()) / self.d
        draws = np.random.default_rng(0).standard_normal((LENGTHS * 128, self.d)) ** 2
        lengths = draws[:, : square.size] @ square / draws.sum(axis=1)
        groups = np.sort(lengths).reshape(LENGTHS, -1).mean(axis=1)
        return mean, groups / groups.mean()


def recovery_probability(
    items: Items, spectrum: SpikedSpectrum, h: ScalarMap
) -> Float[np.ndarray, " k"]:
    """Probability that an item is recovered after one step with any spectral map, at the nodes of the items.

    :func:`theory.recovery.cosine_recovery` at S/√V, the cosine of output and target, with competitors that are
    not alike and noise whose length varies. By symmetry a competitor of frequency p_j takes noise in at V(p_j),
    an unknown one at V(0): its score has the variance S² + (V − S²) V(p_j)/V(0), exact for the identity and for
    the polar map, whose V is 1. The mean square of an item's noise, V − S², varies from item to item as
    |h(G)u|² does: the fewer directions make up h(G) the more, not at all for the polar map.

    Left out: that the same few items make up the noise of an item and compete with it, which matters towards
    the identity, the directions that items themselves take up in G, and all fluctuations of S.
    """
    cosine, square = spectrum.output(h, items.p)
    mean, lengths = spectrum.noise(h)
    varied = cosine / np.sqrt(cosine**2 + lengths[:, None] * (1 - cosine**2))
    against = _unlike_competitors(items, square / mean - 1)
    return cosine_recovery(varied, spectrum.d, against).mean(axis=0)


def _unlike_competitors(items: Items, excess: Float[np.ndarray, " k"]) -> LogBelow:
    """Competitors whose scores have the variances 1 + (1 − s²) ``excess`` around 0, s the item's cosine."""
    from scipy.interpolate import RectBivariateSpline
    from scipy.special import log_ndtr

    stand_out = np.abs(excess) > 1e-3
    weight = items.weight[stand_out]
    alike = max(items.weight[~stand_out].sum() - 1, 0.0)
    x, log_noise = np.linspace(-12, 40, 417), np.linspace(-6, 0, 9)
    table = np.empty((log_noise.size, x.size))
    for row, share in zip(table, np.exp(log_noise), strict=True):
        spread = np.sqrt(1 + share * excess[stand_out])
        row[:] = log_ndtr(x[:, None] / spread) @ weight + alike * log_ndtr(x)
    spline = RectBivariateSpline(log_noise, x, np.log(np.maximum(-table, 1e-300)))

    def log_below(score, cosine):
        noise = np.log(np.maximum(1 - cosine**2, math.exp(-6)))
        noise, score = np.broadcast_arrays(noise, score.clip(-12, 40))
        return -np.exp(spline.ev(noise, score))

    return log_below


def typical_singular_values(items: Items, d: int) -> Float[np.ndarray, " r"]:
    """Geometric means of the singular values of a few drawn gradients, the same draws in every call.

    Of the numerical range: as many as items where these are fewer than d.
    """
    draws = range(max(DRAWN // d, 1))
    drawn = np.array([drawn_singular_values(items, d, seed=seed) for seed in draws])
    rank = (drawn > d * np.finfo(float).eps * drawn[:, :1]).all(axis=0).sum()
    return np.exp(np.log(drawn[:, :rank]).mean(axis=0))


def drawn_singular_values(items: Items, d: int, *, seed: int = 0) -> Float[np.ndarray, " d"]:
    """Singular values of one drawn gradient Σ_j p_j v_j u_jᵀ of isotropic unit vectors.

    Items beyond rank :data:`WHOLE` d add a matrix with independent entries, drawn whole.
    """
    rng = np.random.default_rng(seed)
    head = np.repeat(items.p, items.most_frequent(WHOLE * d).astype(int))
    tail = (items.weight - items.most_frequent(WHOLE * d)) @ items.p**2
    u, v = (
        x / np.linalg.norm(x, axis=1, keepdims=True) for x in rng.standard_normal((2, head.size, d))
    )
    noise = math.sqrt(tail) / d * rng.standard_normal((d, d))
    return np.linalg.svd(v.T @ (head[:, None] * u) + noise, compute_uv=False)
