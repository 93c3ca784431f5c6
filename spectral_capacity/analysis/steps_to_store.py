"""Steps that a memory needs to store some number of items, against the batch size, each at its best rate.

While a batch is small, twice the batch needs half the steps; beyond the critical batch size more samples save
none. Arithmetic of McCandlish et al. (arXiv:1812.06162, Eq. 2.11): (S/S_min − 1)(E/E_min − 1) = 1 for S steps
and E = S·B samples, that is S = S_min (1 + B_c/B) with B_c = E_min/S_min. There it is derived for SGD near a
minimum; here it is a form that is fitted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from spectral_capacity.analysis.resampling import percentiles, rescaled
from spectral_capacity.results.schema import RATE_FACTOR
from spectral_capacity.results.swept_rates import MEASURED, criteria, reported_seeds

FEWEST = 3
"""Batch sizes behind a critical one."""


def steps_needed(capacity: xr.DataArray, items: float | int) -> xr.DataArray:
    """First time at which a capacity (…, step) reaches ``items``, interpolated; NaN if it never does.

    Before the first step nothing is stored.
    """
    return xr.apply_ufunc(
        _crossing,
        capacity,
        input_core_dims=[["step"]],
        kwargs={"items": float(items)},
        output_dtypes=[float],
    )


def _crossing(counts: Float[np.ndarray, "*b t"], *, items: float) -> Float[np.ndarray, "*b"]:
    before = np.concatenate([np.zeros_like(counts[..., :1]), counts[..., :-1]], axis=-1)
    there = counts >= items  # NaN is not
    first = there.argmax(axis=-1, keepdims=True)
    low, high = (np.take_along_axis(x, first, axis=-1)[..., 0] for x in (before, counts))
    with np.errstate(invalid="ignore", divide="ignore"):
        time = first[..., 0] + (items - low) / (high - low)
    return np.where(there.any(axis=-1), time, np.nan)


def at_best_rates(grid: xr.Dataset, items: float | int) -> xr.DataArray:
    """Steps to ``items`` of the reported seeds, at the rate at which the tuning seeds need the fewest.

    (optimizer, alpha, kappa, d, batch_size, seed) of a grid of sweeps. A rate at which a tuning seed never
    comes so far is none; NaN where there is no other, and where a reported seed never does.
    """
    counts = grid.capacity.where(grid.status.isin(MEASURED)).astype(float)
    time = steps_needed(counts, items)
    tuning = max(sweep["tuning_seeds"] for sweep in criteria(grid).values())
    tuned = np.log(time.isel(seed=slice(tuning))).mean("seed", skipna=False)
    best = {RATE_FACTOR: tuned.fillna(np.inf).argmin(RATE_FACTOR)}
    known = tuned.notnull().any(RATE_FACTOR)
    shown = time.sel(seed=reported_seeds(grid)).isel(best).where(known)
    return shown.reset_coords(RATE_FACTOR, drop=True)


@dataclass(frozen=True)
class CriticalBatch:
    """B_c and S_min of S = S_min (1 + B_c/B), with intervals of B_c over resampled seeds; NaN where unknown."""

    batch_size: float = math.nan
    low: float = math.nan
    high: float = math.nan
    least_steps: float = math.nan

    def steps(self, batch_size: Float[np.ndarray, " b"]) -> Float[np.ndarray, " b"]:
        """S at batch sizes, inf for the population."""
        return self.least_steps * (1 + self.batch_size / batch_size)


def critical_batch(
    batch_size: Float[np.ndarray, " b"],
    steps: Float[np.ndarray, "b s"],
    *,
    resamples: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> CriticalBatch:
    """Fit of the logarithms of mean steps (b, seeds), by least squares, over batch sizes that every seed knows.

    The population, inf, is the limit S_min. NaN with fewer than :data:`FEWEST` batch sizes; no interval of one
    seed.
    """
    known = np.isfinite(steps).all(axis=1)
    if known.sum() < FEWEST:
        return CriticalBatch()
    batch_size, logs = batch_size[known], np.log(steps[known])
    (found,) = _fitted(batch_size, logs.mean(axis=1)[None])
    rest = logs.mean(axis=1) - np.log1p(found / batch_size)
    least = math.exp(rest.mean())
    if logs.shape[1] == 1:
        return CriticalBatch(found.item(), least_steps=least)
    draws = np.random.default_rng(seed).integers(logs.shape[1], size=(resamples, logs.shape[1]))
    resampled = _fitted(batch_size, logs.T[draws].mean(axis=1))
    spread = rescaled(np.log(resampled), math.log(found), logs.shape[1])
    low, high = np.exp(percentiles(spread, confidence))
    return CriticalBatch(found.item(), float(low), float(high), least)


POINTS = 600
"""Of the grid of critical batch sizes among which the best is taken, and refined by a parabola."""


def _fitted(
    batch_size: Float[np.ndarray, " b"], log_steps: Float[np.ndarray, "r b"]
) -> Float[np.ndarray, " r"]:
    """B_c of each row: for each B_c the best S_min is known, the mean of what is left."""
    finite = batch_size[np.isfinite(batch_size)]
    grid = np.linspace(math.log(finite.min() / 100), math.log(100 * finite.max()), POINTS)
    law = np.log1p(np.exp(grid)[:, None] / batch_size)
    law -= law.mean(axis=1, keepdims=True)
    y = log_steps - log_steps.mean(axis=1, keepdims=True)
    misfit = (law**2).sum(axis=1) - 2 * y @ law.T
    best = misfit.argmin(axis=1).clip(1, POINTS - 2)
    left, middle, right = (
        np.take_along_axis(misfit, best[:, None] + k, 1)[:, 0] for k in (-1, 0, 1)
    )
    curve = left - 2 * middle + right
    shift = np.where(curve > 0, 0.5 * (left - right) / np.where(curve > 0, curve, 1), 0.0)
    return np.exp(grid[best] + shift.clip(-1, 1) * (grid[1] - grid[0]))
