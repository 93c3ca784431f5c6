"""Cells and grids: the results of an experiment as NetCDF."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spectral_capacity.artefacts import atomic_path
from spectral_capacity.netcdf import open_netcdf, write_netcdf
from spectral_capacity.outcomes import COORDINATES, DIMS, MEASURED, Status, variable_attributes

if TYPE_CHECKING:
    import xarray

CONVENTIONS = "CF-1.11"


def write_cell(
    path: str | os.PathLike,
    cell: Mapping[str, Any],
    results: Mapping[str, np.ndarray],
    provenance: Mapping[str, Any],
) -> None:
    """Write what :func:`training.train_cell` measured, with all seven dimensions."""
    coordinates = {
        "optimizer": [cell["name"]],
        "alpha": [cell["alpha"]],
        "kappa": [cell["kappa"]],
        "d": [cell["d"]],
        "batch_size": cell["batch_sizes"],
        "seed": cell["seeds"],
        "step": range(1, results["capacity"].shape[-1] + 1),
    }
    title = f"One cell: {cell['name']}, alpha {cell['alpha']}, kappa {cell['kappa']}, d {cell['d']}"
    values = {name: array[None, None, None, None] for name, array in results.items()}
    _write(path, title, coordinates, values, provenance)


def assemble(
    path: str | os.PathLike,
    cells: Sequence[str | os.PathLike],
    coordinates: Mapping[str, Sequence],
    provenance: Mapping[str, Any],
    title: str,
) -> None:
    """Join cells into the grid of ``coordinates`` (of the configuration, in its order).

    Coordinates of a cell must equal those of the grid exactly, floats to the last bit: a cell that
    matches none raises ValueError. What no cell covers is missing, with status ``not_run``. The grid's
    provenance lists under ``cells`` the versions, revisions and devices that the cells were made with.
    """
    shape = tuple(len(coordinates[dim]) for dim in DIMS)
    values = {name: np.full(shape, var.missing, var.dtype) for name, var in MEASURED.items()}
    values["status"][...] = Status.NOT_RUN
    trained: list[dict] = []
    positions = {dim: {v: i for i, v in enumerate(coordinates[dim])} for dim in DIMS}
    for cell in cells:
        with open_netcdf(cell) as file:
            try:
                where = np.ix_(
                    *([positions[dim][v] for v in file[dim][:].tolist()] for dim in DIMS)
                )
            except KeyError as error:
                raise ValueError(f"{cell}: coordinate {error} is not one of this grid") from error
            for name in MEASURED:
                values[name][where] = file[name][:]
            made = json.loads(file.provenance)
            made.pop("configuration", None)  # the grid's own says more
            if made not in trained:
                trained.append(made)
    _write(path, title, coordinates, values, {**provenance, "cells": trained})


def open_grid(path: str | os.PathLike) -> xarray.Dataset:
    """A grid (or a cell) in memory. Counts are integers unless some are missing (then NaN)."""
    import xarray

    return xarray.load_dataset(path, engine="netcdf4")


def write_fits(
    path: str | os.PathLike, table: str | os.PathLike, fits: xarray.Dataset, provenance: Mapping
) -> None:
    """Write :func:`regression.fit_exponents` as NetCDF, and its exponents as CSV, a row per fit."""
    variables = {name: (v.dims, v.values, v.attrs) for name, v in fits.variables.items()}
    write_netcdf(path, variables, _attributes("Exponents in d, and predictions", provenance))
    frame = fits[[name for name in fits if "quantity" in fits[name].dims]].to_dataframe()
    frame = frame.dropna(subset=["exponent"]).reset_index()
    with atomic_path(table) as temporary:
        frame.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def _write(path, title, coordinates, values, provenance):
    variables = {
        dim: (
            (dim,),
            np.asarray(coordinates[dim], str if dim == "optimizer" else _dtype(dim)),
            {"long_name": COORDINATES[dim], **({} if dim == "optimizer" else {"units": "1"})},
        )
        for dim in DIMS
    }
    for name, array in values.items():
        attributes = variable_attributes(name)
        if MEASURED[name].missing == -1 and (array == -1).any():
            attributes["_FillValue"] = MEASURED[name].dtype(-1)
        variables[name] = (DIMS, array, attributes)
    write_netcdf(path, variables, _attributes(title, provenance))


def _json_ready(value: Any) -> Any:
    """``value`` with infinity written as text, which JSON has no number for."""
    if isinstance(value, Mapping):
        return {key: _json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_ready(item) for item in value]
    return "inf" if isinstance(value, float) and math.isinf(value) else value


def _attributes(title: str, provenance: Mapping[str, Any]) -> dict[str, str]:
    return {
        "title": title,
        "Conventions": CONVENTIONS,
        "references": "arXiv:2603.26554",
        "provenance": json.dumps(_json_ready(provenance), sort_keys=True, allow_nan=False),
    }


def _dtype(dim: str) -> type:
    return np.int64 if dim in ("d", "seed", "step") else np.float64
