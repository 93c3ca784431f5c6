"""Learning rates of linear memories that tuning seeds choose, for what the other seeds then show.

Grids of sweeps are those of :data:`memory.measured.SWEPT_SCHEMA`: every rate is in them. What is to be shown at
one rate, such as a capacity against d, is read through :func:`at_chosen_rates`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from spectral_capacity.results.near_best import at_edge, decades_near_best, rates_tried
from spectral_capacity.results.schema import RATE_FACTOR, Status

MEASURED = (Status.OK, Status.PRECISION_LIMITED)
"""Runs that ended well."""


def at_chosen_rates(grid: xr.Dataset, by: str | None = None) -> xr.Dataset:
    """A grid of sweeps at the rates that its tuning seeds chose, for all other seeds; any other grid as it is.

    The criterion is the configuration's, from the grid's provenance: the largest mean over the tuning seeds of
    a count, a prefix or a mass at some step, or the least loss; of equal ones the least rate, never one at
    which any of them diverged. With ``each`` for a step every number of steps has a rate of its own: what a
    user has who trains for so long and no longer. ``by`` takes the place of what is compared. Optimizers
    without a sweep are at their one rate. New variables, each over (optimizer, alpha, kappa, d, batch_size),
    and step where that is ``each``: ``learning_rate_factor``, NaN where there is no choice; ``rate_at_edge``,
    whether it is the least or the largest of the optimizer's, so that one beyond might be better;
    ``rate_decades``, how wide rates lie that are within 90 % of the best
    (:func:`results.near_best.decades_near_best`).
    """
    if RATE_FACTOR not in grid.dims:
        return grid
    sweeps = {name: dict(one) | ({"by": by} if by else {}) for name, one in criteria(grid).items()}
    scores, tried = tuning_scores(grid, sweeps), rates_tried(grid, RATE_FACTOR)
    best = {RATE_FACTOR: scores.fillna(-np.inf).argmax(RATE_FACTOR)}
    known, swept = scores.notnull().any(RATE_FACTOR), grid.optimizer.isin([*sweeps])
    here = grid.sel(seed=reported_seeds(grid)).isel(best)
    chosen = here.reset_coords(RATE_FACTOR)
    if not known.all():
        status = chosen.status.where(known, np.int8(Status.NOT_RUN))
        chosen = chosen.where(known).assign(status=status)
    chosen = chosen.assign(
        rate_at_edge=known & swept & at_edge(tried, RATE_FACTOR).isel(best).drop_vars(RATE_FACTOR),
        rate_decades=decades_near_best(scores, tried, RATE_FACTOR),
    )
    dims = [dim for dim in grid.capacity.dims if dim != RATE_FACTOR]
    return chosen.transpose(*dims).assign_attrs(grid.attrs)


def best_rates(grid: xr.Dataset, by: str | None = None) -> xr.DataArray:
    """η that is best for each reported seed by itself, over the grid's dimensions but that of rates.

    The criterion as for :func:`at_chosen_rates`; of the run's last step where it names none. Between rates it
    is the top of a parabola through the logarithms of the best one and its neighbours. NaN where it is the
    least or the largest of the optimizer's rates, or nothing is known, and of optimizers without a sweep.
    """
    sweeps = criteria(grid)
    seeds = reported_seeds(grid)
    alone = {name: dict(sweep) | {"tuning_seeds": 1} for name, sweep in sweeps.items()}
    alone = {name: sweep | ({"by": by} if by else {}) for name, sweep in alone.items()}
    scores = [tuning_scores(grid.sel(seed=[s], optimizer=[*sweeps]), alone) for s in seeds]
    best = xr.apply_ufunc(
        _top,
        xr.concat(scores, xr.DataArray(seeds, dims="seed", name="seed")),
        grid[RATE_FACTOR],
        input_core_dims=[[RATE_FACTOR]] * 2,
    )
    return best * configured_rates(grid)


def _top(scores: Float[np.ndarray, "*b r"], factors: Float[np.ndarray, " r"]) -> np.ndarray:
    """Where each row is largest, between factors; NaN at the ends of what is known."""
    x, logs = np.log(factors), np.log(np.where(scores > 0, scores, np.nan))
    found = np.full(scores.shape[:-1], np.nan)
    for where in np.ndindex(found.shape):
        known = np.flatnonzero(np.isfinite(logs[where]))
        at = known[logs[where][known].argmax()] if known.size else -1
        if known.size and known[0] < at < known[-1]:
            near = known[np.searchsorted(known, at) + np.arange(-1, 2)]
            a, b, _ = np.polyfit(x[near] - x[at], logs[where][near] - logs[where][at], 2)
            found[where] = math.exp(x[at] - b / (2 * a)) if a < 0 else factors[at]
    return found


def criteria(grid: xr.Dataset) -> dict[str, Mapping[str, Any]]:
    """The sweep of each optimizer that has one, as the configuration writes it."""
    return {name: rate["sweep"] for name, rate in _rates(grid).items() if rate.get("sweep")}


def configured_rates(grid: xr.Dataset) -> xr.DataArray:
    """η = scale · d^d_power of the configuration, (optimizer, d), before factors and schedule."""
    d = grid.d.astype(float)
    rates = [rate["scale"] * d ** rate["d_power"] for rate in _rates(grid).values()]
    return xr.concat(rates, grid.optimizer)


def _rates(grid: xr.Dataset) -> dict[str, Mapping[str, Any]]:
    made = json.loads(grid.attrs["provenance"])["configuration"]["definitions"]
    return {name: made[name]["learning_rate"] for name in grid.optimizer.values}


EACH = "each"
"""In place of a step: all of them, each with a rate of its own."""


def tuning_scores(grid: xr.Dataset, sweeps: Mapping[str, Mapping[str, Any]]) -> xr.DataArray:
    """What chooses: larger is better; NaN where a tuning seed's run diverged, or there is none.

    (optimizer, alpha, kappa, d, batch_size, learning_rate_factor), and step where any sweep has
    :data:`EACH`: a mean over tuning seeds, of losses its inverse, so that shares of the best mean what they
    say.
    """
    scores = [_score(grid.sel(optimizer=name), sweeps.get(name)) for name in grid.optimizer.values]
    if any("step" in score.dims for score in scores):
        scores = [score.broadcast_like(grid.step) for score in scores]
    return xr.concat(scores, grid.optimizer)


def _score(one: xr.Dataset, sweep: Mapping[str, Any] | None) -> xr.DataArray:
    if sweep is None:
        alone = one[RATE_FACTOR] == 1.0
        return xr.ones_like(one.capacity.isel(seed=0, step=0, drop=True), float).where(alone)
    tuning = one.isel(seed=slice(sweep["tuning_seeds"]))
    value = _to_the_end(tuning[sweep["by"]].where(tuning.status.isin(MEASURED)))
    ran = (tuning.status == Status.DIVERGED).cumsum("step") == 0
    mean = value.where(ran).mean("seed", skipna=False)
    if sweep["step"] != EACH:
        mean = mean.isel(step=(sweep["step"] or mean.step.size) - 1, drop=True)
    return 1 / mean if sweep["by"] == "loss" else mean.astype(float)


def _to_the_end(values: xr.DataArray) -> xr.DataArray:
    """Values along steps, where a run that stopped early stays at its last one."""
    return xr.apply_ufunc(
        _last_there, values, input_core_dims=[["step"]], output_core_dims=[["step"]]
    )


def _last_there(values: Float[np.ndarray, "*b t"]) -> Float[np.ndarray, "*b t"]:
    positions = np.where(np.isnan(values), 0, np.arange(values.shape[-1]))
    return np.take_along_axis(values, np.maximum.accumulate(positions, axis=-1), axis=-1)


def reported_seeds(grid: xr.Dataset) -> np.ndarray:
    """The seeds of a grid of sweeps that choose no optimizer's rate."""
    return grid.seed.values[max(sweep["tuning_seeds"] for sweep in criteria(grid).values()) :]
