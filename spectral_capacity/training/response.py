"""Linear response of an update to one item: what the parameter-free capacity predictions need.

A rare item adds q_i v_i u_iᵀ to the gradient G, and to the update h(G) a spike v_iᵀ ΔW u_i ≈ s·q_i in its own
logit. Against it stands the noise τ of any logit. Saturation of frequent items is ignored.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spectral_capacity.memory.moments import numerical_range


def spike_slope(
    singular_values: Float[np.ndarray, " r"],
    d: int,
    output_variances: Float[np.ndarray, " r"] | None = None,
) -> float:
    """Slope s at which the polar map lifts one item: v_iᵀ polar(G) u_i ≈ s·q_i for a rare item i.

    s = (1/d) Σ_{a≠b} ξ_a / (σ_a + σ_b) over the r directions of the numerical range of G, from
    first-order perturbation theory of the polar factor. ξ_a is the variance of v along the left
    singular vector l_a, ξ_a = l_aᵀ Ξ l_a; None means isotropic, ξ_a = 1/d. Saturation of frequent
    items is ignored. NaN when the range is empty.
    """
    r = singular_values.size
    if r == 0:
        return math.nan
    inverse = 1.0 / np.add.outer(singular_values, singular_values)
    np.fill_diagonal(inverse, 0.0)
    rows = inverse.sum(axis=1)
    weights = np.full(r, 1.0 / d) if output_variances is None else output_variances
    return float(rows @ weights) / d


def signal_slope(
    singular_values: Float[np.ndarray, " r"],
    mapped: Float[np.ndarray, " r"],
    d: int,
    output_variances: Float[np.ndarray, " r"] | None = None,
) -> float:
    """Slope s at which a spectral map h lifts one item, from the values h(σ_a) = ``mapped``.

    s = (1/d) Σ_{a,b} ξ_a ½ [(h_a − h_b)/(σ_a − σ_b) + (h_a + h_b)/(σ_a + σ_b)], the Fréchet derivative of
    A h(Σ) Bᵀ in a random direction v uᵀ; for h = 1 it is :func:`spike_slope`, for h(z) = z it is 1. On the
    diagonal, h′(σ_a) is the divided difference to the neighbour. ``output_variances`` are ξ_a as there. NaN for
    an empty range.
    """
    r = singular_values.size
    if r == 0:
        return math.nan
    gap = np.subtract.outer(singular_values, singular_values)
    rise = np.subtract.outer(mapped, mapped)
    sums = np.add.outer(mapped, mapped) / np.add.outer(singular_values, singular_values)
    # Equal singular values have no divided difference; the chord to zero stands in.
    differences = np.divide(rise, gap, out=sums.copy(), where=gap != 0)
    neighbour = np.minimum(np.arange(r) + 1, r - 1)
    neighbour[-1] = max(r - 2, 0)
    np.fill_diagonal(differences, differences[np.arange(r), neighbour])
    np.fill_diagonal(sums, np.diag(differences))
    rows = (differences + sums).sum(axis=1) / 2
    weights = np.full(r, 1.0 / d) if output_variances is None else output_variances
    return float(rows @ weights) / d


def newton_slope(input_moment: Float[np.ndarray, "d d"], ridge: float) -> float:
    """Slope of Newton's step: s = tr (C_u + ridge)^(−1), over the numerical range of C_u.

    From v_iᵀ A_v^(−1) v_i ≈ d and u_iᵀ C_u^(−1) u_i ≈ tr C_u^(−1) / d, for any covariance of the v's; what a
    ridge takes from A_v is left out.
    """
    values, _ = numerical_range(input_moment)
    return float((1 / (values + ridge)).sum()) if values.size else math.nan


def logit_noise(
    W: Float[np.ndarray, "d d"], output_variances: Float[np.ndarray, " d"] | None = None
) -> float:
    """Standard deviation τ of v_jᵀ W u_i for u ~ N(0, I/d) and v ~ N(0, Ξ) that W does not know.

    ``output_variances`` are the eigenvalues of Ξ, None for I/d: τ = ‖W‖_F / d.
    """
    d = W.shape[0]
    variances = np.full(d, 1.0 / d) if output_variances is None else output_variances
    return math.sqrt(float(variances @ (W**2).sum(axis=1)) / d)
