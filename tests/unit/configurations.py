"""The shipped configurations, and changes to them."""

import copy
from pathlib import Path

import pytest
import yaml

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import merged as merged_files
from spectral_capacity.config.parse import parse

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


def problem_of(path, value):
    """The only problem of the default configuration with one key set."""
    with pytest.raises(ConfigError) as error:
        parse(change(path, value), root=ROOT)
    (problem,) = error.value.problems
    return problem


def merged(name):
    """What Snakemake makes of ``--configfile config/NAME.yaml``."""
    return merged_files(ROOT / f"config/{file}.yaml" for file in ("config", name))


def cells(config, experiment):
    return list(config.experiments[experiment].cells(experiment, config.shared))


def coordinates(config, experiment):
    return config.experiments[experiment].coordinates(config.shared)


def only(given, experiment):
    """``given`` with one experiment, and no figure."""
    look = ("formats", "finite_size", "style")
    figures = {name: given["figures"][name] if name in look else None for name in given["figures"]}
    experiments = {experiment: given["experiments"][experiment]}
    return copy.deepcopy(given | {"experiments": experiments, "figures": figures})


def small(**experiment):
    """The configuration of one experiment, ``one_step`` with 60 items, one d and one seed, with changes."""
    given = copy.deepcopy(DEFAULT)
    tiny = {"n_items": 60, "d": [8], "seeds": 1, "optimizers": ["gd", "muon"]}
    given["experiments"]["one_step"] |= tiny | experiment
    return parse(only(given, "one_step"), root=ROOT)


TRANSFORMERS = {
    "optimizers": {
        name: {"rule": name.removeprefix("our_")} for name in ("our_muon", "adamw", "sgd")
    },
    "experiment": {
        "kind": "incontext",
        "vocabulary": 32,
        "length": 32,
        "pairs": 4,
        "exponents": [[0, 0], [0, 2], [2, 0]],
        "d": [16, 32],
        "batch_size": [16, 64],
        "iterations": [64, 128],
        "optimizers": ["our_muon", "adamw", "sgd"],
        "learning_rates": {"our_muon": [0.01, 0.1], "adamw": [0.003], "sgd": [0.3]},
        "seeds": 2,
    },
}


def transformers(figures=None, **changes):
    """The default configuration with an experiment ``incontext``, changed so, and figures of it."""
    given = copy.deepcopy(DEFAULT)
    given["optimizers"] |= TRANSFORMERS["optimizers"]
    given["experiments"]["incontext"] = TRANSFORMERS["experiment"] | changes
    given["experiments"]["incontext_exponents"] = None
    given["figures"] |= figures or {}
    return given


def optimizer_settings(given):
    """An optimizer as the configuration gives it to a cell: checked, with its defaults."""
    config = parse(DEFAULT | {"optimizers": DEFAULT["optimizers"] | {"tested": given}}, root=ROOT)
    return config.optimizers["tested"].model_dump()
