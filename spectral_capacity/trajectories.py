"""Grids of many steps: what a run that stopped early counts as."""

from __future__ import annotations

import numpy as np
import xarray as xr

from spectral_capacity.outcomes import Status


def carried(grid: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Capacity, where runs of the population that stopped early keep their last count, and which do.

    Both have the dimensions of the grid's ``capacity``. Such a run had next to stopped gaining, so what this
    misses is small; leaving its seed out would keep the seeds that gain most, and leaving the point out
    would lose the very end that is asked for. Not carried on are a run that diverged, and runs on
    batches: on small ones a run that gained nothing for a while has not come to its end, it has not
    met a new item.
    """
    counts = grid.capacity
    ran = counts.notnull().sum("step")  # a run's steps are its first
    last = counts.isel(step=(ran - 1).clip(min=0)).drop_vars("step")
    stopped = (grid.status == Status.NOT_RUN) & np.isinf(grid.batch_size) & (ran > 0)
    stopped = stopped.transpose(*counts.dims)
    return counts.where(~stopped, last).transpose(*counts.dims).astype(float), stopped
