"""When a training first has what was looked for."""

from __future__ import annotations

import numpy as np
import xarray as xr


def first_reached(values: xr.DataArray, level: float) -> xr.DataArray:
    """The first iteration, of those measured, after which ``values`` (…, iteration) are ``level`` or more; inf
    where they never are. A value that is missing is not."""
    values = values.sortby("iteration")
    there = values >= level
    first = values.iteration[there.argmax("iteration")].drop_vars("iteration")
    return first.where(there.any("iteration"), np.inf).rename("iteration")
