"""Embeddings of your own: files written, checked before any job, and paired with a table of counts."""

import copy
import os
from functools import partial

import netCDF4
import numpy as np
import pytest
import xarray as xr

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import parse
from spectral_capacity.embeddings import load_embeddings, save_embeddings
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.sampling import own_embeddings
from spectral_capacity.sampling.frequencies import item_rows
from spectral_capacity.training.cell import train_cell
from tests import oracle
from tests.unit.cells import MUON, cell
from tests.unit.configurations import DEFAULT, ROOT, cells, only

WORDS = [f"word {i}" for i in range(60)]


def own(path, shape, seeds=None, names="UV"):
    dims = ("seed", "item", "component")[-len(shape) :]
    variables = {name: (dims, np.ones(shape, np.float32), {}) for name in names}
    if seeds:
        variables["seed"] = (("seed",), np.array(seeds), {})
    write_netcdf(path, variables, {})


def configured(**experiment):
    """The configuration of one experiment, 60 items, with changes to it."""
    given = copy.deepcopy(DEFAULT)
    given["experiments"]["one_step"] |= {
        "n_items": 60,
        "d": [8],
        "seeds": 1,
        "optimizers": ["gd", "muon"],
        **experiment,
    }
    return parse(only(given, "one_step"), root=ROOT)


def table(path, counts, names=None):
    names = names or [""] * len(counts)
    rows = (f"{name},{count}" for name, count in zip(names, counts, strict=True))
    path.write_text("\n".join(["item,count", *rows, ""]))
    return {"file": str(path), "tail_from": 10}


@pytest.mark.parametrize(
    ("shape", "seeds", "names", "message"),
    [
        ((60, 8), None, "UV", None),
        ((2, 60, 8), [0, 1], "UV", None),
        ((60, 8), None, "U", "embeddings.file: .*needs variables U and V"),
        ((50, 8), None, "UV", "n_items: 60: the embeddings have 50 items"),
        ((60, 9), None, "UV", r"d: \[8\]: the embeddings have dimension 9"),
        ((1, 60, 8), [0], "UV", r"seeds: 2: the embeddings have seeds \[0\]"),
    ],
)
def test_files_are_checked_against_the_experiment(tmp_path, shape, seeds, names, message):
    own(tmp_path / "own.nc", shape, seeds, names)
    experiment = {"embeddings": {"file": str(tmp_path / "own.nc")}}
    experiment["seeds"] = 2 if len(shape) == 3 else 1
    if message is None:
        assert not any(cell.draws() for cell in cells(configured(**experiment), "one_step"))
    else:
        with pytest.raises(ConfigError, match=message):
            configured(**experiment)


def test_a_file_without_seeds_allows_one_seed(tmp_path):
    own(tmp_path / "own.nc", (60, 8))
    with pytest.raises(ConfigError, match="every seed would be the same: write 1"):
        configured(seeds=2, embeddings={"file": str(tmp_path / "own.nc")})


@pytest.mark.parametrize("name", ["U.npy", "UV.npz", "vectors.csv", "vectors.nc"])
def test_another_format_is_told_how_to_become_one(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x93NUMPY or PK or 0.1,0.2,0.3\n")
    with pytest.raises(ConfigError) as error:
        configured(embeddings={"file": str(tmp_path / name)})
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
        configured(embeddings={"file": str(tmp_path / "own.nc")})
    with pytest.raises(ValueError, match=message):
        load_embeddings(tmp_path / "own.nc", 0)


def test_a_file_is_read_again_when_it_has_changed_and_only_then(tmp_path, monkeypatch):
    path = tmp_path / "own.nc"
    own(path, (60, 8))
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


def test_one_file_for_each_d(tmp_path):
    for d in (8, 16):
        own(tmp_path / f"d{d}.nc", (60, d))
    files = {"file": str(tmp_path / "d{d}.nc")}
    config = configured(d=[8, 16], embeddings=files)
    read = {cell.d: cell.files() for cell in cells(config, "one_step")}
    assert read == {d: [str(tmp_path / f"d{d}.nc")] for d in (8, 16)}

    with pytest.raises(ConfigError, match=r"d: \[8, 16\]: .* name a file for each d"):
        configured(d=[8, 16], embeddings={"file": str(tmp_path / "d8.nc")})
    with pytest.raises(ConfigError, match=r"d32\.nc': no such file"):
        configured(d=[8, 32], embeddings=files)
    (tmp_path / "d8.nc").rename(tmp_path / "d9.nc")
    with pytest.raises(ConfigError, match=r"d9\.nc': has dimension 8, must be 9"):
        configured(d=[9, 16], embeddings=files)
    own(tmp_path / "d8.nc", (50, 8))
    with pytest.raises(ConfigError, match=r"the embeddings have 50 items, in .*d8\.nc"):
        configured(d=[8, 16], embeddings=files)


@pytest.mark.parametrize("name", ["d{D}.nc", "{d}_{seed}.nc", "{d:03}.nc", "x{.nc"])
def test_nothing_else_in_braces(name):
    with pytest.raises(ConfigError, match=r"\{d\} is replaced by each d, nothing else may be in"):
        configured(embeddings={"file": name})


def trained(config, path):
    """What the cells of a configuration recall, as the script trains them."""
    counts = {}
    for one in cells(config, "one_step"):
        settings = one.settings()
        given = config.experiments["one_step"].frequencies.file
        rows = item_rows(settings["n_items"], given, settings["rows"])
        load = partial(load_embeddings, path, rows=rows)
        counts[one.optimizer] = train_cell(settings, load, table=given)["capacity"].item()
    return counts


@pytest.mark.parametrize("n_items", [60, 45])
def test_a_table_and_embeddings_are_paired_by_row(tmp_path, draws, n_items):
    """The same words in another order are the same words."""
    U, V = draws(60, 8)
    counts = 10**6 // np.arange(1, 61) ** 2
    shuffled = np.random.default_rng(1).permutation(60)
    found, settings = [], []
    for name, order in (("sorted", np.arange(60)), ("shuffled", shuffled)):
        words = [WORDS[i] for i in order]
        save_embeddings(tmp_path / f"{name}.nc", U[order], V[order], items=words)
        config = configured(
            n_items=n_items,
            alpha=None,
            frequencies=table(tmp_path / f"{name}.csv", counts[order], words),
            embeddings={"file": str(tmp_path / f"{name}.nc")},
        )
        settings.append(cells(config, "one_step")[0].settings())
        found.append(trained(config, tmp_path / f"{name}.nc"))
    assert found[0] == found[1]
    q = counts[:n_items] / counts[:n_items].sum()
    assert found[0]["muon"] == oracle.capacity(U[:n_items], V[:n_items], 1.5, oracle.polar, q)
    # Which row goes with which count decides the result: the settings must tell.
    assert settings[0]["frequencies"] == settings[1]["frequencies"]
    assert settings[0]["rows"] != settings[1]["rows"]


def test_equal_counts_keep_the_order_of_rows(tmp_path, draws):
    arrays = draws(60, 8)
    save_embeddings(tmp_path / "own.nc", *arrays)
    counts = [5] * 20 + [9] * 20 + [5] * 20
    path = tmp_path / "counts.csv"
    table(path, counts)
    config = configured(
        n_items=50,
        alpha=None,
        frequencies={"file": str(path), "tail_from": 1},
        embeddings={"file": str(tmp_path / "own.nc")},
    )
    rows = item_rows(50, path, cells(config, "one_step")[0].settings()["rows"])
    assert rows.tolist() == [*range(20, 40), *range(20), *range(40, 50)]
    loaded = load_embeddings(tmp_path / "own.nc", 0, rows=rows)
    np.testing.assert_array_equal(loaded, np.array(arrays)[:, rows])


def test_an_order_that_changed_is_not_taken_for_the_one_that_was_planned(tmp_path, draws):
    save_embeddings(tmp_path / "own.nc", *draws(60, 8))
    counts = np.arange(100, 40, -1)
    config = configured(
        alpha=None,
        frequencies=table(tmp_path / "counts.csv", counts),
        embeddings={"file": str(tmp_path / "own.nc")},
    )
    digest = cells(config, "one_step")[0].settings()["rows"]
    table(tmp_path / "counts.csv", counts[::-1])
    with pytest.raises(ValueError, match=r"counts\.csv: the order of its rows has changed"):
        item_rows(60, tmp_path / "counts.csv", digest)


def test_without_embeddings_the_order_of_a_table_does_not_count(tmp_path):
    counts = 10**6 // np.arange(1, 61) ** 2
    settings = [
        cells(configured(alpha=None, frequencies=table(tmp_path / "counts.csv", some)), "one_step")
        for some in (counts, counts[::-1])
    ]
    first, second = ([one.settings() for one in of_one] for of_one in settings)
    assert first == second
    assert first[0]["rows"] is None


def test_a_table_has_as_many_rows_as_the_file_has_items(tmp_path, draws):
    save_embeddings(tmp_path / "own.nc", *draws(60, 8))
    longer = table(tmp_path / "counts.csv", np.arange(100, 30, -1))
    with pytest.raises(ConfigError, match=r"counts\.csv' has 70 rows, .*own\.nc has 60 items"):
        configured(alpha=None, frequencies=longer, embeddings={"file": str(tmp_path / "own.nc")})


def test_names_must_agree_row_by_row(tmp_path, draws):
    save_embeddings(tmp_path / "own.nc", *draws(60, 8), items=WORDS)
    swapped = [*WORDS[:6], WORDS[7], WORDS[6], *WORDS[8:]]
    given = {"alpha": None, "embeddings": {"file": str(tmp_path / "own.nc")}}
    counts = np.arange(100, 40, -1)
    with pytest.raises(ConfigError, match=r"row 6 \(from 0\) is 'word 6', in .* it is 'word 7'"):
        configured(frequencies=table(tmp_path / "counts.csv", counts, swapped), **given)
    # Names on one side only are nobody's business.
    save_embeddings(tmp_path / "own.nc", *draws(60, 8))
    configured(frequencies=table(tmp_path / "counts.csv", counts, swapped), **given)


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
    config = configured(embeddings={"file": str(path)}) if not seeds else None
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


def test_seeds_are_numbered_from_zero(tmp_path):
    save_embeddings(tmp_path / "own.nc", *np.ones((2, 3, 60, 8)))
    assert own_embeddings.own_embeddings_shape(tmp_path / "own.nc") == (60, 8, [0, 1, 2])


ONES = np.ones((60, 8))
NAN = ONES.copy()
NAN[7, 3] = np.nan


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
