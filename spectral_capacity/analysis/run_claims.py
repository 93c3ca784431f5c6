"""Claims about runs of a memory: what each measured, or one optimizer against another, seed by seed.

Runs of equal seeds have the same embeddings and batches, so a ratio of two says more than two means do. Each
seed gives a number, and the mean of these has an interval of Student's t. Ratios are compared by their
logarithms: means are geometric.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from spectral_capacity.analysis.claims_file import RunClaim
from spectral_capacity.analysis.fitted_steps import fitted_steps
from spectral_capacity.analysis.run_quantities import RUN_QUANTITIES
from spectral_capacity.analysis.steps_to_store import at_best_rates, critical_batch
from spectral_capacity.analysis.verdicts import (
    MIN_LARGEST_D,
    TOO_SMALL,
    band,
    decides,
    p_value,
    verdict,
)
from spectral_capacity.results.schema import RATE_FACTOR
from spectral_capacity.results.swept_rates import at_chosen_rates, best_rates

Seeds = Float[np.ndarray, " s"]


def lines(claim: RunClaim, grid: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Rows of a claim: every optimizer, other, batch size, step, α and κ that was run.

    ``grid``: of :mod:`memory.measured`. Sweeps are at the rates that tuning seeds chose, by the loss where the
    claim is about it; see :data:`STATISTICS`.
    """
    statistic = STATISTICS[claim.statistic]
    if statistic.of_sweeps and RATE_FACTOR not in grid.dims:
        return
    runs = statistic.runs(claim, grid.sortby(["d", "batch_size"]))
    known = runs.optimizer.values
    names = [name for name in claim.optimizers if name in known]
    others = [name for name in claim.others if name in known] if claim.others else [""]
    asked = {"batch_size": _batches(claim), "step": _steps(claim, grid)}
    asked |= {dim: grid[dim].values.tolist() for dim in ("alpha", "kappa")}
    made = {dim: set(runs[dim].values.tolist()) for dim in asked if dim in runs.dims}
    rows = {dim: [value for value in asked[dim] if value in made[dim]] for dim in made}
    for name, other, *where in product(names, others, *rows.values()):
        at = dict(zip(rows, where, strict=True))
        of = [runs.sel(at | {"optimizer": each}) for each in (name, other) if each]
        about = {"optimizer": name, "against": other, "largest_d": runs.d.max().item()}
        about |= {dim: value for dim, value in at.items() if not math.isinf(value)}
        yield about | _judged(claim, statistic, of)


def _batches(claim: RunClaim) -> list[float]:
    return [math.inf if size == "population" else float(size) for size in claim.batch_sizes]


def _steps(claim: RunClaim, grid: xr.Dataset) -> list[int]:
    return grid.step.values.tolist()[-1:] if claim.steps == "last" else claim.steps


@dataclass(frozen=True)
class Statistic:
    """runs: from (claim, grid) to what is compared, over (optimizer, d, seed, …); a row is at a value of every
    dimension. of_seeds: from one or two optimizers' to a number a seed. is_ratio: whether that is the
    logarithm of what is told. in_d: whether it is an exponent in d. of_sweeps: whether it needs all rates of a
    sweep."""

    of_seeds: Callable[..., Seeds]
    runs: Callable[[RunClaim, xr.Dataset], xr.DataArray]
    is_ratio: bool = False
    in_d: bool = False
    of_sweeps: bool = False


def _judged(claim: RunClaim, statistic: Statistic, of: Sequence[xr.DataArray]) -> dict[str, Any]:
    """What is measured, what is allowed, the verdict."""
    values, told = statistic.of_seeds(*of), math.exp if statistic.is_ratio else float
    mean, error, freedom = float(values.mean()), standard_error(values), float(values.size - 1)
    low, high = mean_interval(values)
    ends = band(claim.relation, claim.predicted, claim.tolerance)
    allowed = [math.log(max(end, 1e-300)) for end in ends] if statistic.is_ratio else ends
    fitted = float(of[0].d.size) if statistic.in_d else math.nan
    least = max(claim.from_d or 0, MIN_LARGEST_D)
    enough = decides(fitted, int(of[0].d[-1]), values.size, least)
    found = {"measured": float(told(mean)), "low": float(told(low)), "high": float(told(high))}
    return found | {
        "predicted": claim.predicted,
        "tolerance": claim.tolerance,
        "seeds": values.size,
        "fitted": fitted,
        "p": p_value(mean, error, *allowed, freedom),
        "verdict": verdict(low, high, *allowed) if enough else TOO_SMALL,
    }


def standard_error(values: Seeds) -> float:
    """Of the mean; NaN of fewer than two values, and where one is missing."""
    return float(values.std(ddof=1)) / math.sqrt(values.size) if values.size > 1 else math.nan


def mean_interval(values: Seeds, confidence: float = 0.95) -> tuple[float, float]:
    """Of Student's t; NaN where :func:`standard_error` is."""
    from scipy.stats import t

    mean, error = float(values.mean()), standard_error(values)
    if math.isnan(error):
        return math.nan, math.nan
    reach = float(t.ppf((1 + confidence) / 2, values.size - 1)) * error
    return mean - reach, mean + reach


def _quantity(claim: RunClaim, grid: xr.Dataset) -> xr.DataArray:
    """The claim's, over (optimizer, alpha, kappa, d, batch_size, step, seed)."""
    chosen = at_chosen_rates(grid, by="loss" if claim.quantity == "loss" else None)
    return RUN_QUANTITIES[claim.quantity].values(chosen)


def _rates(claim: RunClaim, grid: xr.Dataset) -> xr.DataArray:
    return best_rates(grid, by="loss" if claim.quantity == "loss" else None)


def _steps_to(claim: RunClaim, grid: xr.Dataset) -> xr.DataArray:
    """Steps until a multiple of d of items is stored."""
    widths = [at_best_rates(grid.sel(d=[d]), claim.items * d) for d in grid.d.values.tolist()]
    return xr.concat(widths, "d").rename(batch_size="batch")


def _over_steps(claim: RunClaim, grid: xr.Dataset) -> xr.DataArray:
    """The claim's quantity, whose steps are no rows."""
    return _quantity(claim, grid).rename(step="made")


def _log(values: np.ndarray) -> np.ndarray:
    """NaN where there is no logarithm."""
    return np.log(np.where(values > 0, values, np.nan))


def level(one: xr.DataArray) -> Seeds:
    """The value at the largest d."""
    return one.isel(d=-1).values


def ratio(one: xr.DataArray, other: xr.DataArray) -> Seeds:
    """The logarithm of the one's value over the other's, at the largest d."""
    return _log(one.isel(d=-1).values) - _log(other.isel(d=-1).values)


def ratio_exponent(one: xr.DataArray, other: xr.DataArray) -> Seeds:
    """The exponent in d of the one's value over the other's, by least squares over all d."""
    of = [_log(x.transpose("seed", "d").values) for x in (one, other)]
    return _slopes(one.d.values, of[0] - of[1])


def exponent(one: xr.DataArray) -> Seeds:
    """The exponent in d, by least squares over all d."""
    return _slopes(one.d.values, _log(one.transpose("seed", "d").values))


def step_exponent(one: xr.DataArray) -> Seeds:
    """The exponent in the number of steps, at the largest d, by least squares over
    :func:`analysis.fitted_steps.fitted_steps`, which lie evenly in log t."""
    last = one.isel(d=-1).sel(made=fitted_steps(one.made.size)).transpose("seed", "made")
    return _slopes(last.made.values, _log(last.values))


def critical_batch_ratio(one: xr.DataArray, other: xr.DataArray) -> Seeds:
    """The logarithm of the one's critical batch size over the other's, at the largest d.

    Of the steps that store a number of items (:mod:`analysis.steps_to_store`).
    """
    return _critical(one) - _critical(other)


def _critical(steps: xr.DataArray) -> Seeds:
    last = steps.isel(d=-1).transpose("seed", "batch")
    of_seeds = (critical_batch(last.batch.values, seed[:, None]) for seed in last.values)
    return _log(np.array([found.batch_size for found in of_seeds]))


def _slopes(x: np.ndarray, y: Float[np.ndarray, "s m"]) -> Seeds:
    """Of each row against log x; NaN with fewer than two points, and where a value is missing."""
    if x.size < 2:
        return np.full(len(y), np.nan)
    centred = np.log(x) - np.log(x).mean()
    return y @ centred / (centred @ centred)


STATISTICS = {
    "mean": Statistic(level, _quantity),
    "ratio": Statistic(ratio, _quantity, is_ratio=True),
    "exponent_of_runs": Statistic(exponent, _quantity, in_d=True),
    "ratio_exponent": Statistic(ratio_exponent, _quantity, in_d=True),
    "step_exponent": Statistic(step_exponent, _over_steps),
    "rate_exponent": Statistic(exponent, _rates, in_d=True, of_sweeps=True),
    "critical_batch_ratio": Statistic(
        critical_batch_ratio, _steps_to, is_ratio=True, of_sweeps=True
    ),
}
"""By name in the file of claims: what is told of one optimizer, or of one against another."""
