"""Deterministic equivalent of the resolvent of a gradient G = Σ_j p_j v_j u_jᵀ with anisotropic embeddings.

u ~ N(0, Σ), v ~ N(0, Ξ), tr Σ = tr Ξ = 1. What a step on G does to an item is an integral over t > 0 of
functions of the resolvents (t² + GᵀG)⁻¹ and (t² + GGᵀ)⁻¹. For large d their means no longer depend on the draw
of G, and what is left of it is Gaussian, with covariances that are known too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

LISTED = 100_000
"""Eigenvalues of a power law that are summed one by one."""


@dataclass(frozen=True)
class EmbeddingSpectrum:
    """Eigenvalues of Σ or Ξ, descending, each with the number of dimensions that share it; their sum is 1."""

    eigenvalues: Float[np.ndarray, " k"]
    multiplicity: Float[np.ndarray, " k"]

    @property
    def d(self) -> int:
        return round(float(self.multiplicity.sum()))

    @property
    def isotropic(self) -> bool:
        return self.eigenvalues.size == 1

    @property
    def effective_d(self) -> float:
        """1/Σλ², so that the product of two embeddings has the variance 1/effective_d; d where isotropic."""
        return 1 / float(self.eigenvalues**2 @ self.multiplicity)

    @classmethod
    def of(
        cls, eigenvalues: Float[np.ndarray, " d"], *, exact: int = 24, ratio: float = 1.1
    ) -> EmbeddingSpectrum:
        """The spectrum, scaled to trace 1, its small eigenvalues grouped: ranks that grow by ``ratio``.

        The first ``exact`` eigenvalues stand alone; a group has the mean of its eigenvalues. An isotropic
        spectrum is one group.
        """
        values = np.sort(eigenvalues)[::-1] / eigenvalues.sum()
        if values[-1] == values[0]:
            return cls(values[:1], np.array([float(values.size)]))
        starts = _starts(values.size, exact, ratio)
        multiplicity = np.diff(starts, append=values.size).astype(float)
        return cls(np.add.reduceat(values, starts) / multiplicity, multiplicity)

    @classmethod
    def power_law(
        cls, d: int, kappa: float, *, exact: int = 24, ratio: float = 1.1
    ) -> EmbeddingSpectrum:
        """λ_k ∝ k^(−κ) in d dimensions, also in more than a list can hold; groups as in :meth:`of`."""
        if kappa == 0:
            return cls(np.array([1 / d]), np.array([float(d)]))
        if d <= LISTED:
            return cls.of(np.arange(1.0, d + 1) ** -kappa, exact=exact, ratio=ratio)
        edges = np.append(_starts(d, exact, ratio), d)
        multiplicity, sums = np.diff(edges).astype(float), np.diff(_power_sums(edges, kappa))
        return cls(sums / multiplicity / sums.sum(), multiplicity)


def _power_sums(k: Int64[np.ndarray, " m"], kappa: float) -> Float[np.ndarray, " m"]:
    """Σ_{j ≤ k} j^(−κ): of the first :data:`LISTED` one by one, then by the midpoint rule, good to 1e-10."""
    listed = np.cumsum(np.arange(1.0, LISTED + 1) ** -kappa)
    known = np.append(0.0, listed)[np.minimum(k, LISTED)]
    first, last = LISTED + 0.5, np.maximum(k, LISTED) + 0.5
    if kappa == 1:
        return known + np.log(last / first)
    return known + (last ** (1 - kappa) - first ** (1 - kappa)) / (1 - kappa)


def _starts(d: int, exact: int, ratio: float) -> Int64[np.ndarray, " k"]:
    """Ranks, from 0, at which groups begin."""
    starts = [*range(min(exact, d))]
    while starts[-1] < d - 1:
        starts.append(max(starts[-1] + 1, round(starts[-1] * ratio)))
    return np.array([start for start in starts if start < d])


@dataclass(frozen=True)
class Resolvent:
    """The deterministic equivalent on n values of t, from far above G's singular values down to 0.

    At each t, f is the share of the d dimensions that items resolved at this t take. It is the parameter:

        (1/d) Σ_j p_j² w / (1 + p_j² w) = f,    (1/d) Σ_k λ_k / (λ_k + τ) = f,    t = d f √(τ τ_u / w),

    τ_u solving the same equation as τ with the eigenvalues θ_l of Σ. w: product of m_u = t uᵀ(t² + GᵀG)⁻¹u and
    m_v = t vᵀ(t² + GGᵀ)⁻¹v for a new item (u, v), in the mean. ν_k = λ_k/(λ_k + τ)/(d f): share of m_v that an
    eigendirection of Ξ has, Σ_k multiplicity_k ν_k = 1. eta: η_l, the same of Σ and m_u. dt: weights with which
    a sum over the nodes is (2/π) ∫ … dt. The other fields are covariances over two values of t:

    noise: of √λ_k e_kᵀ G (t² + GᵀG)⁻¹ u for a given u, over ν_k ν_k'.
    output: of √λ_k e_kᵀ t (t² + GGᵀ)⁻¹ v outside of its mean √λ_k ρ_k v_k, relative to that of v_k = √λ_k.
    form: of m_v around its mean for a given v, beyond the share of ``output``, relative.
    input: of m_u around its mean for a given u, relative.

    The first and the last are those of a u whose Σ_l η_l η_l' u_l²/θ_l has its mean, Λ_u.
    full_rank: G has no null directions, having at least d items.
    """

    outputs: EmbeddingSpectrum
    inputs: EmbeddingSpectrum
    t: Float[np.ndarray, " n"]
    w: Float[np.ndarray, " n"]
    nu: Float[np.ndarray, "n k"]
    eta: Float[np.ndarray, "n l"]
    dt: Float[np.ndarray, " n"]
    noise: Float[np.ndarray, "n n"]
    output: Float[np.ndarray, "n n"]
    form: Float[np.ndarray, "n n"]
    input: Float[np.ndarray, "n n"]
    full_rank: bool


def resolvent(
    p: Float[np.ndarray, " j"],
    weight: Float[np.ndarray, " j"],
    outputs: EmbeddingSpectrum,
    inputs: EmbeddingSpectrum | None = None,
    *,
    step: float = 0.5,
) -> Resolvent:
    """Solve the equivalent for items of frequency p, each counted ``weight`` times.

    inputs: of the same d as the outputs, isotropic where it is None.

    Nodes are equidistant in logit f, ``step`` apart, where every integrand is analytic and falls off
    exponentially at both ends: the trapezoidal rule then converges exponentially. f starts at 1e-7/d, where the
    first item is far below t, so that d = 10⁶ needs f down to 1e-13.
    """
    d = outputs.d
    inputs = inputs or EmbeddingSpectrum.power_law(d, 0.0)
    most = min(1.0, float(weight[p > 0].sum()) / d)  # fewer items than dimensions: G has that rank
    x = np.arange(math.log(1e-7 / d), 12.0, step)
    f = most / (1 + np.exp(-x))
    df = f * (1 - f / most)  # df/dx
    w, w_slope = _inverse(p**2, weight, f * d)
    nu, tau, tau_slope = _occupied(outputs, f * d)
    eta, tau_u, tau_u_slope = _occupied(inputs, f * d)
    t = f * d * np.sqrt(tau * tau_u / w)
    fall = (w_slope + tau_slope + tau_u_slope) * d * df - 2 * df / f  # −2 d(log t)/dx
    dt = (2 / math.pi) * step * t * fall / 2
    dt[-1] += (2 / math.pi) * t[-1] - dt[-1] / 2
    shares = (nu * outputs.multiplicity) @ nu.T, (eta * inputs.multiplicity) @ eta.T
    fields = _covariances(p**2, weight, w, *shares)
    return Resolvent(outputs, inputs, t, w, nu, eta, dt, *fields, most == 1)


def _occupied(
    spectrum: EmbeddingSpectrum, target: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Shares λ_k/(λ_k + τ)/target with Σ_k λ_k/(λ_k + τ) = target, τ, and −d(log τ)/d(target)."""
    inverse_tau, slope = _inverse(spectrum.eigenvalues, spectrum.multiplicity, target)
    occupied = spectrum.eigenvalues * inverse_tau[:, None]
    return occupied / (1 + occupied) / target[:, None], 1 / inverse_tau, slope


def _covariances(
    p_squared: Float[np.ndarray, " j"],
    weight: Float[np.ndarray, " j"],
    w: Float[np.ndarray, " n"],
    of_outputs: Float[np.ndarray, "n n"],
    of_inputs: Float[np.ndarray, "n n"],
) -> tuple[Float[np.ndarray, "n n"], ...]:
    """Covariances of resolvents at t and t': sums of ladders, whose rungs are items that both meet.

    With x_j = p_j² w, Y = Σ_j x x'/((1+x)(1+x')), A = Σ_j √(x x')/((1+x)(1+x')), Λ_v = Σ_k ν_k ν_k' and
    Λ_u = Σ_l η_l η_l', a rung takes outputs to outputs with Γ_v = Λ_v (Y + Λ_u A²/(1 − Λ_u Y)), and inputs to
    inputs with Γ_u, the same with u and v exchanged.
    """
    x = p_squared * w[:, None]
    filled = x / (1 + x)
    Y = (filled * weight) @ filled.T
    root = np.sqrt(x) / (1 + x)
    A = (root * weight) @ root.T
    from_u, from_v = 1 / (1 - of_inputs * Y), 1 / (1 - of_outputs * Y)
    rung_v = of_outputs * (Y + of_inputs * A**2 * from_u)
    rung_u = of_inputs * (Y + of_outputs * A**2 * from_v)
    noise = of_inputs * np.sqrt(np.outer(w, w)) * A * from_u / (1 - rung_v)
    output = rung_v / (1 - rung_v)
    return noise, output, of_outputs * output, 2 * of_inputs * rung_u / (1 - rung_u)


def _inverse(
    a: Float[np.ndarray, " j"], weight: Float[np.ndarray, " j"], target: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """x with Σ_j weight_j a_j x/(1 + a_j x) = target, increasing, and d(log x)/d(target)."""
    present = a > 0
    a, weight = a[present], weight[present]

    def filled(log_x):
        y = np.exp(log_x)[:, None] * a
        share = y / (1 + y)
        return share @ weight, (share / (1 + y)) @ weight

    low = math.log(target[0] / float(a @ weight))
    high = low + 1.0
    while filled(np.array([high]))[0][0] < target[-1] and high < 60 - math.log(a.min()):
        high += 1.0
    table = np.linspace(low, high, max(2 * math.ceil(high - low), 2))
    log_x = np.interp(np.log(target), np.log(filled(table)[0]), table)
    for _ in range(6):  # Newton's steps in log–log, from a start that is near
        value, slope = filled(log_x)
        log_x = log_x - np.log(value / target) * value / slope
    return np.exp(log_x), 1 / filled(log_x)[1]
