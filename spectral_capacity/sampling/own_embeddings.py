"""Embeddings that a user supplies: written, checked and read (no JAX, so that checks are quick).

Rows are items. A file has variables ``U`` and ``V`` over (item, component), the same for every seed, or over
(seed, item, component) with a ``seed`` coordinate. Numbers of any size are used as float32. All rows must have
values: what NetCDF takes for missing, such as rows that were never written, is refused as NaN is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from operator import index
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from jaxtyping import Float32, Int64
from numpy.typing import ArrayLike

from spectral_capacity.results.netcdf import open_netcdf, write_netcdf

BLOCK = 2**22
"""Numbers that are looked at together: some 30 MB, whatever the size of the file."""

NEVER_WRITTEN = np.float32(netCDF4.default_fillvals["f4"])
"""What NetCDF has where no float was written, of either size. Copies of it are masked by nobody."""


def save_embeddings(
    path: str | os.PathLike,
    U: ArrayLike,
    V: ArrayLike,
    *,
    seeds: Iterable[int] | None = None,
    items: Iterable[Any] | None = None,
) -> None:
    """Write embeddings of your own to the NetCDF file ``path``, for ``embeddings: {file: …}``.

    U, V: input and output embeddings, (N, d), or (seeds, N, d) for one draw a seed; rows are items. Row i
    is the item of row i of the table of counts; with a power law, the i-th most frequent item. Integers and
    floats of any size are stored as float32. seeds: of the first axis, 0, 1, … when left out. items:
    names of the rows, compared with the table's column ``item``; a name may be there twice, as there.

    Raises TypeError for arrays that hold no real numbers or names that are no text, ValueError, which names
    array, seed and row, for NaN, inf and masked values, and ValueError for shapes, seeds or names that do not
    fit.
    """
    path = Path(path)
    if path.suffix != ".nc":
        raise ValueError(f"{path}: the name of a NetCDF file must end in .nc")
    arrays = {"U": _real("U", U), "V": _real("V", V)}
    shape = _shape(arrays["U"].shape, arrays["V"].shape)
    variables: dict[str, tuple] = {}
    dims, numbers = ("item", "component"), None
    if len(shape) == 3:
        numbers = _seeds(range(shape[0]) if seeds is None else seeds, shape[0])
        dims = ("seed", *dims)
        about = {"long_name": "seed of the draws", "units": "1"}
        variables["seed"] = (("seed",), np.array(numbers, np.int64), about)
    elif seeds is not None:
        raise ValueError(
            f"seeds is {list(seeds)}; arrays (N, d) have none, the same for every seed"
        )
    if items is not None:
        names = np.array(_names(items, shape[-2]), dtype=object)
        variables["item"] = (("item",), names, {"long_name": "name of the item"})
    for name, array in arrays.items():
        for at in np.ndindex(shape[:-2]):
            of_seed = f" of seed {numbers[at[0]]}" if numbers else ""
            _checked(array[at], 0, f"{name}{of_seed}")
        about = {"long_name": f"embeddings {name.lower()}_i in rows", "units": "1"}
        variables[name] = (dims, _as_float32(array), about)
    write_netcdf(path, variables, {"title": "Embeddings, rows are items"})


def _real(name: str, given: ArrayLike) -> np.ma.MaskedArray:
    array = np.ma.asarray(given)  # with its mask, where it has one
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} holds {array.dtype}; must be floats or integers")
    return array


def _shape(shape: tuple[int, ...], other: tuple[int, ...], what: str = "") -> tuple[int, ...]:
    """The shape of U and V; ValueError when it is none."""
    if shape != other or len(shape) not in (2, 3) or 0 in shape:
        raise ValueError(
            f"{what}U has shape {shape} and V {other}; both must be (item, component) or "
            "(seed, item, component), and the same"
        )
    return shape


def _seeds(seeds: Iterable[int], n: int) -> list[int]:
    numbers = [index(seed) for seed in seeds]
    if len({*numbers}) != n or len(numbers) != n or min(numbers) < 0:
        raise ValueError(f"seeds is {numbers}; must be {n} different whole numbers, 0 or more")
    return numbers


def _names(items: Iterable[Any], n: int) -> list[str]:
    names = list(items)
    if len(names) != n:
        raise ValueError(f"{len(names)} names in items; there are {n} rows")
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f"items[{i}] is {name!r}; must be text")
    return [str(name) for name in names]


def own_embeddings_shape(path: str | os.PathLike) -> tuple[int, int, list[int] | None]:
    """(N, d, seeds) of a file of your own; seeds is None when it has no ``seed`` dimension.

    Raises ValueError, naming the file, when it is no NetCDF, or U and V are missing or disagree.
    """
    _refuse_other_formats(path)
    with open_netcdf(path, ours=False) as file:
        if not {"U", "V"} <= {*file.variables}:
            raise ValueError(f"{path}: needs variables U and V, has {sorted(file.variables)}")
        for name in "UV":
            if np.dtype(file[name].dtype).kind not in "fiu":
                raise ValueError(f"{path}: {name} does not hold floats or integers")
            if {"scale_factor", "add_offset"} & {*file[name].ncattrs()}:
                raise ValueError(f"{path}: {name} is packed; store it as plain floats")
        shape = _shape(file["U"].shape, file["V"].shape, f"{path}: ")
        if len(shape) == 3 and "seed" not in file.variables:
            raise ValueError(f"{path}: U has three dimensions but there is no seed coordinate")
        seeds = None
        if len(shape) == 3:
            seed = file["seed"]
            if seed.shape != shape[:1] or np.dtype(seed.dtype).kind not in "fiu":
                raise ValueError(f"{path}: seed must have a number for each of {shape[0]} draws")
            seeds = seed[:].tolist()
    return shape[-2], shape[-1], seeds


def _refuse_other_formats(path: str | os.PathLike) -> None:
    with open(path, "rb") as file:
        head = file.read(4)
    if head != b"\x89HDF" and head[:3] != b"CDF":
        raise ValueError(
            f"{path}: is no NetCDF file; make one of your arrays in Python: from "
            "spectral_capacity.embeddings import save_embeddings; "
            f"save_embeddings({Path(path).with_suffix('.nc').name!r}, U, V)"
        )


def item_names(path: str | os.PathLike) -> list[str] | None:
    """The text variable ``item`` of a file of your own, None where it has none."""
    with open_netcdf(path, ours=False) as file:
        if "item" not in file.variables:
            return None
        names = file["item"][:]
    if names.dtype.kind == "S" and names.ndim == 2:  # characters, as in NetCDF 3
        names = netCDF4.chartostring(names)
    return names.tolist() if names.dtype.kind in "UO" and names.ndim == 1 else None


def check_finite(path: str | os.PathLike) -> None:
    """Raise ValueError, which names file, variable, seed and row, where U or V has NaN, inf or no value.

    Reads the whole file, a few rows at a time, once in a process as long as the file stays the same.
    """
    stat = os.stat(path)
    if problem := _not_finite(Path(path).resolve(), stat.st_mtime_ns, stat.st_size):
        raise ValueError(f"{path}: {problem}")


@cache
def _not_finite(path: Path, mtime_ns: int, size: int) -> str | None:
    """What is wrong, None for nothing."""
    _, _, seeds = own_embeddings_shape(path)
    with open_netcdf(path, ours=False) as file:
        for seed in seeds or [None]:
            for name in "UV":
                try:
                    for _ in _blocks(file, name, seeds, seed):
                        pass
                except ValueError as error:
                    return str(error)
    return None


def load_own_embeddings(
    path: str | os.PathLike, seed: int, rows: Int64[np.ndarray, " n"] | None = None
) -> tuple[Float32[np.ndarray, "n d"], Float32[np.ndarray, "n d"]]:
    """(U, V) of one seed, each (N, d), or those ``rows`` of them in that order.

    Raises KeyError for a seed that the file does not hold, and ValueError as ``check_finite`` does.
    """
    n_items, d, seeds = own_embeddings_shape(path)
    if seeds is not None and seed not in seeds:
        raise KeyError(f"{path}: seed {seed} is not in this file, it holds {seeds}")
    rows = np.arange(n_items) if rows is None else rows
    place = np.full(n_items, -1)
    place[rows] = np.arange(rows.size)
    loaded = []
    with open_netcdf(path, ours=False) as file:
        for name in "UV":
            array = np.empty((rows.size, d), np.float32)
            try:
                for start, block in _blocks(file, name, seeds, seed):
                    to = place[start : start + len(block)]
                    array[to[to >= 0]] = block[to >= 0]
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            loaded.append(array)
    return loaded[0], loaded[1]


def _blocks(
    file: netCDF4.Dataset, name: str, seeds: list[int] | None, seed: int | None
) -> Iterator[tuple[int, Float32[np.ndarray, "b d"]]]:
    """Rows of one variable and seed, a few at a time, each with its first row. ValueError as _checked."""
    variable = file[name]
    # NetCDF's conventions have no default for bytes: -127 is a number like any other.
    variable.set_auto_mask(variable.dtype.itemsize > 1 or "_FillValue" in variable.ncattrs())
    n_items, d = variable.shape[-2:]
    chunks = variable.chunking()
    chunk = chunks[-2] if isinstance(chunks, list) else 1
    size = chunk * max(1, BLOCK // (d * chunk))  # whole chunks, which are decompressed once then
    at, what = (), name
    if seeds is not None:
        at, what = (seeds.index(seed),), f"{name} of seed {seed}"
    for start in range(0, n_items, size):
        yield start, _checked(variable[(*at, slice(start, start + size))], start, what)


def _as_float32(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # inf, which is refused
        return np.ascontiguousarray(values, dtype=np.float32)


def _checked(values: np.ndarray, start: int, what: str) -> Float32[np.ndarray, "b d"]:
    """Rows as float32. ValueError, which names the first row, where one has NaN, inf or no value."""
    block = _as_float32(values)
    written = block != NEVER_WRITTEN
    if np.ma.is_masked(values):
        written &= ~np.ma.getmaskarray(values)
    for right, problem in (
        (np.isfinite(block), "has NaN or inf (numbers are used as float32)"),
        (written, "has no value (it is masked, or was never written)"),
    ):
        if not right.all():
            row = start + int(np.flatnonzero(~right.all(axis=1))[0])
            raise ValueError(f"{what}: row {row}, counted from 0, {problem}")
    return block
