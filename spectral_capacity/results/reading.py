"""Grids and fits, read as xarray datasets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray


def open_grid(path: str | os.PathLike) -> xarray.Dataset:
    """A grid, a cell or fits in memory. Counts are integers unless some are missing (then NaN)."""
    import xarray

    return xarray.load_dataset(path, engine="netcdf4")
