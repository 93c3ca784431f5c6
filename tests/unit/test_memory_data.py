"""What a user supplies to a linear memory: checked before any job, files for each d, tables paired by row."""

import numpy as np
import pytest

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.embeddings import load_embeddings, save_embeddings
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.sampling.frequencies import item_rows
from spectral_capacity.training.cell import embeddings_of, train_cell
from tests import oracle
from tests.unit.configurations import cells, small

WORDS = [f"word {i}" for i in range(60)]


def own(path, shape, seeds=None, names="UV"):
    dims = ("seed", "item", "component")[-len(shape) :]
    variables = {name: (dims, np.ones(shape, np.float32), {}) for name in names}
    if seeds:
        variables["seed"] = (("seed",), np.array(seeds), {})
    write_netcdf(path, variables, {})


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
        assert not any(cell.draws() for cell in cells(small(**experiment), "one_step"))
    else:
        with pytest.raises(ConfigError, match=message):
            small(**experiment)


def test_a_file_without_seeds_allows_one_seed(tmp_path):
    own(tmp_path / "own.nc", (60, 8))
    with pytest.raises(ConfigError, match="every seed would be the same: write 1"):
        small(seeds=2, embeddings={"file": str(tmp_path / "own.nc")})


def test_one_file_for_each_d(tmp_path):
    for d in (8, 16):
        own(tmp_path / f"d{d}.nc", (60, d))
    files = {"file": str(tmp_path / "d{d}.nc")}
    config = small(d=[8, 16], embeddings=files)
    read = {cell.d: cell.files() for cell in cells(config, "one_step")}
    assert read == {d: [str(tmp_path / f"d{d}.nc")] for d in (8, 16)}

    with pytest.raises(ConfigError, match=r"d: \[8, 16\]: .* name a file for each d"):
        small(d=[8, 16], embeddings={"file": str(tmp_path / "d8.nc")})
    with pytest.raises(ConfigError, match=r"d32\.nc': no such file"):
        small(d=[8, 32], embeddings=files)
    (tmp_path / "d8.nc").rename(tmp_path / "d9.nc")
    with pytest.raises(ConfigError, match=r"d9\.nc': has dimension 8, must be 9"):
        small(d=[9, 16], embeddings=files)
    own(tmp_path / "d8.nc", (50, 8))
    with pytest.raises(ConfigError, match=r"the embeddings have 50 items, in .*d8\.nc"):
        small(d=[8, 16], embeddings=files)


@pytest.mark.parametrize("name", ["d{D}.nc", "{d}_{seed}.nc", "{d:03}.nc", "x{.nc"])
def test_nothing_else_in_braces(name):
    with pytest.raises(ConfigError, match=r"\{d\} is replaced by each d, nothing else may be in"):
        small(embeddings={"file": name})


def trained(config, path):
    """What the cells of a configuration recall, as the script trains them."""
    counts = {}
    for one in cells(config, "one_step"):
        settings = one.settings()
        given = config.experiments["one_step"].frequencies.file
        load = embeddings_of(settings, path, given)
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
        config = small(
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
    config = small(
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
    config = small(
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
        cells(small(alpha=None, frequencies=table(tmp_path / "counts.csv", some)), "one_step")
        for some in (counts, counts[::-1])
    ]
    first, second = ([one.settings() for one in of_one] for of_one in settings)
    assert first == second
    assert first[0]["rows"] is None


def test_a_table_has_as_many_rows_as_the_file_has_items(tmp_path, draws):
    save_embeddings(tmp_path / "own.nc", *draws(60, 8))
    longer = table(tmp_path / "counts.csv", np.arange(100, 30, -1))
    with pytest.raises(ConfigError, match=r"counts\.csv' has 70 rows, .*own\.nc has 60 items"):
        small(alpha=None, frequencies=longer, embeddings={"file": str(tmp_path / "own.nc")})


def test_names_must_agree_row_by_row(tmp_path, draws):
    save_embeddings(tmp_path / "own.nc", *draws(60, 8), items=WORDS)
    swapped = [*WORDS[:6], WORDS[7], WORDS[6], *WORDS[8:]]
    given = {"alpha": None, "embeddings": {"file": str(tmp_path / "own.nc")}}
    counts = np.arange(100, 40, -1)
    with pytest.raises(ConfigError, match=r"row 6 \(from 0\) is 'word 6', in .* it is 'word 7'"):
        small(frequencies=table(tmp_path / "counts.csv", counts, swapped), **given)
    # Names on one side only are nobody's business.
    save_embeddings(tmp_path / "own.nc", *draws(60, 8))
    small(frequencies=table(tmp_path / "counts.csv", counts, swapped), **given)
