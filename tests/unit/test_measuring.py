"""``measure`` and ``fit`` give what the pipeline's scripts give."""

import json
from functools import partial

import jaxtyping
import numpy as np
import pytest
import xarray as xr

from spectral_capacity import fit, measure
from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import parse
from spectral_capacity.embeddings import save_embeddings
from spectral_capacity.results.grids import assemble, read_points, write_table
from spectral_capacity.results.provenance import record
from spectral_capacity.results.reading import open_grid
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.embeddings import generate_embeddings
from spectral_capacity.training.cell import embeddings_of, train_cell, write_cell
from tests.unit.configurations import DEFAULT, ROOT, only

POLAR = {"rule": "spectral", "map": {"name": "polar"}}
SOURCE = """
def cut(gradient, context, *, at=0.5):
    sigma = gradient.singular_values
    return gradient.with_singular_values(sigma.clip(max=at * sigma[0]))
"""
SMALL = {"n_items": 200, "d": [8], "alpha": [1.5], "seeds": 1}


def cut(gradient, context, *, at=0.5):
    sigma = gradient.singular_values
    return gradient.with_singular_values(sigma.clip(max=at * sigma[0]))


def of_the_pipeline(folder, optimizers, **experiment):
    """The grid and the fits of an experiment of the configuration, from the functions of the scripts."""
    given = DEFAULT | {"optimizers": DEFAULT["optimizers"] | optimizers}
    mine = experiment | {"optimizers": [*optimizers]}
    config = parse(only(given | {"experiments": {"mine": mine}}, "mine"), root=ROOT)
    chosen, shared = config.experiments["mine"], config.shared
    table = chosen.frequencies and chosen.frequencies.file
    paths = []
    for cell in chosen.cells("mine", shared):
        settings = cell.settings()
        for file in cell.draws():
            generate_embeddings(folder / "draws.nc", **file.settings(shared))
        embeddings = (cell.files() or [folder / "draws.nc"])[0]
        load = embeddings_of(settings, embeddings, table)
        results = train_cell(settings, load, table=table)
        paths.append(folder / f"{cell.name}.nc")
        write_cell(paths[-1], settings, results, record(settings))
    whole = chosen.grid_settings("mine", shared)
    write_table(folder / "table.nc", [*map(read_points, paths)])
    assemble(folder / "grid.nc", [folder / "table.nc"], whole["coordinates"], record(whole), "Grid")
    grid = open_grid(folder / "grid.nc")
    return grid, fit_exponents(grid, chosen.fit_settings("mine", shared))


def plain(dataset):
    """Without what says where a file comes from."""
    return dataset.assign_attrs(dict.fromkeys(dataset.attrs))


@pytest.mark.slow
@pytest.mark.parametrize(
    "experiment",
    [
        {"d": [8, 16], "alpha": [1.5, 2.0], "kappa": [0.0, 1.0], "seeds": 5},
        {"d": [8], "alpha": [1.5], "batch_size": [32, "population"], "steps": 3, "loss": {}},
    ],
)
def test_grids_and_fits_are_those_of_the_pipeline_to_the_last_bit(tmp_path, experiment):
    (tmp_path / "maps.py").write_text(SOURCE)
    of_file = {"name": "own", "file": str(tmp_path / "maps.py"), "function": "cut"}
    rate = {"learning_rate": {"scale": 2.0, "d_power": 0.5}}
    experiment = {"n_items": 300, **experiment}
    grid, fits = of_the_pipeline(
        tmp_path,
        {
            "polar": POLAR | rate,
            "cut": {"rule": "spectral", "map": of_file},
            "low": {"rule": "spectral", "map": of_file | {"options": {"at": 0.1}}, **rate},
        },
        **experiment,
    )
    measured = measure(
        {
            "polar": POLAR | rate,
            "cut": cut,
            "low": {"rule": "spectral", "map": partial(cut, at=0.1), **rate},
        },
        **experiment,
    )
    xr.testing.assert_identical(plain(measured), plain(grid))
    for name, variable in grid.data_vars.items():
        assert measured[name].values.tobytes() == variable.values.tobytes()
    # The numbers among a map's options are in the configuration only.
    xr.testing.assert_identical(fit(measured), fits.drop_vars("option_at"))
    xr.testing.assert_identical(fit(grid), fits)


def test_embeddings_and_counts_of_your_own(tmp_path, draws):
    rng = np.random.default_rng(0)
    for d in (8, 16):
        save_embeddings(tmp_path / f"d{d}.nc", *draws(200, d))
    counts = rng.permutation(10**6 // np.arange(1, 201))
    (tmp_path / "counts.csv").write_text("count\n" + "\n".join(map(str, counts)) + "\n")
    experiment = {
        "n_items": 150,
        "d": [8, 16],
        "seeds": 1,
        "frequencies": {"file": str(tmp_path / "counts.csv"), "tail_from": 10},
        "embeddings": {"file": str(tmp_path / "d{d}.nc")},
    }
    grid, fits = of_the_pipeline(tmp_path, {"polar": POLAR}, **experiment)
    measured = measure({"polar": POLAR}, **experiment)
    xr.testing.assert_identical(plain(measured), plain(grid))
    xr.testing.assert_identical(fit(measured), fits)


def test_settings_may_be_what_numpy_and_xarray_give(tmp_path):
    plain_ones = {"n_items": 200, "d": [4, 8], "alpha": [1.5], "seeds": 2, "steps": 1}
    plain_ones |= {"batch_size": [16, "population"], "early_stop": None, "kappa": [0.0]}
    grid = measure({"muon": POLAR}, seed=3, **plain_ones)
    same = measure(
        {"muon": POLAR | {"learning_rate": {"scale": np.float64(1)}}},
        seed=np.int64(3),
        n_items=np.int64(200),
        d=np.array([4, 8]),
        alpha=(np.float32(1.5),),
        seeds=grid.seed.size,
        steps=np.int32(1),
        batch_size=grid.batch_size.values,
        kappa=grid.kappa,
    )
    xr.testing.assert_identical(same, grid)
    assert measure({"muon": POLAR}, **SMALL | {"batch_size": [16, np.inf]}).batch_size[1] == np.inf
    fits = fit(grid, bootstrap=np.int64(200), confidence=np.float64(0.9))
    xr.testing.assert_identical(fits, fit(grid, bootstrap=200, confidence=0.9))
    own = tmp_path / "own.nc"
    save_embeddings(own, *np.random.default_rng(0).standard_normal((2, 200, 8)))
    assert measure({"muon": POLAR}, **SMALL | {"embeddings": {"file": own}}).capacity.item() > 0


def test_the_seed_is_the_root_of_all_draws():
    first, second, again = (
        measure({"gd": {"rule": "gradient"}}, seed=s, **SMALL) for s in (0, 1, 0)
    )
    assert first.sigma_max.item() != second.sigma_max.item()
    xr.testing.assert_identical(first, again)


def test_provenance_says_what_was_measured():
    grid = measure({"cut": cut, "polar": POLAR}, **SMALL)
    made = json.loads(grid.provenance)
    about = made["configuration"]
    assert about["n_items"] == 200
    assert about["definitions"]["cut"]["map"]["function"] == "cut"
    assert made["cells"][0]["backend"]
    assert "numpy" in made["versions"]


def test_a_file_that_was_edited_is_read_anew(tmp_path):
    path = tmp_path / "maps.py"
    of_file = {"name": "own", "file": str(path), "function": "cut"}
    values = []
    for at in (0.5, 0.1):
        path.write_text(SOURCE.replace("0.5", str(at)))
        grid = measure({"mine": {"rule": "spectral", "map": of_file}}, **SMALL)
        values.append(grid.signal_slope.item())
    assert values[0] != values[1]


@pytest.mark.parametrize(
    ("optimizers", "changed", "message"),
    [
        ({"a": POLAR}, {"d": [8, 300]}, "  d[1]: 300: must be less than n_items, 200"),
        ({"a": POLAR}, {"sedes": 2}, "  sedes: unknown key; did you mean seeds?"),
        ({"a": POLAR}, {"alpha": None}, "  alpha: is missing"),
        ({"a": POLAR}, {"seed": -1}, "  seed: -1: must be greater than or equal to 0"),
        (
            {"a": POLAR},
            {"embeddings": {"file": "no.nc"}},
            "  embeddings.file: 'no.nc': no such file",
        ),
        ({"a b": cut}, {}, "  optimizers.a b: 'a b': must match pattern"),
        (
            {"a": {"rule": "spectrl"}},
            {},
            "  optimizers.a.rule: 'spectrl' is not known; did you mean spectral?",
        ),
        (
            {"a": {"rule": "spectral", "map": {"name": "own", "file": "no.py", "function": "h"}}},
            {},
            "  optimizers.a.map.file: 'no.py': no such file",
        ),
        ({}, {}, "  optimizers: must have at least 1 item"),
        (
            {"a": lambda s: s},
            {},
            "  optimizers.a: its function must take (gradient, context) and its options after a *; h(σ) is "
            "gradient.with_singular_values(",
        ),
        (
            {"a": POLAR},
            {"batch_size": np.array([1.5])},
            "  batch_size[0]: 1.5: must be a valid integer",
        ),
    ],
)
def test_what_cannot_be_measured_is_said_as_for_the_pipeline(optimizers, changed, message):
    with pytest.raises(ConfigError) as error:
        measure(optimizers, **SMALL | changed)
    assert message in str(error.value)


@pytest.fixture
def untyped():
    """As users call it: without the types that tests check."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("untyped")
def test_an_optimizer_that_is_a_name_only():
    with pytest.raises(ConfigError, match=r"  optimizers\.a: 'muon': must be"):
        measure({"a": "muon"}, **SMALL)


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize("optimizers", [["muon"], "muon", cut, None])
def test_optimizers_without_names_are_told_what_is_expected(optimizers):
    with pytest.raises(TypeError, match=r'or a mapping .* \{"muon": \{"rule": "spectral"'):
        measure(optimizers, **SMALL)


def test_an_error_of_a_function_says_where():
    def lost(gradient, context):
        return np.nan * gradient.matrix

    with pytest.raises(FloatingPointError, match="the function of lost returned NaN") as error:
        measure({"lost": lost}, **SMALL)
    assert error.value.__notes__ == [
        "seed 0, batch size inf",
        "lost_alpha1.5_kappa0.0_d8_seeds0-0",
    ]


def test_a_run_that_diverges_is_a_status_and_no_error():
    rate = {"learning_rate": {"scale": 1e300}}
    grid = measure({"gd": {"rule": "gradient"} | rate}, steps=2, **SMALL)
    assert (grid.status == Status.DIVERGED).all()


def test_every_seed_is_reported():
    lines = []
    measure({"cut": cut}, report=lines.append, **SMALL | {"seeds": 2})
    assert [line.split(": ")[1] for line in lines] == ["seed 0", "seed 1"]
