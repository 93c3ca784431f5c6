"""Options of figures that cannot be drawn are told before anything is trained."""

import pytest

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import parse
from tests.unit.configurations import ROOT, change, transformers


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


IN_CONTEXT = {"fig7", "fig8a", "fig8b", "fig9a", "fig9b", "incontext_sensitivity"}


def drawn(given):
    """Names of figures of in-context recall that are drawn."""
    config = parse(given, root=ROOT)
    return IN_CONTEXT & config.drawn(config.selected).keys()


def test_in_context_figures_are_drawn_where_their_experiment_is():
    assert drawn(change("only", None)) == IN_CONTEXT
    assert drawn(change("only", ["one_step"])) == set()
    assert drawn(transformers()) == IN_CONTEXT - {"fig9a", "fig9b"}
    both = {"fig9a": "incontext", "fig9b": "incontext"}
    assert drawn(transformers(both)) == IN_CONTEXT


@pytest.mark.parametrize(
    ("figure", "options", "message"),
    [
        ("fig7", {"iterations": [64, 5]}, "iterations[1]: 5: experiment 'incontext' has 64, 128"),
        ("fig7", {"batch_size": 5}, "batch_size: 5: experiment 'incontext' has 16, 64"),
        ("fig8a", {"iteration": 5}, "iteration: 5: experiment 'incontext' has 64, 128"),
        ("incontext_sensitivity", {"d": [64]}, "d[0]: 64: experiment 'incontext' has 16, 32"),
    ],
)
def test_a_single_value_is_one_of_the_experiments_too(figure, options, message):
    mine = {"draw": figure, "experiment": "incontext"}
    with pytest.raises(ConfigError) as error:
        parse(transformers({"mine": mine | options}), root=ROOT)
    assert [*error.value.problems] == [f"figures.mine.{message}"]


@pytest.mark.parametrize(
    ("figure", "changes", "lacks"),
    [
        ("fig7", {"iterations": [64]}, "two numbers or more in its iterations"),
        ("fig8a", {"batch_size": [64]}, "two sizes or more in its batch_size"),
        ("fig8b", {"model": {"feed_forward": [1]}}, "no feed_forward in its model"),
        ("fig9a", {"exponents": [[0, 0], [2, 0]]}, "two pairs or more [0, α] in its exponents"),
        ("fig9b", {"exponents": [[0, 0], [0, 2]]}, "two pairs or more [α, 0] in its exponents"),
    ],
)
def test_what_in_context_figures_need(figure, changes, lacks):
    others = dict.fromkeys(IN_CONTEXT - {figure})
    with pytest.raises(ConfigError) as error:
        parse(transformers(others | {figure: "incontext"}, **changes), root=ROOT)
    assert [*error.value.problems] == [f"figures.{figure}: 'incontext': must have {lacks}"]
