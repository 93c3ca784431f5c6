from string import Formatter

import pytest

from spectral_capacity.kinds.fields import options_of
from spectral_capacity.kinds.memory import MemoryExperiment
from spectral_capacity.optimizers.maps import MAPS
from spectral_capacity.report import optimizers
from spectral_capacity.report.text import plain

RATE = {"scale": 1.0, "d_power": 0.0, "schedule": "constant"}


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ({}, "η = 1"),
        ({"scale": 2.0, "d_power": 0.5}, "η = 2 √d"),
        ({"d_power": 0.5}, "η = √d"),
        ({"d_power": -1.5}, "η = d^(-1.5)"),
        ({"scale": 0.01, "schedule": "growing"}, "η = 0.01 d^(α e_t)"),
    ],
)
def test_the_learning_rate(rate, expected):
    said = optimizers.described({"rule": "gradient", "learning_rate": RATE | rate})
    assert plain(said).endswith(f"the gradient itself; {expected}")


@pytest.mark.parametrize(
    ("of_map", "expected"),
    [
        ({"name": "polar"}, "Muon: the exact polar map"),
        ({"name": "power", "exponent": 0.25}, "σ ↦ σ^(0.25)"),
        ({"name": "smoothed_polar", "resolution": 0.1, "unit": "bulk"}, "λ = 0.1 d^(-α)"),
        ({"name": "smoothed_polar", "resolution": 1.0, "unit": "bulk"}, "λ = d^(-α)"),
        ({"name": "smoothed_polar", "resolution": 0.1, "unit": "absolute"}, "λ = 0.1"),
        ({"name": "smoothed_polar", "resolution": "theory", "unit": "bulk"}, "λ = max((log d)"),
        (
            {
                "name": "newton_schulz",
                "coefficients": "cubic",
                "iterations": 5,
                "precision": "float64",
            },
            "5 Newton–Schulz iterations in float64",
        ),
        ({"name": "own", "file": "a.py", "function": "f", "options": {}}, "own map, f of a.py"),
        ({"name": "new", "width": 3}, "new, width 3"),
    ],
)
def test_maps(of_map, expected):
    said = optimizers.update({"rule": "spectral", "map": of_map, "learning_rate": RATE})
    assert expected in plain(said)


@pytest.mark.parametrize(
    ("words", "functions"),
    [(optimizers.MAPS, MAPS), (optimizers.RULES, MemoryExperiment.rules)],
)
def test_words_are_of_rules_and_maps_that_there_are(words, functions):
    for name, text in words.items():
        options = options_of(functions[name], {}).model_fields
        assert {field for _, field, *_ in Formatter().parse(text) if field} <= options.keys()


def test_transformers_have_no_rate_of_their_own():
    adamw = {"rule": "adamw", "b1": 0.9, "b2": 0.95, "learning_rate": RATE}
    said = plain(optimizers.described(adamw, of_a_transformer=True))
    assert said == (
        "AdamW, its means decaying with 0.9 and 0.95; of the learning rates that are tried, seed 0 chooses"
    )


def test_of_a_memory_they_have_one():
    adamw = {"rule": "adamw", "b1": 0.9, "b2": 0.95, "learning_rate": RATE}
    assert plain(optimizers.described(adamw)).endswith("; η = 1")


def test_a_sweep_says_who_chooses():
    rate = RATE | {"sweep": {"factors": [4.0, 0.5], "by": "robust_prefix", "tuning_seeds": 1}}
    said = plain(optimizers.described({"rule": "gradient", "learning_rate": rate}))
    assert said.endswith("η = 1 times 0.5 to 4, of which seed 0 chooses by robust prefix")


def test_momentum_and_decay_are_said():
    polar = {"rule": "spectral", "map": {"name": "polar"}, "learning_rate": RATE}
    said = optimizers.update(polar | {"momentum": 0.95, "nesterov": True, "weight_decay": 0.1})
    assert plain(said).endswith(", with momentum 0.95, Nesterov's, weight decay 0.1")
    assert optimizers.update(polar | {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0}) == (
        optimizers.update(polar)
    )
