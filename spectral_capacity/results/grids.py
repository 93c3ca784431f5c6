"""Cells and grids: the results of an experiment as NetCDF.

A cell says itself what it holds, so a grid is a plain join of cells: nothing here knows what was measured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spectral_capacity.results.netcdf import open_netcdf, read_values, write_netcdf
from spectral_capacity.results.provenance import attributes
from spectral_capacity.results.schema import Schema, Status, missing


def write_grid(
    path: str | os.PathLike,
    schema: Schema,
    coordinates: Mapping[str, Sequence],
    values: Mapping[str, np.ndarray],
    provenance: Mapping[str, Any],
    title: str,
    known_by: Mapping[str, str] | None = None,
) -> None:
    """Write what was measured at ``coordinates``, one entry per dimension of the schema.

    A cell is a grid too; arrays over its last dimensions are enough where the first ones have length one.
    ``known_by``: attributes by which a cell is known again.
    """
    shape = tuple(len(coordinates[dim]) for dim in schema.dimensions)
    variables = {
        dim: ((dim,), np.asarray(coordinates[dim], about.dtype), about.attributes)
        for dim, about in schema.dimensions.items()
    }
    for name, about in schema.variables.items():
        variables[name] = (tuple(schema.dimensions), values[name].reshape(shape), about.attributes)
    _write(path, variables, provenance, title, known_by)


def assemble(
    path: str | os.PathLike,
    cells: Sequence[str | os.PathLike],
    coordinates: Mapping[str, Sequence],
    provenance: Mapping[str, Any],
    title: str,
) -> None:
    """Join cells into the grid of ``coordinates`` (of the configuration, in its order).

    Dimensions, variables and their attributes are those of the cells. Coordinates of a cell must equal
    those of the grid exactly, floats to the last bit: a cell that matches none raises ValueError. What no
    cell covers is missing, with status ``not_run``. The grid's provenance lists under ``cells`` the
    versions, revisions and devices that the cells were made with.
    """
    variables: dict[str, tuple] = {}
    trained: list[dict] = []
    positions = {dim: {v: i for i, v in enumerate(values)} for dim, values in coordinates.items()}
    for cell in cells:
        with open_netcdf(cell) as file:
            measured = read_values(file)
            variables = variables or _nothing(file, coordinates)
            try:
                where = np.ix_(
                    *(
                        [positions[dim][v] for v in measured[dim].tolist()]
                        for dim in file.dimensions
                    )
                )
            except KeyError as error:
                raise ValueError(f"{cell}: coordinate {error} is not one of this grid") from error
            for name, (_, values, _) in variables.items():
                if name not in coordinates:
                    values[where] = measured[name]
            made = json.loads(file.provenance)
            made.pop("configuration", None)  # the grid's own says more
            if made not in trained:
                trained.append(made)
    _write(path, variables, {**provenance, "cells": trained}, title)


def _nothing(file, coordinates):
    """The coordinates, and the variables of a cell in the shape of the grid, missing everywhere."""
    dims = tuple(file.dimensions)
    shape = tuple(len(coordinates[dim]) for dim in dims)
    variables = {}
    for name, variable in file.variables.items():
        about = {key: variable.getncattr(key) for key in variable.ncattrs() if key != "_FillValue"}
        if name in coordinates:
            variables[name] = ((name,), np.asarray(coordinates[name], variable.dtype), about)
        else:
            nothing = Status.NOT_RUN if name == "status" else missing(variable.dtype)
            variables[name] = (dims, np.full(shape, nothing, variable.dtype), about)
    return variables


def _write(path, variables, provenance, title, known_by=None):
    """Write variables; a count is marked as missing where it is −1."""
    for name, (dims, values, about) in variables.items():
        if name not in dims and values.dtype.kind == "i" and (values == -1).any():
            about = about | {"_FillValue": values.dtype.type(-1)}
            variables[name] = (dims, values, about)
    write_netcdf(path, variables, attributes(title, provenance) | (known_by or {}))
