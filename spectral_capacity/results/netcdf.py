"""NetCDF-4 files through one thin door: atomic, unmasked, with attributes that survive.

Jobs that only write a few arrays use this instead of xarray, whose import costs as much as a
small cell; what they write is what :func:`xarray.open_dataset` reads.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import netCDF4
import numpy as np

from spectral_capacity.results.files import atomic_path, set_aside

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


CHECKSUM = "checksum"
"""Attribute with the digest of all values of a file, and of its attributes that are text."""


class DamagedFile(OSError):
    """A file whose end is where it should be, but whose content is not what was written."""


@contextmanager
def damage_named(path: str | os.PathLike, *, ours: bool) -> Iterator[None]:
    """Errors that HDF5 finds inside a file become :class:`DamagedFile`, which names it.

    One of ``ours``, which a rule makes again, is set aside, so that the next run does.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        if "NetCDF: " not in str(error):
            raise
        if ours:
            what = f"{path}: damaged; {set_aside(path)}: run again"
        else:
            what = f"{path}: damaged, or no NetCDF file: put it back from where it came from"
        raise DamagedFile(what) from error


@contextmanager
def open_netcdf(path: str | os.PathLike, *, ours: bool = True) -> Iterator[netCDF4.Dataset]:
    """An existing dataset, values as they are stored (no masks, no scaling); see :func:`damage_named`."""
    with damage_named(path, ours=ours):
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
    """Write arrays with their attributes and a checksum of them all, atomically."""
    arrays = {name: np.asarray(values) for name, (_, values, _) in variables.items()}
    size = sum(array.nbytes for array in arrays.values())
    with new_netcdf(path, expected_bytes=size) as dataset:
        # One for the file: HDF5's own make each small variable a block of four kilobytes.
        texts = [attributes, *(attrs for _, (_, _, attrs) in sorted(variables.items()))]
        dataset.setncatts({**attributes, CHECKSUM: _checksum(arrays, texts)})
        for name, (dims, _, attrs) in variables.items():
            values = arrays[name]
            dtype = str if values.dtype.kind in "UO" else values.dtype
            shape = dict(zip(dims, values.shape, strict=True))
            target = declare(dataset, name, shape, dtype, attrs)
            target[...] = values.astype(object) if dtype is str else values


def read_values(dataset: netCDF4.Dataset) -> dict[str, np.ndarray]:
    """All variables as they are stored.

    An error of a damaged file (:func:`damage_named`) where they, or what is said of them, are not what was
    written.
    """
    values = {name: np.asarray(variable[...]) for name, variable in dataset.variables.items()}
    held = [dataset, *(dataset[name] for name in sorted(values))]
    texts = [{name: each.getncattr(name) for name in each.ncattrs()} for each in held]
    if (found := texts[0].pop(CHECKSUM, None)) and found != _checksum(values, texts):
        raise OSError("NetCDF: values are not the ones that were written")
    return values


def _checksum(arrays: Mapping[str, np.ndarray], attributes: Sequence[Mapping[str, Any]]) -> str:
    """Digest of arrays by name, and of attributes that are text; text counts by its characters."""
    digest = hashlib.sha256()
    for each in attributes:
        texts = {name: value for name, value in each.items() if isinstance(value, str)}
        digest.update(json.dumps(texts, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        text = array.dtype.kind in "UO"
        digest.update(f"{name} {'text' if text else array.dtype.str} {array.shape}".encode())
        digest.update("\0".join(array.ravel()).encode() if text else array.tobytes())
    return digest.hexdigest()
