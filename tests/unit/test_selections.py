"""Which experiments are run, and which figures are drawn with them."""

import copy

import pytest

from spectral_capacity.config.looks import looks
from spectral_capacity.config.parse import parse
from tests.unit.configurations import DEFAULT, ROOT, change, only, problem_of


def test_an_experiment_that_is_null_is_dropped_with_its_figures():
    config = parse(change("experiments.one_step", None), root=ROOT)
    assert "one_step" not in config.selected
    assert not {"fig1a", "fig2"} & config.drawn(config.selected).keys()
    given = change("experiments.gd_against_muon", None)
    config = parse(given, root=ROOT)
    assert "thresholded" not in config.drawn(config.selected)  # shows another one, too
    assert "gd_against_muon_thresholded" in config.selected


def test_only_some_experiments_are_run_and_the_others_keep_their_names():
    config = parse(DEFAULT | {"only": ["minibatch", "loss"]}, root=ROOT)
    assert [*config.selected] == ["minibatch", "loss"]
    assert [*config.drawn(config.selected)] == ["fig1b", "fig3", "loss"]
    whole = parse(DEFAULT, root=ROOT)
    assert config.experiments == whole.experiments
    assert looks(config) == looks(whole)


def test_a_figure_is_drawn_several_times():
    given = copy.deepcopy(DEFAULT)
    given["figures"] |= {
        "fig2": None,
        "mine": {"draw": "fig2", "experiment": "spectral_maps"},
        "pair": {"draw": "thresholded", "exact": "gd_against_muon"},
    }
    config = parse(given, root=ROOT)
    drawn = config.drawn(config.selected)
    assert "fig2" not in drawn
    assert drawn["mine"].experiments == {"experiment": "spectral_maps"}
    assert drawn["mine"].module.caption.startswith("Items stored after one population step")
    assert drawn["pair"].experiments["thresholded"] == "gd_against_muon_thresholded"


def test_a_configuration_of_one_experiment_draws_what_shows_it():
    config = parse(only(DEFAULT, "minibatch") | {"figures": {}}, root=ROOT)
    assert [*config.drawn(config.selected)] == ["fig1b", "fig3"]


BAD = [
    ("figures.write_page", {"draw": "fig2"}, "figures.write_page: 'write_page' is a target"),
    (
        "experiments.one_step",
        "null",
        "experiments.one_step: 'null': must be a mapping of keys; on the command line Snakemake takes",
    ),
    ("only", ["mine"], "only[0]: 'mine' is not defined; experiments has one_step"),
    ("only", [], "only: must have at least 1 item"),
    (
        "experiments.plan",
        DEFAULT["experiments"]["one_step"],
        "experiments.plan: 'plan' is a target",
    ),
    (
        "experiments.train_memory",
        DEFAULT["experiments"]["one_step"],
        "experiments.train_memory: 'train_memory' is a target of Snakemake",
    ),
    ("figures.fg2", "one_step", "figures.fg2: unknown key; did you mean fig2?"),
    (
        "figures.mine",
        {"experiment": "steps"},
        "figures.mine: unknown key; a figure of your own says",
    ),
    (
        "figures.mine",
        {"draw": "fig22"},
        "figures.mine.draw: 'fig22' is not known; did you mean fig2?",
    ),
    ("figures.mine", {"draw": "fig2", "x": 1}, "figures.mine.x: unknown key"),
    ("figures.my-own", {"draw": "fig2"}, "figures.my-own: 'my-own': must match pattern"),
    ("figures.plan", {"draw": "fig2"}, "figures.plan: 'plan' is a target of Snakemake"),
    (
        "figures.mine",
        {"draw": "fig3"} | {"experiment": "one_step"},
        "figures.mine: 'one_step': must",
    ),
    (
        "figures.fig3",
        {"experimnt": "x"},
        "figures.fig3.experimnt: unknown key; did you mean experiment?",
    ),
    ("figures.thresholded.exact", "mine", "figures.thresholded.exact: 'mine' is not defined"),
    ("figures.mine", {"draw": "fig2", "experiment": "nope"}, "figures.mine: 'nope' is not defined"),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD)
def test_a_bad_selection_gives_one_message_with_its_path(path, value, message):
    assert problem_of(path, value).startswith(message)
