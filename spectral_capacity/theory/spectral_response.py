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
from spectral_capacity.theory.recovery import linear_recovery
from spectral_capacity.theory.rounding import Rounding
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
    def of(cls, items: Items, d: int, rounding: Rounding | None = None) -> SpikedSpectrum:
        """Of :func:`typical_singular_values`, at :data:`RANKS` geometric ranks from 1 to :data:`FAR` d.

        Raises ValueError for d above :data:`LARGEST_D`.
        """
        if d > LARGEST_D:
            raise ValueError(f"d is {d}; the spectrum of a drawn gradient goes up to {LARGEST_D}")
        last = items.rank[items.p > 0][-1]
        ranks = np.geomspace(1, min(FAR * d, last), RANKS)
        log_p = items.at_ranks(np.log(items.p.clip(1e-300)), ranks)
        return cls(
            typical_singular_values(items, d, rounding), d, np.exp(np.unique(log_p.round(9)))
        )

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

    def square_of_others(self, h: ScalarMap) -> float:
        """V(0) = E |h(G)u|², u a unit vector that is not in G."""
        norm = float(np.linalg.norm(self.singular_values))
        return float((h(self.singular_values, norm) ** 2).sum()) / self.d


def recovery_probability(
    items: Items, spectrum: SpikedSpectrum, h: ScalarMap
) -> Float[np.ndarray, " k"]:
    """Probability that an item is recovered after one step with any spectral map, at the nodes of the items.

    :func:`theory.recovery.linear_recovery`, as if the memory were one of independent spikes: an item's output
    is S along its target and noise of mean square V − S², and by symmetry a competitor of frequency p_j takes
    noise in at V(p_j), one that is in no gradient at V(0). So the signal in units of the noise is S/√(V − S²),
    and the share of an item in the noise is (V(p_j)/V(0) − 1)/d: for the identity those of gradient descent,
    exactly; for the polar map, whose V is 1, zero.

    Left out: what an item itself takes up in G, and that S varies.
    """
    cosine, square = spectrum.output(h, items.p)
    signal = cosine / np.sqrt((1 - cosine**2).clip(1e-4))
    share = (square / spectrum.square_of_others(h) - 1).clip(0) / spectrum.d
    at, n = np.arange(items.p.size), items.number - 1
    return linear_recovery(signal, at, share, items.weight, spectrum.d, n)


def typical_singular_values(
    items: Items, d: int, rounding: Rounding | None = None
) -> Float[np.ndarray, " r"]:
    """Geometric means of the singular values of a few drawn gradients, the same draws in every call.

    Of the numerical range: as many as items where these are fewer than d. With ``rounding``, of the gradients
    with its noise.
    """
    draws = range(max(DRAWN // d, 1))
    drawn = np.array([drawn_singular_values(items, d, rounding, seed=seed) for seed in draws])
    rank = (drawn > d * np.finfo(float).eps * drawn[:, :1]).all(axis=0).sum()
    return np.exp(np.log(drawn[:, :rank]).mean(axis=0))


def drawn_singular_values(
    items: Items, d: int, rounding: Rounding | None = None, *, seed: int = 0
) -> Float[np.ndarray, " d"]:
    """Singular values of one drawn gradient Σ_j p_j v_j u_jᵀ of isotropic unit vectors.

    Items beyond rank :data:`WHOLE` d add a matrix with independent entries, drawn whole. So does ``rounding``,
    to each entry in proportion to what it rounds there.
    """
    rng = np.random.default_rng(seed)
    head = np.repeat(items.p, items.most_frequent(float(WHOLE * d)).astype(int))
    tail = (items.weight - items.most_frequent(float(WHOLE * d))) @ items.p**2
    u, v = (
        x / np.linalg.norm(x, axis=1, keepdims=True) for x in rng.standard_normal((2, head.size, d))
    )
    noise = math.sqrt(tail) / d * rng.standard_normal((d, d))
    G = v.T @ (head[:, None] * u) + noise
    if rounding is not None:
        G += rounding.noise(G) * rng.standard_normal((d, d))
    return np.linalg.svd(G, compute_uv=False)
