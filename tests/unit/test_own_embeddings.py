"""Files of your own embeddings: written, checked, read."""

import os
from functools import partial

import netCDF4
import numpy as np
import pytest
import xarray as xr

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.embeddings import load_embeddings, save_embeddings
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.sampling import own_embeddings
from spectral_capacity.training.cell import train_cell
from tests.unit.cells import MUON, cell
from tests.unit.configurations import cells, small

WORDS = [f"word {i}" for i in range(60)]
ONES = np.ones((60, 8))
NAN = ONES.copy()
NAN[7, 3] = np.nan
MASKED = np.ma.masked_array(ONES, np.isnan(NAN))
UNWRITTEN = np.where(np.isnan(NAN), netCDF4.default_fillvals["f8"], ONES)


@pytest.mark.parametrize("name", ["U.npy", "UV.npz", "vectors.csv", "vectors.nc"])
def test_another_format_is_told_how_to_become_one(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x93NUMPY or PK or 0.1,0.2,0.3\n")
    with pytest.raises(ConfigError) as error:
        small(embeddings={"file": str(tmp_path / name)})
    assert f"{name}: is no NetCDF file" in str(error.value)
    assert "from spectral_capacity.embeddings import save_embeddings" in str(error.value)


@pytest.mark.parametrize(
    ("seeds", "bad", "message"),
    [
        (None, np.nan, r"own\.nc: V: row 41, counted from 0, has NaN or inf"),
        ([3, 0], -np.inf, r"own\.nc: V of seed 0: row 41, counted from 0"),
        (None, 1e39, r"own\.nc: V: row 41.*used as float32"),
    ],
)
def test_a_number_that_is_not_finite_is_found_before_any_job(tmp_path, seeds, bad, message):
    U, V = np.ones((2, *([2] if seeds else []), 60, 8))
    V[..., 41, 5] = bad
    if seeds:
        V[0] = 1.0
    dims = ("seed", "item", "component")[-V.ndim :]
    variables = {"U": (dims, U, {}), "V": (dims, V, {})}
    if seeds:
        variables["seed"] = (("seed",), np.array(seeds), {})
    write_netcdf(tmp_path / "own.nc", variables, {})
    with pytest.raises(ConfigError, match=f"embeddings.file: .*{message}"):
        small(embeddings={"file": str(tmp_path / "own.nc")})
    with pytest.raises(ValueError, match=message):
        load_embeddings(tmp_path / "own.nc", 0)


@pytest.mark.parametrize(
    ("dtype", "options", "seeds", "what"),
    [
        ("f4", {}, None, "V"),
        ("f8", {}, None, "V"),
        ("i4", {}, None, "V"),
        ("f4", {"fill_value": -9999}, None, "V"),
        ("f8", {"fill_value": -9999}, [3, 0], "V of seed 0"),
        ("i1", {"fill_value": -128}, None, "V"),
    ],
)
def test_rows_that_were_never_written_are_found_before_any_job(
    tmp_path, dtype, options, seeds, what
):
    path = tmp_path / "own.nc"
    with netCDF4.Dataset(path, "w") as file:
        for dim, size in {"seed": 2, "item": 60, "component": 8}.items():
            file.createDimension(dim, size)
        dims = ("seed", "item", "component")[0 if seeds else 1 :]
        if seeds:
            file.createVariable("seed", "i8", ("seed",))[:] = seeds
        file.createVariable("U", dtype, dims, **options)[...] = 1
        file.createVariable("V", dtype, dims, **options)[..., :57, :] = 1
        if seeds:
            file["V"][0] = 1
    message = rf"own\.nc: {what}: row 57, counted from 0, has no value"
    with pytest.raises(ConfigError, match=f"embeddings.file: .*{message}"):
        small(embeddings={"file": str(path)})
    with pytest.raises(ValueError, match=message):
        load_embeddings(path, 0)
    with netCDF4.Dataset(path, "a") as file:
        file["V"][...] = 1
    np.testing.assert_array_equal(load_embeddings(path, 0), np.ones((2, 60, 8)))


def test_a_byte_may_have_any_value(tmp_path):
    """−127, which netCDF4 takes for a byte that was never written, is a number of quantised embeddings."""
    with netCDF4.Dataset(tmp_path / "own.nc", "w") as file:
        for dim, size in {"item": 60, "component": 8}.items():
            file.createDimension(dim, size)
        for name in "UV":
            file.createVariable(name, "i1", ("item", "component"))[...] = -127
    assert (load_embeddings(tmp_path / "own.nc", 0)[0] == -127).all()


def test_a_file_is_read_again_when_it_has_changed_and_only_then(tmp_path, monkeypatch):
    path = tmp_path / "own.nc"
    save_embeddings(path, ONES, ONES)
    own_embeddings.check_finite(path)
    with monkeypatch.context() as patch:
        patch.setattr(own_embeddings, "_blocks", None)
        own_embeddings.check_finite(path)
    with netCDF4.Dataset(path, "a") as file:
        file["U"][3, 1] = np.nan
    os.utime(path, ns=(1, 1))
    with pytest.raises(ValueError, match="U: row 3"):
        own_embeddings.check_finite(path)


@pytest.mark.parametrize("chunks", [None, (7, 3)])
def test_files_of_any_length_are_read_in_blocks(tmp_path, monkeypatch, chunks):
    values = np.arange(600.0).reshape(50, 12)
    values[33, 7] = np.nan
    with netCDF4.Dataset(tmp_path / "own.nc", "w") as file:
        file.createDimension("item", 50)
        file.createDimension("component", 12)
        for name in "UV":
            options = {"chunksizes": chunks, "zlib": True} if chunks else {}
            variable = file.createVariable(name, "f8", ("item", "component"), **options)
            variable[...] = np.nan_to_num(values) if name == "U" else values
    monkeypatch.setattr(own_embeddings, "BLOCK", 100)
    with pytest.raises(ValueError, match="V: row 33,"):
        own_embeddings.check_finite(tmp_path / "own.nc")
    with netCDF4.Dataset(tmp_path / "own.nc", "a") as file:
        file["V"][33, 7] = -1
    U, V = load_embeddings(tmp_path / "own.nc", 0)
    np.testing.assert_array_equal(U, np.nan_to_num(values))
    np.testing.assert_array_equal(V, np.nan_to_num(values, nan=-1))
    rows = np.array([40, 0, 33])
    np.testing.assert_array_equal(
        load_embeddings(tmp_path / "own.nc", 0, rows=rows), (U[rows], V[rows])
    )


@pytest.mark.parametrize("engine", ["netcdf4", "scipy"])
def test_names_as_xarray_writes_them(tmp_path, draws, engine):
    U, V = draws(60, 8)
    data = {"U": (("item", "component"), U), "V": (("item", "component"), V)}
    file = xr.Dataset(data, coords={"item": WORDS})
    file.to_netcdf(tmp_path / "own.nc", engine=engine)
    assert own_embeddings.item_names(tmp_path / "own.nc") == WORDS
    np.testing.assert_array_equal(load_embeddings(tmp_path / "own.nc", 0)[0], U)
    file.assign_coords(item=np.arange(60)).to_netcdf(tmp_path / "numbers.nc", engine=engine)
    assert own_embeddings.item_names(tmp_path / "numbers.nc") is None


@pytest.mark.parametrize("seeds", [None, [4, 2]])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int32])
def test_what_is_saved_is_what_a_run_learns_from(tmp_path, seeds, dtype):
    shape = (2, 60, 8) if seeds else (60, 8)
    rng = np.random.default_rng(0)
    U, V = (rng.integers(-9, 9, shape).astype(dtype) for _ in "UV")
    save_embeddings(tmp_path / "own.nc", U, V, seeds=seeds, items=WORDS)
    path, seed = tmp_path / "own.nc", 2 if seeds else 0
    config = small(embeddings={"file": str(path)}) if not seeds else None
    assert config is None or cells(config, "one_step")[0].files() == [str(path)]
    this = cell(MUON, 60, 8, seeds=(seed,))
    count = train_cell(this, partial(load_embeddings, path))["capacity"].item()
    U, V = ((array[1] if seeds else array).astype(np.float32) for array in (U, V))
    assert count == train_cell(this, lambda _: (U, V))["capacity"].item()
    assert count > 0
    with xr.open_dataset(path) as file:
        assert file.item.values.tolist() == WORDS
        assert file.U.dtype == np.float32
        assert not seeds or file.seed.values.tolist() == seeds


@pytest.mark.parametrize(
    "seed",
    [
        (("seed", "item"), np.zeros((2, 60))),
        (("item",), np.arange(60)),
        (("seed",), np.array(["a", "b"], object)),
    ],
)
def test_seeds_that_are_no_numbers_of_the_draws_are_told(tmp_path, seed):
    dims = ("seed", "item", "component")
    variables = {name: (dims, np.ones((2, 60, 8)), {}) for name in "UV"}
    write_netcdf(tmp_path / "own.nc", variables | {"seed": (*seed, {})}, {})
    with pytest.raises(ConfigError, match=r"own\.nc: seed must have a number for each of 2 draws"):
        small(embeddings={"file": str(tmp_path / "own.nc")}, seeds=2)


def test_seeds_are_numbered_from_zero(tmp_path):
    save_embeddings(tmp_path / "own.nc", *np.ones((2, 3, 60, 8)))
    assert own_embeddings.own_embeddings_shape(tmp_path / "own.nc") == (60, 8, [0, 1, 2])


@pytest.mark.parametrize(
    ("U", "V", "options", "error", "message"),
    [
        (ONES, ONES[:50], {}, ValueError, r"U has shape \(60, 8\) and V \(50, 8\)"),
        (ONES[0], ONES[0], {}, ValueError, r"U has shape \(8,\)"),
        (ONES[:0], ONES[:0], {}, ValueError, r"U has shape \(0, 8\)"),
        (ONES, 1j * ONES, {}, TypeError, "V holds complex128"),
        ([["a"]], ONES, {}, TypeError, "U holds <U1; must be floats or integers"),
        (ONES, NAN, {}, ValueError, "V: row 7, counted from 0, has NaN"),
        (1e39 * ONES, ONES, {}, ValueError, "U: row 0, .*used as float32"),
        ([ONES, NAN], [ONES, ONES], {"seeds": [5, 6]}, ValueError, "U of seed 6: row 7"),
        (ONES, MASKED, {}, ValueError, "V: row 7, counted from 0, has no value"),
        ([ONES, MASKED], [ONES, ONES], {}, ValueError, "U of seed 1: row 7.* has no value"),
        (UNWRITTEN, ONES, {}, ValueError, "U: row 7, counted from 0, has no value"),
        (ONES, ONES, {"seeds": [0]}, ValueError, "have none"),
        ([ONES] * 2, [ONES] * 2, {"seeds": [1, 1]}, ValueError, "must be 2 different whole"),
        ([ONES] * 2, [ONES] * 2, {"seeds": [1]}, ValueError, "must be 2 different whole"),
        (ONES, ONES, {"items": WORDS[:9]}, ValueError, "9 names in items; there are 60 rows"),
        (ONES, ONES, {"items": [*WORDS[:59], 1]}, TypeError, r"items\[59\] is 1; must be text"),
    ],
)
def test_what_cannot_be_saved(tmp_path, U, V, options, error, message):
    with pytest.raises(error, match=message):
        save_embeddings(tmp_path / "own.nc", U, V, **options)
    assert not list(tmp_path.iterdir())


def test_the_name_says_what_the_file_is(tmp_path):
    with pytest.raises(ValueError, match=r"own\.npy: the name of a NetCDF file must end in \.nc"):
        save_embeddings(tmp_path / "own.npy", ONES, ONES)
