"""What is fitted: quantities of a grid, and the exponents that the theory gives them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from spectral_capacity.sampling.frequencies import item_frequencies
from spectral_capacity.theory import exponents as scaling
from spectral_capacity.theory import predictions as theory

LINE = ("optimizer", "alpha", "kappa", "batch_size", "step")
"""A line of a capacity plot has these coordinates and runs over d; seeds are its spread."""


@dataclass(frozen=True)
class Case:
    """What the theory is asked about: steps of a population with α > 1.

    family: ``muon``, ``gradient``, ``newton`` or ``none``. schedule: of the learning rate, ``constant``
    or ``growing``; one step knows no difference. step: how many were made.
    """

    family: str
    schedule: str
    alpha: float
    kappa: float
    step: int


@dataclass(frozen=True)
class Quantity:
    """A number per point and seed of a grid.

    values: from (grid, settings of the fit) to an array with the grid's dimensions, None where the grid
    cannot give it. exponent: the theory's exponent in d, NaN where there is none.
    """

    long_name: str
    values: Callable[[xr.Dataset, Mapping[str, Any]], xr.DataArray | None]
    exponent: Callable[[Case], float]


def asymptotic(quantity: str, settings: Mapping[str, Any], at: Mapping[str, Any]) -> float:
    """The theory's exponent on a line (``at``, all of :data:`LINE`); it is of the population and α > 1."""
    if at["alpha"] <= 1 or not math.isinf(at["batch_size"]):
        return math.nan
    optimizer = at["optimizer"]
    family, schedule = settings["theory"][optimizer], settings["schedules"][optimizer]
    case = Case(family, schedule, at["alpha"], at["kappa"], at["step"])
    curve = quantity in BATCH_QUANTITIES
    return (BATCH_QUANTITIES[quantity][1] if curve else QUANTITIES[quantity].exponent)(case)


MANY_STEPS = {"muon": "constant", "gradient": "growing"}
"""Learning rates of the theorems about more than one step, by family."""


def capacity_exponent(case: Case) -> float:
    """Of the count: theorems at κ = 0, Muon's heuristic at κ > 0, Newton's invariance at every κ.

    Of more than one step there are theorems 9 and 10, for the learning rates of :data:`MANY_STEPS`.
    They are about thresholded gradients; for exact ones the same exponents are the paper's conjecture.
    """
    if case.step > 1 and MANY_STEPS.get(case.family) != case.schedule:
        return math.nan
    if case.family == "muon":
        return scaling.muon_exponent(case.alpha, case.kappa, case.step)
    if case.family == "newton":
        return scaling.muon_exponent(case.alpha)
    if case.family == "gradient" and case.kappa == 0:
        return scaling.gradient_exponent(case.alpha, case.step)
    return math.nan


def frequencies_of(settings: Mapping[str, Any], alpha: float) -> Float[np.ndarray, " n"]:
    """p of the experiment's items: the power law, or the table's."""
    table = settings["frequencies"] and settings["frequencies"]["file"]
    return item_frequencies(settings["n_items"], alpha, table)


def predicted_capacity(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.DataArray:
    """Parameter-free counts over (*LINE, d) after the first step; NaN where there are none.

    They are of Gaussian embeddings: a user's own have none. Nor has any later step.
    """
    first = grid[["signal_slope", "logit_noise"]].sel(step=[1])
    mean = first.mean("seed").transpose(*LINE, "d")
    predicted = xr.full_like(mean.signal_slope, np.nan)
    predicted.attrs = {"long_name": "capacity predicted without a fit parameter"}
    for where in np.ndindex(predicted.shape):
        point = mean.signal_slope[where]
        slope, noise = point.item(), mean.logit_noise[where].item()
        d, batch_size = point.d.item(), point.batch_size.item()
        if settings["own_embeddings"]:
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
    return predicted.reindex(step=grid.step)


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
    loss = grid.best_loss.fillna(grid.loss)
    if not loss.notnull().any():
        return None
    counts = grid.capacity.where(grid.capacity > 0)
    return (loss * counts ** (grid.alpha - 1)).transpose(*grid.capacity.dims)


def _peak_capacity(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.DataArray | None:
    if grid.sizes["step"] == 1:
        return None
    return grid.peak_capacity.where(grid.step == grid.step[-1]).transpose(*grid.capacity.dims)


def _peak_to_ceiling(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.DataArray | None:
    peak = _peak_capacity(grid, settings)
    if peak is None:
        return None
    ceilings = [theory.ceiling(settings["n_items"], d) for d in grid.d.values.tolist()]
    return peak / xr.DataArray(ceilings, {"d": grid.d})


def _nothing(case: Case) -> float:
    return math.nan


def _of_first_gradient(exponent: Callable[[float], float]) -> Callable[[Case], float]:
    return lambda case: exponent(case.alpha) if case.kappa == 0 and case.step == 1 else math.nan


def _loss_exponent(case: Case) -> float:
    return (1 - case.alpha) * capacity_exponent(case)


def _bound_exponent(case: Case) -> float:
    known = case.family in ("muon", "gradient") and case.kappa == 0
    return 0 * capacity_exponent(case) if known else math.nan


def _information_limit(case: Case) -> float:
    return 2.0 if case.kappa == 0 and math.isfinite(capacity_exponent(case)) else math.nan


def _critical_exponent(case: Case) -> float:
    if case.kappa != 0 or case.step != 1:
        return math.nan
    if case.family == "muon":
        return scaling.muon_critical_batch_exponent(case.alpha)
    return scaling.GRADIENT_CRITICAL_BATCH_EXPONENT if case.family == "gradient" else math.nan


def _information_exponent(case: Case) -> float:
    return 1 / case.alpha


QUANTITIES: dict[str, Quantity] = {
    "capacity": Quantity(
        "recovered items", lambda grid, settings: grid.capacity, capacity_exponent
    ),
    "bulk_singular_value": Quantity(
        "singular value of the gradient at rank d/2",
        _measured("bulk_singular_value"),
        _of_first_gradient(scaling.bulk_exponent),
    ),
    "mean_inverse_singular_value": Quantity(
        "mean of 1/sigma of the gradient",
        _measured("mean_inverse_singular_value"),
        _of_first_gradient(lambda alpha: -scaling.bulk_exponent(alpha)),
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
        "loss, the best where several learning rates were tried, times (recovered items)^(alpha - 1)",
        _loss_over_bound,
        _bound_exponent,
    ),
    "worst_to_uniform": Quantity(
        "largest loss of an item, at the configured learning rate, relative to log N",
        _worst_to_uniform,
        _nothing,
    ),
    "peak_capacity": Quantity(
        "most items recovered after any step of a run of many", _peak_capacity, _information_limit
    ),
    "peak_to_ceiling": Quantity(
        "most items recovered after any step of a run, relative to the most of any linear memory",
        _peak_to_ceiling,
        _nothing,
    ),
}
"""Every quantity of a single point, by its name in fits and claims."""

BATCH_QUANTITIES: dict[str, tuple[str, Callable[[Case], float]]] = {
    "critical_batch_size": ("critical batch size", _critical_exponent),
    "information": (
        "recovered items below the critical batch size: exponent in the batch size, not in d",
        _information_exponent,
    ),
    "information_steps": (
        "recovered items while fewer samples than a critical batch were seen: exponent in the number "
        "of steps at a fixed batch size, not in d",
        _information_exponent,
    ),
}
"""Quantities of a whole curve of counts against the batch size."""

LONG_NAMES = {name: q.long_name for name, q in QUANTITIES.items()} | {
    name: text for name, (text, _) in BATCH_QUANTITIES.items()
}
"""Every quantity that a fit may hold, in order."""
