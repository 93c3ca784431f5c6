import copy
import json

import pytest

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import json_schema, parse
from tests.unit.configurations import DEFAULT, ROOT, change, merged, only, problem_of


def test_the_default_writes_out_every_default():
    config = parse(DEFAULT, root=ROOT)
    bare = {key: DEFAULT[key] for key in ("optimizers", "experiments")}
    assert parse(bare, root=ROOT) == config


def test_the_shipped_configurations():
    smoke = parse(merged("smoke"), root=ROOT)
    assert max(smoke.experiments["one_step"].d) <= 32
    depths = parse(merged("depth"), root=ROOT).experiments["newton_schulz_depth"]
    assert len(depths.optimizers) == 16
    precisions = parse(merged("precision"), root=ROOT).experiments
    assert {*precisions} >= {"newton_schulz_precision", "polar_express_precision"}
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
    (f"{E}.kind", "x", f"{E}.kind: 'x' is not known; allowed: 'memory', 'incontext'"),
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
    (
        "optimizers.muon.rule",
        "spectrl",
        "optimizers.muon.rule: 'spectrl' is not known; did you mean spectral?",
    ),
    (
        "optimizers.x",
        {"rule": "power"},
        "optimizers.x.rule: 'power' is not known; did you mean spectral with map: {name: power}?",
    ),
    (
        "optimizers.x",
        {"rule": "adafactor"},
        "optimizers.x.rule: 'adafactor' is not known; allowed: 'gradient'",
    ),
    ("optimizers.gd.colour", "bleu", "optimizers.gd.colour: 'bleu': no colour; write one as"),
    ("optimizers.gd.label", "$x_$", "optimizers.gd.label: '$x_$': Matplotlib does not read"),
    ("optimizers.gd.colour", "none", "optimizers.gd.colour: 'none': no colour"),
    ("optimizers.muon.map", {}, "optimizers.muon.map.name: is missing"),
    (
        "optimizers.muon.map.name",
        "polr",
        "optimizers.muon.map.name: 'polr' is not known; did you mean polar?",
    ),
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
    ("figures.fig2", "steps", "figures.fig2: 'steps': must have steps: 1"),
    (f"{E}.loss", True, f"{E}.loss: True: must be a mapping of keys"),
    ("figures.formats", ["gif"], "figures.formats[0]: 'gif': must be 'pdf', 'svg' or 'png'"),
    ("figures.style", "no.mplstyle", "figures.style: 'no.mplstyle': no such file"),
    ("claims", "no.yaml", "claims: 'no.yaml': no such file"),
    ("fits.confidence", 1.0, "fits.confidence: 1.0: must be less than 1"),
    (f"{E}.seeds", 10**18, f"{E}.seeds: 1000000000000000000: must be less than or equal to 10000"),
    (f"{E}.steps", 10**9, f"{E}.steps: 1000000000: must be less than or equal to 100000"),
    ("seeds_per_job", 10**9, "seeds_per_job: 1000000000: must be less than or equal to 10000"),
    ("fits.bootstrap", 10**9, "fits.bootstrap: 1000000000: must be less than or equal to"),
    (
        "optimizers.jordan_5.map.iterations",
        10**9,
        "optimizers.jordan_5.map.iterations: 1000000000: must be less than or equal to 1000",
    ),
    ("seed", 2**40, "seed: 1099511627776: must be less than"),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD)
def test_a_bad_value_gives_one_message_with_its_path(path, value, message):
    assert problem_of(path, value).startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"d": [*range(2, 2000)], "alpha": [1 + i / 1000 for i in range(1000)]},
            "experiments.one_step: its grid has 15,984,000 points; at most 10,000,000 are allowed",
        ),
        (
            {"d": [*range(2, 2000)], "alpha": [1 + i / 1000 for i in range(30)]},
            "experiments.one_step: with it there are more than 100,000 cells",
        ),
    ],
)
def test_a_configuration_too_large_to_handle_is_refused_at_once(change, message):
    given = only(DEFAULT, "one_step") | {"seeds_per_job": 1}
    given["experiments"]["one_step"] |= change
    with pytest.raises(ConfigError) as error:
        parse(given, root=ROOT)
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


def test_the_editors_schema_is_current():
    """``make docs`` writes it."""
    assert json.loads((ROOT / "config/schema.json").read_text()) == json_schema()


def test_checking_does_not_load_the_numerical_core():
    import subprocess
    import sys

    code = "import sys, spectral_capacity.config.parse as c; c.config_model(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert not {"jax", "scipy", "pandas", "xarray", "matplotlib"} & set(loaded)


def test_a_rule_that_a_kind_does_not_train():
    with pytest.raises(ConfigError) as error:
        parse(change("optimizers.transformer_sgd", {"rule": "sign"}), root=ROOT)
    assert (
        "experiments.incontext.optimizers[2]: 'transformer_sgd' has rule sign; kind incontext trains sgd, "
        "adamw, lion, muon, shampoo, soap"
    ) in str(error.value)
