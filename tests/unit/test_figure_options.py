"""Options of figures that cannot be drawn are told before anything is trained."""

import pytest

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import parse
from tests.unit.configurations import ROOT, change


def problems(**options):
    """What is wrong with ``curves`` of Figure 5's experiment of several steps, drawn like this."""
    mine = {"draw": "curves", "experiment": "gd_against_muon"} | options
    try:
        parse(change("figures.mine", mine), root=ROOT)
    except ConfigError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": "d", "lines": "d"}, "figures.mine.lines: 'd' is what x has already"),
        ({"lines": "d"}, "figures.mine.lines: 'd' is what x has already"),  # which is its default
        ({"x": "step", "panels": "step"}, "figures.mine.panels: 'step' is what x has already"),
        (
            {"lines": "alpha", "panels": "alpha"},
            "figures.mine.panels: 'alpha' is what lines has already",
        ),
        ({"optimizers": []}, "figures.mine.optimizers: must have at least 1 item"),
        (
            {"optimizers": ["muon", "muon"]},
            "figures.mine.optimizers: each value once; repeated: muon",
        ),
        ({"d": [64, 64]}, "figures.mine.d: each value once; repeated: 64"),
        (
            {"batch_size": ["population", "population"]},
            "figures.mine.batch_size: each value once; repeated: population",
        ),
    ],
)
def test_options_that_contradict_each_other_are_told_with_their_keys(options, message):
    (problem,) = problems(**options)
    assert problem.startswith(message)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lines": "optimizer", "panels": "d", "x": "step"},
        {"x": "learning_rate", "lines": "d", "optimizers": ["muon_slow"]},
        {"batch_size": ["population"]},
    ],
)
def test_options_that_agree_are_fine(options):
    assert problems(**options) == ()
