"""What a spectral map of a gradient does to one more item, from the singular values of the gradient.

Two forms. For the polar map, of given singular values and vectors, exactly (:class:`PolarUpdate`): a check
on the predictions that need neither. For any odd map of singular values, isotropic embeddings, in the mean
over the item's embeddings (:class:`SpikedSpectrum`): a prediction for maps that have no closed form.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.recovery import rotation_recovery

SingularMap = Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]]
"""h, elementwise, of singular values, which are not negative."""


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

    singular_values: of G, r ≤ d of them, measured or of a drawn gradient; (u, v) is not in G. The resolvents of
    the symmetric [0 M; Mᵀ 0], M = G + p v uᵀ, between u and v are in the mean those of a matrix K whose
    spectrum is ±σ, and 0 for d − r dimensions, with a spike on the vector e of equal entries 1/√(2d):

        K = diag(±σ) + p e eᵀ,   S(p) = E vᵀh(M)u = eᵀ h(K) e,   V(p) = E |h(M)u|² = |h(K) e|²,

    for any odd function h of singular values, to relative 1/d. No formula of h is needed: it may be a
    polynomial, a power, or a function of a user. Saturation is in K: its largest eigenvalue leaves the others
    when p does. Costs an eigendecomposition of 2d × 2d for each p, once for all maps.
    """

    def __init__(
        self, singular_values: Float[np.ndarray, " r"], d: int, p: Float[np.ndarray, " n"]
    ) -> None:
        null = np.zeros(2 * (d - singular_values.size))
        spectrum = np.diag(np.concatenate([singular_values, null, -singular_values]))
        self.eigenvalues = np.empty((p.size, 2 * d))
        self.weight = np.empty((p.size, 2 * d))
        for i in range(p.size):
            values, vectors = np.linalg.eigh(spectrum + p[i] / (2 * d))
            # Maps act on the numerical range: what rounding left is zero, and stays so.
            rounding = 2 * d * np.finfo(float).eps * np.abs(values).max()
            self.eigenvalues[i] = np.where(np.abs(values) > rounding, values, 0)
            self.weight[i] = vectors.sum(axis=0) ** 2 / (2 * d)

    def response(
        self, spectral_map: SingularMap
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Signal S and mean square V of an item's output, at each p, for the map h of singular values."""
        mapped = np.sign(self.eigenvalues) * spectral_map(np.abs(self.eigenvalues))
        return (self.weight * mapped).sum(axis=1), (self.weight * mapped**2).sum(axis=1)


def response_recovery(
    signal: Float[np.ndarray, " n"], square: Float[np.ndarray, " n"], d: int, n_competitors: float
) -> Float[np.ndarray, " n"]:
    """:func:`theory.recovery.rotation_recovery` at S/√V, the cosine of output and target.

    The item's noise is taken isotropic and its length V at its mean, competitors as all alike: for maps that
    flatten the spectrum, not for the identity, whose noise is that of a few frequent items.
    """
    return rotation_recovery(np.clip(signal / np.sqrt(square), 0, 1), d, n_competitors)


def map_capacity(
    p: Float[np.ndarray, " n"],
    spectrum_at: Float[np.ndarray, " m"],
    spectrum: SpikedSpectrum,
    spectral_map: SingularMap,
    d: int,
) -> float:
    """Expected count of one step with any spectral map: the sum over items of :func:`response_recovery`.

    spectrum: at the frequencies ``spectrum_at``, increasing, from p's smallest to its largest.
    """
    from scipy.interpolate import PchipInterpolator

    probability = response_recovery(*spectrum.response(spectral_map), d, float(p.size - 1))
    return float(PchipInterpolator(np.log(spectrum_at), probability)(np.log(p)).sum())


def drawn_singular_values(
    p: Float[np.ndarray, " n"], d: int, *, seed: int = 0
) -> Float[np.ndarray, " d"]:
    """Singular values of one drawn isotropic gradient Σ_j p_j v_j u_jᵀ.

    Items beyond rank 16 d add a matrix with independent entries, drawn whole.
    """
    rng = np.random.default_rng(seed)
    head, tail = p[: 16 * d], p[16 * d :]
    u, v = rng.standard_normal((2, head.size, d)) / math.sqrt(d)
    noise = math.sqrt(float(tail @ tail)) / d * rng.standard_normal((d, d))
    return np.linalg.svd(v.T @ (head[:, None] * u) + noise, compute_uv=False)
