"""Cells, tables and grids: the results of an experiment as NetCDF.

A cell says itself what it holds, so a table is a plain list of cells' points, and a grid the same points in
their places: nothing here knows what was measured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spectral_capacity.results.netcdf import open_netcdf, read_values, write_netcdf
from spectral_capacity.results.provenance import attributes
from spectral_capacity.results.schema import ABSENT, Schema, Status, missing

if TYPE_CHECKING:
    from netCDF4 import Dataset


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


@dataclass(frozen=True)
class Points:
    """What a cell's file holds, as a list of points.

    columns: coordinates, in the order of the cell's dimensions, and variables, each (point,). attributes: of
    each. made: the versions, revision and device that it was made with.
    """

    columns: Mapping[str, np.ndarray]
    attributes: Mapping[str, Mapping[str, Any]]
    made: Mapping[str, Any]

    @classmethod
    def of(cls, cell: Dataset) -> Points:
        """Read an open cell; an error of a damaged file where it is not what was written."""
        measured, dims = read_values(cell), tuple(cell.dimensions)
        points = np.meshgrid(*(measured[dim] for dim in dims), indexing="ij")
        columns = measured | dict(zip(dims, points, strict=True))
        made = json.loads(cell.provenance)
        made.pop("configuration", None)  # that of a grid says more
        return cls(
            {name: values.ravel() for name, values in columns.items()},
            {name: _about(variable) for name, variable in cell.variables.items()},
            made,
        )


def read_points(cell: str | os.PathLike) -> Points:
    """What a cell's file holds. To open one takes longer than to read it."""
    with open_netcdf(cell) as file:
        return Points.of(file)


def write_table(path: str | os.PathLike, cells: Sequence[Points]) -> None:
    """One list of the points of cells of one experiment, in their order.

    Columns have the attributes that they have in the cells. A dimension that some cells lack says itself
    where they belong (:attr:`results.schema.Dimension.absent`). The provenance lists under ``cells`` what
    they were made with, each once.
    """
    trained: list = []
    for cell in cells:
        if cell.made not in trained:
            trained.append(cell.made)
    fullest = max(cells, key=lambda cell: len(cell.columns))
    variables = {
        name: (("point",), np.concatenate([_column(cell, name, about) for cell in cells]), about)
        for name, about in fullest.attributes.items()
    }
    _write(path, variables, {"cells": trained}, "Points of cells")


def assemble(
    path: str | os.PathLike,
    tables: Sequence[str | os.PathLike],
    coordinates: Mapping[str, Sequence],
    provenance: Mapping[str, Any],
    title: str,
) -> None:
    """Put the points of tables into the grid of ``coordinates`` (of the configuration, in its order).

    Dimensions, variables and their attributes are those of the cells. Coordinates of a point must equal
    those of the grid exactly, floats to the last bit: one that matches none raises ValueError. What no
    point covers is missing, with status ``not_run``; points of a table that lacks a dimension are where that
    says (:attr:`results.schema.Dimension.absent`). The grid's provenance has ``cells`` of the tables.
    """
    lists = [_Table.read(table) for table in tables]
    fullest = max(lists, key=lambda each: len(each.columns))
    variables = _nothing(fullest, coordinates)
    dims = [name for name in fullest.columns if name in coordinates]  # in the cells' order
    positions = {dim: {v: i for i, v in enumerate(values)} for dim, values in coordinates.items()}
    trained: list[dict] = []
    for path_of_table, points in zip(tables, lists, strict=True):
        columns = {name: _column(points, name, fullest.attributes[name]) for name in variables}
        try:
            where = tuple([positions[dim][v] for v in columns[dim].tolist()] for dim in dims)
        except KeyError as error:
            raise ValueError(
                f"{path_of_table}: coordinate {error} is not one of this grid"
            ) from error
        for name, (_, values, _) in variables.items():
            if name not in coordinates:
                values[where] = columns[name]
        trained += [each for each in points.made if each not in trained]
    _write(path, variables, {**provenance, "cells": trained}, title)


@dataclass(frozen=True)
class _Table:
    """A file of :func:`write_table`. made: of each cell, as it was written."""

    columns: Mapping[str, np.ndarray]
    attributes: Mapping[str, Mapping[str, Any]]
    made: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, path: str | os.PathLike) -> _Table:
        with open_netcdf(path) as file:
            about = {name: _about(variable) for name, variable in file.variables.items()}
            return cls(read_values(file), about, json.loads(file.provenance)["cells"])


def _column(points: Points | _Table, name: str, about: Mapping[str, Any]) -> np.ndarray:
    """A column, or for a dimension that these points lack where they are all the same."""
    if name in points.columns:
        return points.columns[name]
    return np.full(points.columns["status"].shape, about[ABSENT])


def _about(variable):
    """Attributes, less the value that is missing: whether some are is a file's own."""
    return {key: variable.getncattr(key) for key in variable.ncattrs() if key != "_FillValue"}


def _nothing(table, coordinates):
    """The coordinates, and the variables of a table in the shape of the grid, missing everywhere."""
    dims = tuple(name for name in table.columns if name in coordinates)
    shape = tuple(len(coordinates[dim]) for dim in dims)
    variables = {}
    for name, values in table.columns.items():
        if name in coordinates:
            on_axis = np.asarray(coordinates[name], values.dtype)
            variables[name] = ((name,), on_axis, table.attributes[name])
        else:
            nothing = Status.NOT_RUN if name == "status" else missing(values.dtype)
            empty = np.full(shape, nothing, values.dtype)
            variables[name] = (dims, empty, table.attributes[name])
    return variables


def _write(path, variables, provenance, title, known_by=None):
    """Write variables; a count is marked as missing where it is −1."""
    for name, (dims, values, about) in variables.items():
        if name not in dims and values.dtype.kind == "i" and (values == -1).any():
            about = about | {"_FillValue": values.dtype.type(-1)}
            variables[name] = (dims, values, about)
    write_netcdf(path, variables, attributes(title, provenance) | (known_by or {}))
