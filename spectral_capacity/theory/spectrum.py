"""Singular values of the gradient at zero, isotropic embeddings: from p, N and d alone.

m(t) = (1/d) Σ_a t/(t² + σ_a²) solves t m + f(m) = 1 for complex t too, f as in :mod:`theory.muon_step`. On the
imaginary axis its real part is the density of singular values: (2/π) Re m(iω + 0) at ω.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.muon_step import largest_m

BLUR = 0.003
"""Relative width in ω to which the density is resolved."""


def singular_values(
    items: Items, d: int, ranks: Float[np.ndarray, " r"]
) -> Float[np.ndarray, " r"]:
    """Singular values of Σ_j p_j v_j u_jᵀ at these ranks, 1 being the largest; between ranks too.

    Of the bulk, without the fluctuations of a draw: within 6 per cent from rank d/4 to 9d/10, 2 per cent in
    its middle. NaN elsewhere: the largest are single items, the smallest have no typical value
    (:func:`density_at_zero`). Raises ValueError for d items or fewer.
    """
    omega, density = spectral_density(items, d)
    omega, density = omega[::-1], density[::-1]
    steps = np.diff(omega) * (density[1:] + density[:-1]) / 2
    below = d * (omega[0] * density[0] + np.concatenate([[0.0], np.cumsum(steps)]))
    values = np.exp(np.interp(d - ranks + 0.5, below, np.log(omega)))
    return np.where((ranks >= d / 4) & (ranks <= 0.9 * d), values, math.nan)


def density_at_zero(items: Items, d: int) -> float:
    """Density of singular values at 0, (2/π) m_0, of d of them in all with weight 1; f(m_0) = 1.

    It is not 0 (a hard edge): the smallest of d is about 1/(d · density), and (1/d) Σ_a 1/σ_a has no mean
    over draws, which diverges like the logarithm of the smallest one. Medians exist.
    """
    return 2 / math.pi * largest_m(items, d)


def spectral_density(
    items: Items, d: int
) -> tuple[Float[np.ndarray, " w"], Float[np.ndarray, " w"]]:
    """(ω, density of singular values at ω), ω decreasing from above all to far below the bulk.

    By Newton's iteration for m at t = ω (:data:`BLUR` + i), each ω started from the one before.
    """
    largest = largest_m(items, d)
    if math.isinf(largest):
        raise ValueError(f"{items.number:g} items do not span {d} dimensions")
    omega = np.geomspace(4 * items.p.max() + 8 / largest, 1e-3 / largest, 1500)
    density = np.empty(omega.size)
    square = np.square(items.p)
    m = 1 / (omega[0] * (BLUR + 1j))
    for k, w in enumerate(omega):
        t = w * (BLUR + 1j)
        for _ in range(50):
            q = 1 / (1 + square * m**2)
            value = t * m + items.sum(1 - q) / d - 1
            slope = t + 2 * m * items.sum(square * q**2) / d
            step = value / slope
            m -= step
            if abs(step) < 1e-10 * abs(m):
                break
        density[k] = 2 / math.pi * m.real
    return omega, density
