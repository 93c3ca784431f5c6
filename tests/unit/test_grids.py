import json

import numpy as np
import pytest

from spectral_capacity.memory.measured import VARIABLES
from spectral_capacity.results.grids import assemble, read_points, write_table
from spectral_capacity.results.reading import open_grid
from spectral_capacity.results.schema import Status
from spectral_capacity.training.cell import write_cell

CELL = {
    "name": "muon",
    "alpha": 1.1,
    "kappa": 0.0,
    "d": 16,
    "batch_sizes": [np.inf],
    "seeds": [0, 1],
    "steps": 1,
    "rate_factors": None,
}
COORDINATES = {
    "optimizer": ["gd", "muon"],
    "alpha": [2.0, 1.1],
    "kappa": [0.0],
    "d": [16],
    "batch_size": [np.inf],
    "seed": [0, 1],
    "step": [1],
}


def results(value):
    return {name: np.full((1, 2, 1), value, v.dtype) for name, v in VARIABLES.items()}


def write_all(folder):
    paths = []
    made = {"configuration": {"b": np.inf}, "versions": "v"}
    for o, optimizer in enumerate(COORDINATES["optimizer"]):
        for a, alpha in enumerate(COORDINATES["alpha"]):
            paths.append(folder / f"{optimizer}{alpha}.nc")
            cell = CELL | {"name": optimizer, "alpha": alpha}
            write_cell(
                paths[-1], cell, results(10 * o + a) | {"status": results(0)["status"]}, made
            )
    return paths


def assembled(folder, cells, provenance, tables=2):
    """The grid of cells by way of tables, each with every other cell."""
    paths = [folder / f"table{i}.nc" for i in range(tables)]
    for i, table in enumerate(paths):
        write_table(table, [*map(read_points, cells[i::tables])])
    assemble(folder / "g.nc", paths, COORDINATES, provenance, "A title")
    return open_grid(folder / "g.nc")


def test_every_cell_lands_at_its_coordinates(tmp_path):
    grid = assembled(tmp_path, write_all(tmp_path), {"a": 1})
    assert grid.capacity.dtype == np.int64
    assert grid.capacity.dims == tuple(COORDINATES)
    assert grid.alpha.values.tolist() == [2.0, 1.1]
    for o, optimizer in enumerate(["gd", "muon"]):
        for a, alpha in enumerate([2.0, 1.1]):
            line = grid.capacity.sel(optimizer=optimizer, alpha=alpha)
            assert (line == 10 * o + a).all()


def test_attributes(tmp_path):
    grid = assembled(tmp_path, write_all(tmp_path), {"a": [1, None]})
    assert grid.attrs["title"] == "A title"
    assert json.loads(grid.attrs["provenance"]) == {"a": [1, None], "cells": [{"versions": "v"}]}
    for name in VARIABLES:
        assert grid[name].attrs["units"] == "1"
        assert grid[name].attrs["long_name"]
    flags = grid.status.attrs
    assert flags["flag_meanings"].split()[Status.PRECISION_LIMITED] == "precision_limited"
    assert flags["flag_values"].tolist() == [0, 1, 2, 3, 4]
    assert grid.status.dtype == np.int8


def test_what_was_not_run_is_missing_with_a_status(tmp_path):
    grid = assembled(tmp_path, write_all(tmp_path)[1:], {})
    hole = grid.sel(optimizer="gd", alpha=2.0)
    assert np.isnan(hole.capacity).all()
    assert np.isnan(hole.recovered_mass).all()
    assert (hole.status == Status.NOT_RUN).all()
    assert int(np.isnan(grid.capacity).sum()) == 2


def test_a_float_that_differs_in_the_last_bit_is_an_error(tmp_path):
    cell = CELL | {"alpha": np.nextafter(1.1, 2)}
    write_cell(tmp_path / "c.nc", cell, results(1), {})
    with pytest.raises(ValueError, match=r"table0\.nc: coordinate 1\.1000000000000003"):
        assembled(tmp_path, [tmp_path / "c.nc"], {}, tables=1)
    assert not (tmp_path / "g.nc").exists()
