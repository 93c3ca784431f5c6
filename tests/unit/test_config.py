import copy
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from spectral_capacity.config.cells import seed_blocks

from spectral_capacity import config as configuration
from spectral_capacity.config import (
    FIGURES,
    ConfigError,
    cells,
    coordinates,
    embeddings_files,
    parse,
)
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.sampling.frequencies import from_counts, read_counts

ROOT = Path(__file__).parents[2]
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def change(path, value):
    """The default configuration with one key set; ``path`` is ``a.b.c``."""
    given = copy.deepcopy(DEFAULT)
    *parents, last = path.split(".")
    node = given
    for part in parents:
        node = node[part]
    node[last] = value
    return given


def merged(name):
    """What Snakemake makes of ``--configfile config/NAME.yaml``."""

    def merge(old, new):
        if isinstance(old, dict) and isinstance(new, dict):
            return {k: merge(old.get(k), new.get(k, old.get(k))) for k in {**old, **new}}
        return old if new is None else new

    return merge(DEFAULT, yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()))


def test_the_default_writes_out_every_default():
    config = parse(DEFAULT, root=ROOT)
    bare = {key: DEFAULT[key] for key in ("optimizers", "experiments")}
    assert parse(bare, root=ROOT) == config


def test_the_shipped_configurations():
    assert len(cells(parse(DEFAULT, root=ROOT), "one_step")) == 50
    smoke = parse(merged("smoke"), root=ROOT)
    assert max(smoke.experiments["one_step"].d) <= 32
    depths = parse(merged("depth"), root=ROOT).experiments["newton_schulz_depth"]
    assert len(depths.optimizers) == 16
    paper = parse(merged("paper"), root=ROOT)
    assert paper.experiments["one_step"].seeds == 16
    assert max(paper.experiments["one_step"].d) == 1024
    assert paper.experiments["one_step"].alpha == DEFAULT["experiments"]["one_step"]["alpha"]


E = "experiments.one_step"
W = "experiments.real_words"
BAD = [
    (f"{E}.alpha", [1.5, 2.0, -1.0], f"{E}.alpha[2]: -1.0: must be greater than 0"),
    (f"{E}.alpha", [1.5, "x"], f"{E}.alpha[1]: 'x': must be a valid number"),
    (f"{E}.alpha", [], f"{E}.alpha: must have at least 1 item"),
    (f"{E}.alpha", 1.5, f"{E}.alpha: 1.5: must be a valid list"),
    (f"{E}.alpha", [float("nan")], f"{E}.alpha[0]: nan: must be"),
    (f"{E}.kappa", [-0.5], f"{E}.kappa[0]: -0.5: must be greater than or equal to 0"),
    (f"{E}.d", [32, 32], f"{E}.d: each value once; repeated: 32"),
    (f"{E}.d", [32, 100_000], f"{E}.d[1]: 100000: must be less than n_items, 100000"),
    (f"{E}.d", [1], f"{E}.d[0]: 1: must be greater than or equal to 2"),
    (f"{E}.d", [32.5], f"{E}.d[0]: 32.5: must be a valid integer"),
    (f"{E}.n_items", "many", f"{E}.n_items: 'many': must be a valid integer"),
    (f"{E}.seeds", 0, f"{E}.seeds: 0: must be greater than or equal to 1"),
    (f"{E}.seeds", True, f"{E}.seeds: True: must be a valid integer"),
    (
        f"{E}.optimizers",
        ["gd", "mun"],
        f"{E}.optimizers[1]: 'mun' is not defined; optimizers has gd",
    ),
    (f"{E}.sedes", 3, f"{E}.sedes: unknown key; did you mean seeds?"),
    (
        f"{E}.early_stop",
        {"windw": 3},
        f"{E}.early_stop.windw: unknown key; did you mean window?",
    ),
    (f"{E}.kind", "x", f"{E}.kind: 'x': must be 'memory'"),
    (f"{E}.steps", 0, f"{E}.steps: 0: must be greater than or equal to 1"),
    (f"{E}.steps", True, f"{E}.steps: True: must be a valid integer"),
    (f"{E}.alpha", [float("inf")], f"{E}.alpha[0]: inf: must be a finite number"),
    (
        f"{E}.alpha",
        ["1e-3"],
        f"{E}.alpha[0]: '1e-3': must be a valid number; YAML takes 1e-3 for text",
    ),
    (
        "optimizers.gd.learning_rate.d_power",
        500,
        "optimizers.gd.learning_rate.d_power: 500: must be",
    ),
    ("results", "r{x}", "results: 'r{x}': must match pattern"),
    (
        f"{E}.batch_size",
        [0],
        f"{E}.batch_size[0]: 0: must be greater than or equal to 1 or must be 'population'",
    ),
    (f"{E}.batch_size", [16, 16], f"{E}.batch_size: each value once; repeated: 16"),
    (f"{E}.batch_size", [1.5], f"{E}.batch_size[0]: 1.5: must be a valid integer"),
    (f"{E}.alpha", None, f"{E}.alpha: is missing"),
    (
        f"{E}.loss",
        {"learning_rate_factors": [0.0]},
        f"{E}.loss.learning_rate_factors[0]: 0.0: must",
    ),
    (f"{W}.alpha", [1.5], f"{W}.alpha: [1.5]: leave it out (or write null)"),
    (f"{W}.frequencies.file", "no.csv", f"{W}.frequencies.file: 'no.csv': no such file"),
    (f"{W}.n_items", 60_000, f"{W}.frequencies.file: "),
    (
        f"{W}.frequencies.tail_from",
        40_000,
        f"{W}.frequencies.tail_from: 40000: must be at most half",
    ),
    (
        "optimizers.newton.ridge",
        -1.0,
        "optimizers.newton.ridge: -1.0: must be greater than or equal",
    ),
    (
        "optimizers.soft_1.map",
        {"name": "own", "file": "no.py", "function": "h"},
        "optimizers.soft_1.map.file: 'no.py': no such file",
    ),
    (
        "optimizers.soft_1.map",
        {"name": "own", "file": "README.md", "function": "h"},
        "optimizers.soft_1.map: ",
    ),
    (f"{E}.embeddings", {"file": "no.nc"}, f"{E}.embeddings.file: 'no.nc': no such file"),
    ("resluts", "x", "resluts: unknown key; did you mean results?"),
    ("results", "", "results: '': must"),
    ("device", "tpu", "device: 'tpu': must be 'auto', 'cpu' or 'gpu'"),
    ("seed", "0", "seed: '0': must be a valid integer"),
    ("seed", -1, "seed: -1: must be greater than or equal to 0"),
    ("optimizers", {}, "optimizers: must have at least 1 item"),
    ("optimizers.muon", 3, "optimizers.muon: 3: must be a mapping of keys"),
    ("optimizers.my-own", {"rule": "gradient"}, "optimizers.my-own: 'my-own': must match pattern"),
    ("optimizers.muon.rule", "spectrl", "optimizers.muon.rule: 'spectrl' is not known; allowed:"),
    ("optimizers.muon.map", {}, "optimizers.muon.map.name: is missing"),
    ("optimizers.muon.map.name", "polr", "optimizers.muon.map.name: 'polr' is not known; allowed:"),
    ("optimizers.muon.map.x", 1, "optimizers.muon.map.x: unknown key; known keys: name"),
    (
        "optimizers.muon.map",
        {"name": "newton_schulz", "iterations": -3},
        "optimizers.muon.map.iterations: -3: must be greater than or equal to 0",
    ),
    (
        "optimizers.muon.map",
        {"name": "smoothed_polar", "resolution": -3},
        "optimizers.muon.map.resolution: -3: must be greater than 0 or must be 'theory'",
    ),
    (
        "optimizers.gd.learning_rate.scale",
        0,
        "optimizers.gd.learning_rate.scale: 0: must be greater",
    ),
    (
        "all_devices",
        "true",
        "all_devices: 'true': must be a valid boolean; Snakemake takes it for text, write True",
    ),
    ("figures.fig2", "nope", "figures.fig2: 'nope' is not defined; experiments has one_step"),
    (
        "experiments.resolution.optimizers",
        ["gd", "soft_1"],
        "figures.resolution: 'resolution': must have exactly one optimizer with the exact polar map",
    ),
    ("figures.fig3", "one_step", "figures.fig3: 'one_step': must have four finite sizes or more"),
    ("figures.loss", "one_step", "figures.loss: 'one_step': must have a loss section"),
    (
        "experiments.spectrum.batch_size",
        [64],
        "figures.spectrum: 'spectrum': must have population among its batch_size",
    ),
    ("figures.fig2", "steps", "figures.fig2: 'steps': must have steps: 1, which is all"),
    (f"{E}.loss", True, f"{E}.loss: True: must be a mapping of keys"),
    ("figures.formats", ["gif"], "figures.formats[0]: 'gif': must be 'pdf', 'svg' or 'png'"),
    ("figures.style", "no.mplstyle", "figures.style: 'no.mplstyle': no such file"),
    ("claims", "no.yaml", "claims: 'no.yaml': no such file"),
    ("fits.confidence", 1.0, "fits.confidence: 1.0: must be less than 1"),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD)
def test_a_bad_value_gives_one_message_with_its_path(path, value, message):
    with pytest.raises(ConfigError) as error:
        parse(change(path, value), root=ROOT)
    (problem,) = error.value.problems
    assert problem.startswith(message)


def test_two_experiments_on_one_table_can_be_compared():
    given = copy.deepcopy(DEFAULT)
    for name in given["figures"]["thresholded"].values():
        experiment = given["experiments"][name]
        experiment["alpha"] = None
        experiment["frequencies"] = {"file": "data/english_words.csv"}
    parse(given, root=ROOT)


def test_a_missing_key():
    given = copy.deepcopy(DEFAULT)
    del given["experiments"]["one_step"]["d"]
    with pytest.raises(ConfigError, match=r"experiments\.one_step\.d: is missing"):
        parse(given, root=ROOT)


def test_all_problems_are_told_at_once():
    given = change("device", "tpu")
    given["seed"] = -1
    with pytest.raises(ConfigError) as error:
        parse(given, root=ROOT)
    assert len(error.value.problems) == 2


def own(path, shape, seeds=None, names="UV"):
    dims = ("seed", "item", "component")[-len(shape) :]
    variables = {name: (dims, np.ones(shape, np.float32), {}) for name in names}
    if seeds:
        variables["seed"] = (("seed",), np.array(seeds), {})
    write_netcdf(path, variables, {})


@pytest.mark.parametrize(
    ("shape", "seeds", "names", "message"),
    [
        ((100, 8), None, "UV", None),
        ((2, 100, 8), [0, 1], "UV", None),
        ((100, 8), None, "U", "embeddings.file: .*needs variables U and V"),
        ((90, 8), None, "UV", "n_items: 100: the embeddings have 90 items"),
        ((100, 9), None, "UV", r"d: \[8\]: the embeddings have dimension 9"),
        ((1, 100, 8), [0], "UV", r"seeds: 2: the embeddings have seeds \[0\]"),
    ],
)
def test_own_embeddings_are_checked_against_the_experiment(tmp_path, shape, seeds, names, message):
    own(tmp_path / "own.nc", shape, seeds, names)
    given = copy.deepcopy(DEFAULT)
    given["experiments"]["one_step"] |= {
        "n_items": 100,
        "d": [8],
        "seeds": 2 if len(shape) == 3 else 1,
        "embeddings": {"file": str(tmp_path / "own.nc")},
    }
    if message is None:
        given["experiments"] = {"one_step": given["experiments"]["one_step"]}
        given["figures"] = dict.fromkeys(FIGURES)
        assert not embeddings_files(parse(given, root=ROOT))
    else:
        with pytest.raises(ConfigError, match=message):
            parse(given, root=ROOT)


def test_own_embeddings_without_seeds_allow_one_seed(tmp_path):
    own(tmp_path / "own.nc", (100, 8))
    given = copy.deepcopy(DEFAULT)
    given["experiments"]["one_step"] |= {
        "n_items": 100,
        "d": [8],
        "embeddings": {"file": str(tmp_path / "own.nc")},
    }
    with pytest.raises(ConfigError, match="every seed would be the same: write 1"):
        parse(given, root=ROOT)


def test_cells_cover_the_grid_and_have_their_own_files():
    config = parse(change(f"{E}.seeds", 6), root=ROOT)
    all_cells = cells(config, "one_step")
    assert len(all_cells) == 2 * 5 * 5 * 2
    assert len({cell.name for cell in all_cells}) == len(all_cells)
    assert {cell.seeds for cell in all_cells} == {(0, 1, 2, 3), (4, 5)}
    assert coordinates(config, "one_step")["seed"] == list(range(6))
    assert set(embeddings_files(config)) >= {cell.embeddings.name for cell in all_cells}


def test_experiments_share_their_embeddings():
    config = parse(DEFAULT, root=ROOT)
    names = [
        {cell.embeddings.name for cell in cells(config, experiment)}
        for experiment in ("one_step", "minibatch", "anisotropy")
    ]
    assert names[0] >= names[1]
    assert names[0] >= names[2]


def test_batches_are_inside_a_cell_and_infinite_for_the_population():
    config = parse(change(f"{E}.batch_size", [16, "population"]), root=ROOT)
    assert len(cells(config, "one_step")) == 50
    assert cells(config, "one_step")[0].batch_sizes == (16.0, np.inf)
    assert coordinates(config, "one_step")["batch_size"] == [16.0, np.inf]


def test_a_table_gives_its_tail_as_alpha_and_its_digest_to_the_cells(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = parse(DEFAULT, root=ROOT)
    (alpha,) = coordinates(config, "real_words")["alpha"]
    assert 1.4 < alpha < 1.7
    cell = cells(config, "real_words")[0]
    assert cell.alpha == alpha
    digest = cell.settings(config)["frequencies"]["sha256"]
    p = from_counts(read_counts(ROOT / "data/english_words.csv"), cell.n_items)
    assert digest == hashlib.sha256(p.tobytes()).hexdigest()
    assert cells(config, "one_step")[0].settings(config)["frequencies"] is None


def test_what_a_sweep_varies():
    optimizers = parse(DEFAULT, root=ROOT).optimizers
    assert configuration.numeric_options(optimizers["jordan_5"]) == {"iterations": 5.0}
    assert configuration.numeric_options(optimizers["newton"]) == {"ridge": 1e-8}
    assert configuration.numeric_options(optimizers["muon"]) == {}


def test_close_floats_have_different_files():
    config = parse(change(f"{E}.alpha", [1.5, float(np.nextafter(1.5, 2))]), root=ROOT)
    assert len({cell.name for cell in cells(config, "one_step")}) == 2 * 2 * 5


def test_more_seeds_only_add_blocks():
    assert seed_blocks(4, 4) == [(0, 1, 2, 3)]
    assert seed_blocks(8, 4)[:1] == seed_blocks(4, 4)


def test_settings_are_plain_sorted_and_independent_of_what_does_not_matter():
    config = parse(DEFAULT, root=ROOT)
    cell = cells(config, "one_step")[-1]
    settings = cell.settings(config)
    assert list(settings) == sorted(settings)
    assert list(settings["optimizer"]) == sorted(settings["optimizer"])
    given = change("device", "cpu")
    given["results"] = "elsewhere"
    given["experiments"]["one_step"]["alpha"].append(4.0)
    other = parse(given, root=ROOT)
    assert repr(settings) == repr(
        next(c for c in cells(other, "one_step") if c.name == cell.name).settings(other)
    )


def test_the_editors_schema_is_current():
    """``make schema`` writes it."""
    assert json.loads((ROOT / "config/schema.json").read_text()) == configuration.json_schema()


def test_checking_does_not_load_the_numerical_core():
    import subprocess
    import sys

    code = "import sys, spectral_capacity.config; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert not {"jax", "scipy", "pandas", "xarray", "matplotlib"} & set(loaded)
