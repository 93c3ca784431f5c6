"""Grids and fits, read as xarray datasets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spectral_capacity.results.netcdf import open_netcdf, read_values

if TYPE_CHECKING:
    import xarray


def open_grid(path: str | os.PathLike) -> xarray.Dataset:
    """A grid, a cell or fits in memory. Counts are integers unless some are missing (then NaN).

    Raises :class:`results.netcdf.DamagedFile` where a checksum says so; the file is then set aside.
    """
    import xarray

    with open_netcdf(path) as file:
        read_values(file)
        return xarray.load_dataset(path, engine="netcdf4")


def open_by_name(paths: Iterable[str | os.PathLike]) -> dict[str, xarray.Dataset]:
    """:func:`open_grid` of each path, by the names of the files without suffix."""
    return {Path(path).stem: open_grid(path) for path in paths}


def open_grids(
    paths: str | os.PathLike | Sequence[str | os.PathLike],
) -> xarray.Dataset | list[xarray.Dataset] | None:
    """:func:`open_grid` of one path, or of each of several; None of none."""
    if isinstance(paths, str | os.PathLike):
        return open_grid(paths)
    return [open_grid(path) for path in paths] or None
