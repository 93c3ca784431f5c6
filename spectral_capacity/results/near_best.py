"""Learning rates about as good as the best one: how wide they lie, and whether the best one is at an edge.

Of grids of every kind; ``rate`` names the dimension of learning rates, or of multiples of one.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from spectral_capacity.results.schema import Status

SHARE = 0.9
"""A rate counts as good as the best if it gives this share of what that gives."""


def rates_tried(grid: xr.Dataset, rate: str = "learning_rate") -> xr.DataArray:
    """(optimizer, rate): whether the optimizer has any run at the rate, be it one that diverged."""
    ran = grid.status != Status.NOT_RUN
    return ran.any([dim for dim in ran.dims if dim not in ("optimizer", rate)])


def at_edge(tried: xr.DataArray, rate: str = "learning_rate") -> xr.DataArray:
    """(optimizer, rate): whether a rate is the least or the largest of the optimizer's."""
    rates = tried[rate].where(tried)
    ends = (rates == rates.min(rate)) | (rates == rates.max(rate))
    return tried & ends


def decades_near_best(
    values: xr.DataArray, tried: xr.DataArray, rate: str = "learning_rate"
) -> xr.DataArray:
    """Width, log10 of largest over least, of :func:`near_best`; NaN where no value is positive."""
    near = near_best(values, tried, rate)
    powers = np.log10(near[rate]).where(near)
    return powers.max(rate) - powers.min(rate)


def near_best(
    values: xr.DataArray, tried: xr.DataArray, rate: str = "learning_rate"
) -> xr.DataArray:
    """Rates around the best one, without a gap, whose values are at least :data:`SHARE` of its own.

    values: (…, rate), NaN where a run diverged. tried: which rates count, as of :func:`rates_tried`.
    A rate that was not tried is no gap and is no part. None where no value is positive.
    """
    values, tried = xr.broadcast(values.sortby(rate), tried.sortby(rate))
    return xr.apply_ufunc(
        _near_best,
        values,
        tried,
        input_core_dims=[[rate]] * 2,
        output_core_dims=[[rate]],
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
