"""What is fitted: quantities of a grid, and the exponents that the theory gives them.

A file of claims is checked against the names and properties here whenever a configuration is read, so
nothing slow is imported at the top: no JAX, no xarray.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spectral_capacity.analysis.ratios import relative_to
from spectral_capacity.analysis.settings import FitSettings
from spectral_capacity.theory import exponents as scaling
from spectral_capacity.theory import predictions

if TYPE_CHECKING:
    import xarray

LINE = ("optimizer", "alpha", "kappa", "batch_size", "step")
"""A line of a capacity plot has these coordinates and runs over d; seeds are its spread."""


@dataclass(frozen=True)
class Case:
    """What the theory is asked about: steps of a population with α > 1.

    theory: that applies, ``muon``, ``gradient``, ``newton`` or ``none``. schedule: of the learning rate,
    ``constant`` or ``growing``; one step knows no difference. step: how many were made.
    """

    theory: str
    schedule: str
    alpha: float
    kappa: float
    step: int


@dataclass(frozen=True)
class Quantity:
    """What fits may hold and claims may name.

    long_name: what it is. exponent: the theory's, NaN where there is none. values: a number per point and
    seed, from (grid, settings of the fit) to an array with the grid's dimensions, None where the grid cannot
    give it; of a quantity that a whole curve of counts against the batch size gives there is no such function.
    grows_with: what its exponent is an exponent in. whole_run: it stands at the last step only. average: over
    seeds, ``np.median`` where there is no mean.
    """

    long_name: str
    exponent: Callable[[Case], float]
    values: Callable[[xarray.Dataset, FitSettings], xarray.DataArray | None] | None = None
    grows_with: str = "d"
    whole_run: bool = False
    average: Callable[..., np.ndarray] = np.mean

    @property
    def whole_curve(self) -> bool:
        """Whether it is found from counts at all batch sizes, not at a single point."""
        return self.values is None

    @property
    def in_samples(self) -> bool:
        """Whether its exponent is one in the number of samples, not in d."""
        return self.grows_with != "d"


def case_of(settings: FitSettings, at: Mapping[str, Any]) -> Case:
    """What the theory is asked about on a line (``at``, all of :data:`LINE`)."""
    rate = settings.learning_rates[at["optimizer"]]
    schedule = "warm-up" if rate.get("warmup") else rate["schedule"]
    theory = settings.theory[at["optimizer"]]
    return Case(theory, schedule, at["alpha"], at["kappa"], at["step"])


def asymptotic_exponent(quantity: str, settings: FitSettings, at: Mapping[str, Any]) -> float:
    """The theory's exponent on a line (``at``, all of :data:`LINE`); it is of the population and α > 1."""
    if at["alpha"] <= 1 or not math.isinf(at["batch_size"]):
        return math.nan
    return QUANTITIES[quantity].exponent(case_of(settings, at))


MANY_STEPS = {"muon": "constant", "gradient": "growing"}
"""Learning rates of the theorems about more than one step, by theory."""


def capacity_exponent(case: Case) -> float:
    """Of the count: theorems at κ = 0, Muon's heuristic at κ > 0, Newton's invariance at every κ.

    Of more than one step there are theorems 9 and 10, for the learning rates of :data:`MANY_STEPS`.
    They are about thresholded gradients; for exact ones the same exponents are the paper's conjecture.
    """
    if case.step > 1 and MANY_STEPS.get(case.theory) != case.schedule:
        return math.nan
    if case.theory == "muon":
        return scaling.muon_exponent(case.alpha, case.kappa, case.step)
    if case.theory == "newton":
        return scaling.muon_exponent(case.alpha)
    if case.theory == "gradient" and case.kappa == 0:
        return scaling.gradient_exponent(case.alpha, case.step)
    return math.nan


def _of_first_gradient(exponent: Callable[[float], float]) -> Callable[[Case], float]:
    return lambda case: exponent(case.alpha) if case.kappa == 0 and case.step == 1 else math.nan


def _loss_exponent(case: Case) -> float:
    return (1 - case.alpha) * capacity_exponent(case)


def _bound_exponent(case: Case) -> float:
    known = case.theory in ("muon", "gradient") and case.kappa == 0
    return 0 * capacity_exponent(case) if known else math.nan


def _limit_exponent(case: Case) -> float:
    """Of what a memory can hold, so for Muon at any learning rate."""
    known = case.theory == "muon" or math.isfinite(capacity_exponent(case))
    return 2.0 if case.kappa == 0 and known else math.nan


def _critical_exponent(case: Case) -> float:
    if case.kappa != 0 or case.step != 1:
        return math.nan
    if case.theory == "muon":
        return scaling.muon_critical_batch_exponent(case.alpha)
    return scaling.GRADIENT_CRITICAL_BATCH_EXPONENT if case.theory == "gradient" else math.nan


def _information_exponent(case: Case) -> float:
    return 1 / case.alpha


def _no_exponent(case: Case) -> float:
    return math.nan


def _measured(name: str) -> Callable:
    return lambda grid, settings: grid[name] if grid[name].notnull().any() else None


def _capacity_to_polar(grid: xarray.Dataset, settings: FitSettings) -> xarray.DataArray | None:
    polar = [name for name in grid.optimizer.values if settings.theory[name] == "muon"]
    if len(polar) != 1 or grid.sizes["optimizer"] == 1:
        return None
    return relative_to(grid.capacity, optimizer=polar[0])


def _capacity_to_isotropic(grid: xarray.Dataset, settings: FitSettings) -> xarray.DataArray | None:
    if 0.0 not in grid.kappa or grid.sizes["kappa"] == 1:
        return None
    return relative_to(grid.capacity, kappa=0.0)


def _capacity_to_predicted(grid: xarray.Dataset, settings: FitSettings) -> xarray.DataArray | None:
    if not grid.predicted_capacity.notnull().any():
        return None
    predicted = grid.predicted_capacity.where(grid.predicted_capacity > 0)
    return (grid.capacity / predicted).transpose(*grid.capacity.dims)


def _capacity_to_seen(grid: xarray.Dataset, settings: FitSettings) -> xarray.DataArray:
    return grid.capacity / grid.items_seen.where(grid.items_seen > 0)


def _worst_to_uniform(grid: xarray.Dataset, settings: FitSettings) -> xarray.DataArray | None:
    if not grid.worst_item_loss.notnull().any():
        return None
    return grid.worst_item_loss / math.log(settings.n_items)


def _loss_over_bound(grid: xarray.Dataset, settings: FitSettings) -> xarray.DataArray | None:
    loss = grid.best_loss.fillna(grid.loss)
    if not loss.notnull().any():
        return None
    counts = grid.capacity.where(grid.capacity > 0)
    return (loss * counts ** (grid.alpha - 1)).transpose(*grid.capacity.dims)


def _peak_capacity(grid: xarray.Dataset, settings: FitSettings) -> xarray.DataArray | None:
    if grid.sizes["step"] == 1:
        return None
    return grid.peak_capacity.where(grid.step == grid.step[-1]).transpose(*grid.capacity.dims)


def _peak_to_ceiling(grid: xarray.Dataset, settings: FitSettings) -> xarray.DataArray | None:
    import xarray

    peak = _peak_capacity(grid, settings)
    if peak is None:
        return None
    ceilings = [predictions.ceiling(settings.n_items, d) for d in grid.d.values.tolist()]
    return peak / xarray.DataArray(ceilings, {"d": grid.d})


QUANTITIES: dict[str, Quantity] = {
    "capacity": Quantity(
        "recovered items", capacity_exponent, lambda grid, settings: grid.capacity
    ),
    "robust_prefix": Quantity(
        "most frequent items that are recovered but for a share",
        capacity_exponent,
        _measured("robust_prefix"),
    ),
    "bulk_singular_value": Quantity(
        "singular value of the gradient at rank d/2",
        _of_first_gradient(scaling.bulk_exponent),
        _measured("bulk_singular_value"),
    ),
    "mean_inverse_singular_value": Quantity(
        "mean of 1/sigma of the gradient",
        _of_first_gradient(lambda alpha: -scaling.bulk_exponent(alpha)),
        _measured("mean_inverse_singular_value"),
        # The density of singular values does not vanish at zero: 1/σ has no mean over seeds.
        average=np.median,
    ),
    "capacity_to_polar": Quantity(
        "recovered items relative to the exact polar map's, same seed",
        _no_exponent,
        _capacity_to_polar,
    ),
    "capacity_to_isotropic": Quantity(
        "recovered items relative to kappa = 0, same seed", _no_exponent, _capacity_to_isotropic
    ),
    "capacity_to_predicted": Quantity(
        "recovered items relative to those predicted without a fit parameter",
        _no_exponent,
        _capacity_to_predicted,
    ),
    "capacity_to_seen": Quantity(
        "recovered items relative to the distinct items behind the gradients so far, same seed",
        _no_exponent,
        _capacity_to_seen,
    ),
    "best_loss": Quantity(
        "softmax loss at the best learning rate", _loss_exponent, _measured("best_loss")
    ),
    "loss_over_bound": Quantity(
        "loss, the best where several learning rates were tried, times (recovered items)^(alpha - 1)",
        _bound_exponent,
        _loss_over_bound,
    ),
    "worst_to_uniform": Quantity(
        "largest loss of an item, at the configured learning rate, relative to log N",
        _no_exponent,
        _worst_to_uniform,
    ),
    "peak_capacity": Quantity(
        "most items recovered after any step of a run of many",
        _limit_exponent,
        _peak_capacity,
        whole_run=True,
    ),
    "peak_to_ceiling": Quantity(
        "most items recovered after any step of a run, relative to the most of any linear memory",
        _no_exponent,
        _peak_to_ceiling,
        whole_run=True,
    ),
    "critical_batch_size": Quantity("critical batch size", _critical_exponent),
    "information": Quantity(
        "recovered items below the critical batch size: exponent in the batch size, not in d",
        _information_exponent,
        grows_with="batch size",
    ),
    "information_steps": Quantity(
        "recovered items while fewer samples than a critical batch were seen: exponent in the number "
        "of steps at a fixed batch size, not in d",
        _information_exponent,
        grows_with="number of steps, at fixed batch sizes",
        whole_run=True,
    ),
}
"""Every quantity by its name in fits and claims, in the order of the fits."""

PREDICTED = {
    "capacity": "capacity predicted without a fit parameter",
    "robust_prefix": "robust prefix predicted without a fit parameter",
    "recovered_mass": "total frequency of the recovered items, predicted without a fit parameter",
    "head_recall": "share of the d most frequent items recovered, predicted without a fit parameter",
    "logit_noise": "standard deviation of a competitor's logit, predicted without a fit parameter",
    "linear_response": "capacity of a user's own map in its linear response to rare items, without "
    "saturation and too high for small d; no fit parameter",
}
"""What the finite-size theory predicts, and what fits call the prediction."""

NAMES = frozenset(QUANTITIES)
