"""Grids of many steps: what a run that stopped early counts as."""

from __future__ import annotations

import numpy as np
import xarray as xr

from spectral_capacity.results.schema import Status


def capacity_to_the_end(grid: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Capacity, where runs of the population that stopped early keep their last count, and which do.

    Both have the dimensions of the grid's ``capacity``. Such a run had next to stopped gaining; its last
    count may be a low one of those it alternates between (:func:`peak`). Leaving its seed out would keep
    the seeds that gain most, and leaving the point out would lose the very end that is asked for. Not
    carried on are a run that diverged, and runs on batches: on small ones a run that gained nothing for
    a while has not come to its end, it has not met a new item.
    """
    counts = grid.capacity
    ran = counts.notnull().sum("step")  # a run's steps are its first
    last = counts.isel(step=(ran - 1).clip(min=0)).drop_vars("step")
    stopped = (grid.status == Status.NOT_RUN) & np.isinf(grid.batch_size) & (ran > 0)
    stopped = stopped.transpose(*counts.dims)
    return counts.where(~stopped, last).transpose(*counts.dims).astype(float), stopped


def peak(grid: xr.Dataset) -> xr.DataArray:
    """The most items that each run recovered after any of its steps; missing where it has no last count.

    At a constant learning rate counts alternate from step to step, and where a run ends is chance. On
    batches the most of many noisy counts lies a little above their mean.
    """
    has_end = capacity_to_the_end(grid)[0].isel(step=-1, drop=True).notnull()
    return grid.capacity.max("step").where(has_end)
