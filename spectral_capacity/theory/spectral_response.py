"""What a spectral map of a gradient does to one more item, from the singular values of the gradient.

Two forms. For the polar map, of given singular values and vectors, exactly (:class:`PolarUpdate`): a check
on the predictions that need neither. For any odd map of singular values, isotropic embeddings, in the mean
over the item's embeddings (:class:`SpikedSpectrum`): a prediction for maps that have no closed form.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.rank_one_update import RankOneUpdate
from spectral_capacity.theory.recovery import rotation_recovery
from spectral_capacity.theory.spectral_maps import ScalarMap

RANKS = 32
"""At which a spectrum is computed; that of other items is interpolated."""

FAR = 64
"""Times d: the last of them. Beyond, an item's signal is proportional to its frequency."""

LARGEST_D = 1024
"""Of a spectrum: some ten seconds and 0.3 GB."""

WHOLE = 16
"""Times d: items of a drawn gradient that are drawn one by one."""

DRAWN = 1024
"""Singular values that are drawn in all for a typical spectrum, d at least."""


class PolarUpdate:
    """polar(G + p v uᵀ)u for any p, with G = A diag(σ) Bᵀ and drawn (u, v), from the SVD of G alone.

    singular_values: σ, of full rank. x = Aᵀv and y = Bᵀu: draws of (u, v) that G does not know, (s, d). From
    sign(H) = (2/π) ∫ H/(H² + t²) dt, 0 < t < ∞, and Woodbury's formula for a rank-two update,

        z_a = (2/π) ∫ [(1 + pε)/Q · σ_a y_a/(t² + σ_a²) + p m_u/Q · t x_a/(t² + σ_a²)] dt,
        m_v = Σ t x_a²/(t² + σ_a²),  m_u = Σ t y_a²/(t² + σ_a²),  ε = Σ σ_a x_a y_a/(t² + σ_a²),
        Q = (1 + pε)² + p² m_u m_v,

    exact for every draw, but for the quadrature: trapezoidal in log t, about 1e-4 of |z|.
    """

    def __init__(
        self,
        singular_values: Float[np.ndarray, " d"],
        x: Float[np.ndarray, "s d"],
        y: Float[np.ndarray, "s d"],
        *,
        nodes: int = 200,
    ) -> None:
        low, high = singular_values.min() * 1e-4, singular_values.max() * 1e4
        if low <= 0:
            raise ValueError(
                "the gradient has singular values that are zero; it must have full rank"
            )
        log_t = np.linspace(math.log(low), math.log(high), nodes)
        self._t = np.exp(log_t)
        self._dt = (2 / math.pi) * (log_t[1] - log_t[0]) * self._t
        self._dt[[0, -1]] /= 2
        self._dt[0] += (2 / math.pi) * self._t[0]
        self._kernel = 1 / (self._t[:, None] ** 2 + singular_values**2)
        self._sigma, self._x, self._y = singular_values, x, y
        self._m_v = (x**2 @ self._kernel.T) * self._t
        self._m_u = (y**2 @ self._kernel.T) * self._t
        self._epsilon = (x * y * singular_values) @ self._kernel.T

    def output(self, p: float) -> Float[np.ndarray, "s d"]:
        """z for items of frequency p, in the basis A."""
        one = 1 + p * self._epsilon
        Q = one**2 + p**2 * self._m_u * self._m_v
        noise = (one / Q * self._dt) @ self._kernel * self._sigma * self._y
        return noise + (p * self._m_u / Q * self._dt * self._t) @ self._kernel * self._x


class SpikedSpectrum:
    """Spectral measure of G + p v uᵀ between an isotropic item's unit vectors u and v, at each p.

    singular_values: of G, r ≤ d of them, measured or of a drawn gradient; (u, v) is not in G. p: positive. The
    resolvents of the symmetric [0 M; Mᵀ 0], M = G + p v uᵀ, between u and v are in the mean those of a matrix K
    whose spectrum is ±σ, and 0 for d − r dimensions, with a spike on the vector e of equal entries 1/√(2d):

        K = diag(±σ) + p e eᵀ,   S(p) = E vᵀh(M)u = eᵀ h(K) e,   V(p) = E |h(M)u|² = |h(K) e|²,

    for any odd function h of singular values, to relative 1/d. No formula of h is needed: it may be a
    polynomial, a power, or a function of a user. Saturation is in K: its largest eigenvalue leaves the others
    when p does. Costs O(d²) for each p, a few seconds at d = 1024 for all, once for all maps.

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
        self.p, self.d = p, d
        self.eigenvalues, self.weight = (np.stack(rows) for rows in zip(*found, strict=True))
        self.norm = np.hypot(np.linalg.norm(sigma), p)

    @classmethod
    def of(cls, items: Items, d: int) -> SpikedSpectrum:
        """Of :func:`typical_singular_values`, at :data:`RANKS` geometric ranks from 1 to :data:`FAR` d.

        Raises ValueError for d above :data:`LARGEST_D`.
        """
        if d > LARGEST_D:
            raise ValueError(f"d is {d}; the spectrum of a drawn gradient goes up to {LARGEST_D}")
        ranks = np.geomspace(1, min(FAR * d, items.rank[-1]), RANKS)
        p = np.unique(np.exp(items.at_ranks(np.log(items.p), ranks)))
        return cls(typical_singular_values(items, d), d, p)

    def response(self, h: ScalarMap) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Signal S and mean square V of an item's output, at each p, for the map h of singular values."""
        mapped = np.sign(self.eigenvalues) * h(np.abs(self.eigenvalues), self.norm[:, None])
        return (self.weight * mapped).sum(axis=1), (self.weight * mapped**2).sum(axis=1)

    def cosine(self, h: ScalarMap, p: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """S/√V at any frequencies: interpolated in log p by a cubic, proportional to p below the spectrum's."""
        from scipy.interpolate import PchipInterpolator

        signal, square = self.response(h)
        cosine = np.log(np.clip(signal / np.sqrt(square), 1e-12, 1))
        log_p = np.log(p.clip(1e-300))
        inside = np.clip(log_p, *np.log(self.p[[0, -1]]))
        if self.p.size == 1:
            return np.exp(cosine[0] + log_p - inside)
        return np.exp(PchipInterpolator(np.log(self.p), cosine)(inside) + log_p - inside).clip(0, 1)


def recovery_probability(
    items: Items, spectrum: SpikedSpectrum, h: ScalarMap
) -> Float[np.ndarray, " k"]:
    """Probability that an item is recovered after one step with any spectral map, at the nodes of the items.

    :func:`theory.recovery.rotation_recovery` at S/√V, the cosine of output and target. The item's noise is
    taken isotropic and its length V at its mean, competitors as all alike: for maps that flatten the spectrum,
    not for the identity, whose noise is that of a few frequent items.
    """
    return rotation_recovery(spectrum.cosine(h, items.p), spectrum.d, items.number - 1)


def typical_singular_values(items: Items, d: int) -> Float[np.ndarray, " d"]:
    """Geometric means of the singular values of a few drawn gradients, the same draws in every call."""
    drawn = [drawn_singular_values(items, d, seed=seed) for seed in range(max(DRAWN // d, 1))]
    return np.exp(np.log(drawn).mean(axis=0))


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
