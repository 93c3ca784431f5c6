"""Learning rates of transformers: chosen by the runs of one seed, for what the other seeds then show.

Grids are those of :mod:`incontext.measured`. A rate is one of an optimizer's if any of its runs was made at it;
the others on the grid's axis belong to other optimizers and are as if they were not there.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from spectral_capacity.incontext.measured import TUNING
from spectral_capacity.results.schema import Status

SHARE = 0.9
"""A rate counts as good as the best if it gives this share of what that gives."""


def at_chosen_rates(grid: xr.Dataset, metric: str, iteration: int) -> xr.Dataset:
    """What the reported seeds measured after ``iteration`` updates, at rates that the tuning seed chose.

    Of every optimizer, laws, d and batch size: ``learning_rate``, the one at which the run of the tuning seed
    has the largest ``metric`` at this iteration; of equal ones the least, never one at which it diverged, NaN
    where there is none. ``at_edge``: whether it is the least or the largest of the optimizer's rates, so that
    one beyond might be better. ``decades`` as of :func:`decades_near_best`, of the tuning seed. Of these and
    every other seed: ``value``, the metric, NaN where the run diverged, and ``status``.
    """
    here = grid.sel(iteration=iteration, drop=True).sortby("learning_rate")
    values = here[metric].where(here.status == Status.OK)
    tuned, tried = values.sel(seed=TUNING, drop=True), rates_tried(here)
    best = {"learning_rate": tuned.fillna(-np.inf).argmax("learning_rate")}
    known = tuned.notnull().any("learning_rate")
    others = here.seed.values[here.seed.values != TUNING]
    chosen = xr.Dataset(
        {
            "at_edge": known & _is_end(tried).isel(best),
            "value": values.sel(seed=others).isel(best).where(known),
            "status": here.status.sel(seed=others).isel(best).where(known, Status.NOT_RUN),
        }
    ).reset_coords("learning_rate")
    rate = chosen.learning_rate.where(known)
    return chosen.assign(learning_rate=rate, decades=decades_near_best(tuned, tried))


def of_chosen_runs(grid: xr.Dataset, runs: xr.Dataset, iteration: int) -> xr.Dataset:
    """All that was measured of the runs that :func:`at_chosen_rates` reports; NaN where there is no choice."""
    here = grid.drop_vars("status").sel(iteration=iteration, seed=runs.seed, drop=True)
    known = runs.learning_rate.notnull()
    rates = runs.learning_rate.fillna(grid.learning_rate.min())
    return here.sel(learning_rate=rates).where(known).drop_vars("learning_rate")


def rates_tried(grid: xr.Dataset) -> xr.DataArray:
    """(optimizer, learning_rate): whether the optimizer has any run at the rate, be it one that diverged."""
    ran = grid.status != Status.NOT_RUN
    return ran.any([dim for dim in ran.dims if dim not in ("optimizer", "learning_rate")])


def decades_near_best(values: xr.DataArray, tried: xr.DataArray) -> xr.DataArray:
    """Width, log10 of largest over least, of :func:`near_best`; NaN where no value is positive."""
    near = near_best(values, tried)
    powers = np.log10(near.learning_rate).where(near)
    return powers.max("learning_rate") - powers.min("learning_rate")


def near_best(values: xr.DataArray, tried: xr.DataArray) -> xr.DataArray:
    """Rates around the best one, without a gap, whose values are at least :data:`SHARE` of its own.

    values: (…, learning_rate), NaN where a run diverged. tried: which rates count, as of :func:`rates_tried`.
    A rate that was not tried is no gap and is no part. None where no value is positive.
    """
    values, tried = xr.broadcast(values.sortby("learning_rate"), tried.sortby("learning_rate"))
    return xr.apply_ufunc(
        _near_best,
        values,
        tried,
        input_core_dims=[["learning_rate"]] * 2,
        output_core_dims=[["learning_rate"]],
    )


def _near_best(
    values: Float[np.ndarray, "*b r"], tried: Bool[np.ndarray, "*b r"]
) -> Bool[np.ndarray, "*b r"]:
    values = np.where(tried & np.isfinite(values), values, -np.inf)
    best = values.argmax(axis=-1, keepdims=True)
    top = np.take_along_axis(values, best, axis=-1)
    good = values >= SHARE * top
    gaps = np.cumsum(tried & ~good, axis=-1)  # as many on both sides of what stands together
    together = gaps == np.take_along_axis(gaps, best, axis=-1)
    return good & together & tried & (top > 0)


def _is_end(tried: xr.DataArray) -> xr.DataArray:
    """(optimizer, learning_rate): whether a rate is the least or the largest of the optimizer's."""
    rates = tried.learning_rate.where(tried)
    ends = (rates == rates.min("learning_rate")) | (rates == rates.max("learning_rate"))
    return tried & ends
