"""What is fitted: quantities of a grid, and the exponents that the theory gives them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from spectral_capacity import scaling, theory
from spectral_capacity.frequencies import item_frequencies

LINE = ("optimizer", "alpha", "kappa", "batch_size", "step")
"""A line of a capacity plot has these coordinates and runs over d; seeds are its spread."""


@dataclass(frozen=True)
class Quantity:
    """A number per point and seed of a grid.

    values: from (grid, settings of the fit) to an array with the grid's dimensions, None where the grid
    cannot give it. exponent: the theory's exponent in d, from (family,
    alpha, kappa), NaN where there is none; it is for one population step.
    """

    long_name: str
    values: Callable[[xr.Dataset, Mapping[str, Any]], xr.DataArray | None]
    exponent: Callable[[str, float, float], float]


def asymptotic(quantity: str, family: str, at: Mapping[str, Any]) -> float:
    """The theory's exponent on a line; it speaks of one population step and α > 1."""
    if at["alpha"] <= 1 or not math.isinf(at["batch_size"]) or at["step"] != 1:
        return math.nan
    curve = quantity in BATCH_QUANTITIES
    exponent = BATCH_QUANTITIES[quantity][1] if curve else QUANTITIES[quantity].exponent
    return exponent(family, at["alpha"], at["kappa"])


def capacity_exponent(family: str, alpha: float, kappa: float) -> float:
    """Of the count: theorems at κ = 0, Muon's heuristic at κ > 0, Newton's invariance at every κ."""
    if family == "muon":
        return scaling.muon_exponent(alpha, kappa)
    if family == "newton":
        return scaling.muon_exponent(alpha)
    return scaling.gradient_exponent(alpha) if family == "gradient" and kappa == 0 else math.nan


def frequencies_of(settings: Mapping[str, Any], alpha: float) -> Float[np.ndarray, " n"]:
    """p of the experiment's items: the power law, or the table's."""
    table = settings["frequencies"] and settings["frequencies"]["file"]
    return item_frequencies(settings["n_items"], alpha, table)


def predicted_capacity(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.DataArray:
    """Parameter-free counts over (*LINE, d) after one step; NaN where there are none.

    They are of Gaussian embeddings: a user's own have none.
    """
    mean = grid[["signal_slope", "logit_noise"]].mean("seed").transpose(*LINE, "d")
    predicted = xr.full_like(mean.signal_slope, np.nan)
    predicted.attrs = {"long_name": "capacity predicted without a fit parameter"}
    for where in np.ndindex(predicted.shape):
        point = mean.signal_slope[where]
        slope, noise = point.item(), mean.logit_noise[where].item()
        d, batch_size = point.d.item(), point.batch_size.item()
        if point.step.item() != 1 or settings["own_embeddings"]:
            continue
        p = frequencies_of(settings, point.alpha.item())
        if settings["theory"][point.optimizer.item()] == "gradient":
            if point.kappa.item() == 0 and math.isinf(batch_size):
                predicted[where] = theory.gradient_capacity(p, d)
        elif math.isfinite(slope) and noise > 0:
            if math.isinf(batch_size):
                predicted[where] = theory.response_capacity(p, slope, noise)
            else:
                predicted[where] = theory.batch_capacity(p, d, slope, noise, batch_size)
    return predicted


def _measured(name: str) -> Callable:
    return lambda grid, settings: grid[name] if grid[name].notnull().any() else None


def _capacity_to_polar(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.DataArray | None:
    polar = [name for name in grid.optimizer.values if settings["theory"][name] == "muon"]
    if len(polar) != 1 or grid.sizes["optimizer"] == 1:
        return None
    reference = grid.capacity.sel(optimizer=polar[0], drop=True)
    return (grid.capacity / reference.where(reference > 0)).transpose(*grid.capacity.dims)


def _capacity_to_isotropic(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.DataArray | None:
    if 0.0 not in grid.kappa or grid.sizes["kappa"] == 1:
        return None
    reference = grid.capacity.sel(kappa=0.0, drop=True)
    return (grid.capacity / reference.where(reference > 0)).transpose(*grid.capacity.dims)


def _worst_to_uniform(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.DataArray | None:
    if not grid.worst_item_loss.notnull().any():
        return None
    return grid.worst_item_loss / math.log(settings["n_items"])


def _loss_over_bound(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.DataArray | None:
    if not grid.best_loss.notnull().any():
        return None
    counts = grid.capacity.where(grid.capacity > 0)
    return (grid.best_loss * counts ** (grid.alpha - 1)).transpose(*grid.capacity.dims)


def _nothing(family: str, alpha: float, kappa: float) -> float:
    return math.nan


def _isotropic(exponent: Callable[[float], float]) -> Callable:
    return lambda family, alpha, kappa: exponent(alpha) if kappa == 0 else math.nan


def _loss_exponent(family: str, alpha: float, kappa: float) -> float:
    return (1 - alpha) * capacity_exponent(family, alpha, kappa)


def _critical_exponent(family: str, alpha: float, kappa: float) -> float:
    if kappa != 0:
        return math.nan
    if family == "muon":
        return scaling.muon_critical_batch_exponent(alpha)
    return scaling.GRADIENT_CRITICAL_BATCH_EXPONENT if family == "gradient" else math.nan


QUANTITIES: dict[str, Quantity] = {
    "capacity": Quantity("recovered items", _measured("capacity"), capacity_exponent),
    "bulk_singular_value": Quantity(
        "singular value of the gradient at rank d/2",
        _measured("bulk_singular_value"),
        _isotropic(scaling.bulk_exponent),
    ),
    "mean_inverse_singular_value": Quantity(
        "mean of 1/sigma of the gradient",
        _measured("mean_inverse_singular_value"),
        _isotropic(lambda alpha: -scaling.bulk_exponent(alpha)),
    ),
    "capacity_to_polar": Quantity(
        "recovered items relative to the exact polar map's, same seed", _capacity_to_polar, _nothing
    ),
    "capacity_to_isotropic": Quantity(
        "recovered items relative to kappa = 0, same seed", _capacity_to_isotropic, _nothing
    ),
    "best_loss": Quantity(
        "softmax loss at the best learning rate", _measured("best_loss"), _loss_exponent
    ),
    "loss_over_bound": Quantity(
        "best loss times (recovered items)^(alpha - 1)",
        _loss_over_bound,
        lambda family, alpha, kappa: (
            0.0 if family in ("muon", "gradient") and kappa == 0 else math.nan
        ),
    ),
    "worst_to_uniform": Quantity(
        "largest loss of an item, at the configured learning rate, relative to log N",
        _worst_to_uniform,
        _nothing,
    ),
}
"""Every quantity of a single point, by its name in fits and claims."""

BATCH_QUANTITIES: dict[str, tuple[str, Callable[[str, float, float], float]]] = {
    "critical_batch_size": ("critical batch size", _critical_exponent),
    "information": (
        "recovered items below the critical batch size: exponent in the batch size, not in d",
        lambda family, alpha, kappa: 1 / alpha,
    ),
}
"""Quantities of a whole curve of counts against the batch size."""

LONG_NAMES = {name: q.long_name for name, q in QUANTITIES.items()} | {
    name: text for name, (text, _) in BATCH_QUANTITIES.items()
}
"""Every quantity that a fit may hold, in order."""
