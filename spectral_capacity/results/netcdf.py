"""NetCDF-4 files through one thin door: atomic, unmasked, with attributes that survive.

Jobs that only write a few arrays use this instead of xarray, whose import costs as much as a
small cell; what they write is what :func:`xarray.open_dataset` reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import netCDF4
import numpy as np

from spectral_capacity.results.files import atomic_path

Variables = Mapping[str, tuple[tuple[str, ...], np.ndarray, Mapping[str, Any]]]
"""name → (dimensions, values, attributes), as xarray takes them too."""


@contextmanager
def new_netcdf(path: str | os.PathLike, *, expected_bytes: int = 0) -> Iterator[netCDF4.Dataset]:
    """A dataset to fill, which appears at ``path`` when the block ends well."""
    with atomic_path(path, expected_bytes=expected_bytes) as temporary:
        dataset = netCDF4.Dataset(temporary, "w")
        try:
            yield dataset
        except BaseException:
            # The error that stopped the writing matters, not the one that closing adds.
            with suppress(RuntimeError):
                dataset.close()
            raise
        dataset.close()


@contextmanager
def open_netcdf(path: str | os.PathLike) -> Iterator[netCDF4.Dataset]:
    """An existing dataset, values as they are stored (no masks, no scaling)."""
    dataset = netCDF4.Dataset(path)
    dataset.set_auto_maskandscale(False)
    try:
        yield dataset
    finally:
        dataset.close()


def declare(
    dataset: netCDF4.Dataset,
    name: str,
    dims: Mapping[str, int],
    dtype: Any,
    attributes: Mapping[str, Any],
) -> netCDF4.Variable:
    """Create a variable, and those of its dimensions that are new."""
    for dim, size in dims.items():
        if dim not in dataset.dimensions:
            dataset.createDimension(dim, size)
    attributes = dict(attributes)
    fill = attributes.pop("_FillValue", False)
    variable = dataset.createVariable(name, dtype, tuple(dims), fill_value=fill)
    variable.setncatts(attributes)
    return variable


def write_netcdf(
    path: str | os.PathLike, variables: Variables, attributes: Mapping[str, Any]
) -> None:
    """Write arrays with their attributes, atomically."""
    size = sum(np.asarray(values).nbytes for _, values, _ in variables.values())
    with new_netcdf(path, expected_bytes=size) as dataset:
        dataset.setncatts(dict(attributes))
        for name, (dims, values, attrs) in variables.items():
            values = np.asarray(values)
            dtype = str if values.dtype.kind in "UO" else values.dtype
            shape = dict(zip(dims, values.shape, strict=True))
            target = declare(dataset, name, shape, dtype, attrs)
            target[...] = values.astype(object) if dtype is str else values
