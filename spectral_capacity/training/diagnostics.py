"""What is measured of a gradient and of a memory beside its count: spectra and losses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.loss import item_losses, population_loss
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.rules import RIDGE
from spectral_capacity.results.schema import Status
from spectral_capacity.training.response import newton_slope, signal_slope, spike_slope


def spectrum(
    gradient: Gradient,
    full_rank: int,
    output_variances: Float[np.ndarray, " d"] | None = None,
) -> dict[str, float | int]:
    """Diagnostics of a gradient's singular values, and whether float64 resolved them all.

    ``full_rank`` is how many directions the items that it is a sum over can span, if d allows.
    ``bulk_singular_value`` is σ at rank ⌈d/2⌉. ``status`` is ``precision_limited`` when directions
    that the items should span fell below the numerical range (a gradient of zero has none to lose).
    """
    d = gradient.matrix.shape[0]
    sigma = gradient.singular_values
    resolved = gradient.rank >= min(d, full_rank) or not gradient.matrix.any()
    along = None if output_variances is None else output_variances @ gradient.left**2
    middle = -(-d // 2)
    return {
        "status": Status.OK if resolved else Status.PRECISION_LIMITED,
        "gradient_norm": float(np.linalg.norm(gradient.matrix)),
        "sigma_max": sigma[0] if sigma.size else 0.0,
        "sigma_min": sigma[-1] if sigma.size else 0.0,
        "bulk_singular_value": sigma[middle - 1] if sigma.size >= middle else np.nan,
        "mean_inverse_singular_value": float(np.mean(1 / sigma)) if sigma.size else np.nan,
        "null_directions": d - gradient.rank,
        "spike_slope": spike_slope(sigma, d, along),
    }


def momentum_spectrum(smoothed: Gradient | None) -> dict[str, float]:
    """What :func:`spectrum` has of a gradient, of the momentum that a step took in its place; NaN without."""
    names = ("norm", "sigma_max", "sigma_min", "bulk_singular_value")
    if smoothed is None:
        return {f"momentum_{name}": math.nan for name in names}
    found = spectrum(smoothed, smoothed.rank)
    found["norm"] = found["gradient_norm"]
    return {f"momentum_{name}": found[name] for name in names}


def loss_grid(
    W: Float[np.ndarray, "d d"],
    data: Associations,
    p: Float[np.ndarray, " n"],
    rate: float,
    factors: Sequence[float],
) -> dict[str, float]:
    """The loss at the learning rate of ``W``, and the best over its multiples by ``factors``."""
    scales = sorted({1.0, *factors})
    items = item_losses(W, data.U, data.V, np.array(scales))
    mean, worst = population_loss(items, p), items.max(axis=1)
    here, best = scales.index(1.0), int(mean.argmin())
    return {
        "loss": float(mean[here]),
        "worst_item_loss": float(worst[here]),
        "best_loss": float(mean[best]),
        "best_learning_rate": float(rate * scales[best]),
        "best_worst_item_loss": float(worst[best]),
    }


def response_slope(
    optimizer: Mapping[str, Any],
    W: Float[np.ndarray, "d d"],
    gradient: Gradient,
    context: StepContext,
    rate: float,
    output_variances: Float[np.ndarray, " d"] | None = None,
) -> float:
    """Slope s at which the first update W lifts one rare item, v_iᵀ W u_i ≈ s·q_i.

    See :mod:`training.response`. Known for maps of singular values (a user's map is taken at its word to be
    one) and for Newton's step; NaN for other rules, and for later steps, of which nobody knows how they lift
    an item. ``rate`` is the learning rate, ``output_variances`` the eigenvalues of Ξ, None for I/d.
    """
    if context.step > 1:
        return math.nan
    if optimizer["rule"] in ("gradient", "spectral"):
        along = None if output_variances is None else output_variances @ gradient.left**2
        mapped = np.einsum("da,de,ae->a", gradient.left, W, gradient.right, optimize=True)
        return signal_slope(gradient.singular_values, mapped, context.d, along)
    if optimizer["rule"] == "newton":
        return rate * newton_slope(context.moments.input_moment, optimizer.get("ridge", RIDGE))
    return math.nan
