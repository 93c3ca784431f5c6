from string import Formatter

import pytest

from spectral_capacity.incontext.optimizers import RULES as OF_TRANSFORMERS
from spectral_capacity.kinds.fields import options_of
from spectral_capacity.optimizers.maps import MAPS
from spectral_capacity.optimizers.rules import RULES
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
        ({"name": "newton_schulz", "coefficients": "cubic", "iterations": 5}, "5 Newton–Schulz"),
        ({"name": "own", "file": "a.py", "function": "f", "options": {}}, "own map, f of a.py"),
        ({"name": "new", "width": 3}, "new, width 3"),
    ],
)
def test_maps(of_map, expected):
    said = optimizers.update({"rule": "spectral", "map": of_map, "learning_rate": RATE})
    assert expected in plain(said)


@pytest.mark.parametrize(
    ("words", "functions"),
    [(optimizers.MAPS, MAPS), (optimizers.RULES, RULES | OF_TRANSFORMERS)],
)
def test_words_are_of_rules_and_maps_that_there_are(words, functions):
    for name, text in words.items():
        options = options_of(functions[name], {}).model_fields
        assert {field for _, field, *_ in Formatter().parse(text) if field} <= options.keys()


def test_transformers_have_no_rate_of_their_own():
    adamw = {"rule": "adamw", "b1": 0.9, "b2": 0.95, "learning_rate": RATE}
    said = plain(optimizers.described(adamw))
    assert said == (
        "AdamW, its means decaying with 0.9 and 0.95; of the learning rates that are tried, seed 0 chooses"
    )
