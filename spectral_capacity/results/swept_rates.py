"""Learning rates of linear memories that tuning seeds choose, for what the other seeds then show.

Grids of sweeps are those of :data:`memory.measured.SWEPT_SCHEMA`: every rate is in them. What is to be shown at
one rate, such as a capacity against d, is read through :func:`at_chosen_rates`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from spectral_capacity.results.near_best import at_edge, decades_near_best, rates_tried
from spectral_capacity.results.schema import RATE_FACTOR, Status

MEASURED = (Status.OK, Status.PRECISION_LIMITED)
"""Runs that ended well."""


def at_chosen_rates(grid: xr.Dataset) -> xr.Dataset:
    """A grid of sweeps at the rates that its tuning seeds chose, for all other seeds; any other grid as it is.

    The criterion is the configuration's, from the grid's provenance: the largest mean over the tuning seeds of
    a count, a prefix or a mass at some step, or the least loss; of equal ones the least rate, never one at
    which any of them diverged. Optimizers without a sweep are at their one rate. New variables, each over
    (optimizer, alpha, kappa, d, batch_size): ``learning_rate_factor``, NaN where there is no choice;
    ``rate_at_edge``, whether it is the least or the largest of the optimizer's, so that one beyond might be
    better; ``rate_decades``, how wide rates lie that are within 90 % of the best
    (:func:`results.near_best.decades_near_best`).
    """
    if RATE_FACTOR not in grid.dims:
        return grid
    sweeps = criteria(grid)
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


def criteria(grid: xr.Dataset) -> dict[str, Mapping[str, Any]]:
    """The sweep of each optimizer that has one, as the configuration writes it."""
    made = json.loads(grid.attrs["provenance"])["configuration"]
    rates = {name: made["definitions"][name]["learning_rate"] for name in grid.optimizer.values}
    return {name: rate["sweep"] for name, rate in rates.items() if rate.get("sweep")}


def tuning_scores(grid: xr.Dataset, sweeps: Mapping[str, Mapping[str, Any]]) -> xr.DataArray:
    """What chooses: larger is better; NaN where a tuning seed's run diverged, or there is none.

    (optimizer, alpha, kappa, d, batch_size, learning_rate_factor): a mean over tuning seeds, of losses its
    inverse, so that shares of the best mean what they say.
    """
    return xr.concat(
        [_score(grid.sel(optimizer=name), sweeps.get(name)) for name in grid.optimizer.values],
        grid.optimizer,
    )


def _score(one: xr.Dataset, sweep: Mapping[str, Any] | None) -> xr.DataArray:
    if sweep is None:
        alone = one[RATE_FACTOR] == 1.0
        return xr.ones_like(one.capacity.isel(seed=0, step=0, drop=True), float).where(alone)
    tuning = one.isel(seed=slice(sweep["tuning_seeds"]))
    upto = tuning.isel(step=slice(sweep["step"] or tuning.step.size))
    value = _last(upto[sweep["by"]].where(upto.status.isin(MEASURED)))
    ran = ~(upto.status == Status.DIVERGED).any("step")
    mean = value.where(ran).mean("seed", skipna=False)
    return 1 / mean if sweep["by"] == "loss" else mean.astype(float)


def _last(values: xr.DataArray) -> xr.DataArray:
    """The last value along steps that is there: of a run that stopped early, that of its end."""
    there = values.notnull()
    last = (there * np.arange(1, values.step.size + 1)).argmax("step")
    return values.isel(step=last, drop=True).drop_vars("step", errors="ignore")


def reported_seeds(grid: xr.Dataset) -> np.ndarray:
    """The seeds of a grid of sweeps that choose no optimizer's rate."""
    return grid.seed.values[max(sweep["tuning_seeds"] for sweep in criteria(grid).values()) :]
