"""Which experiments are run, and which figures are drawn with them."""

import copy

from spectral_capacity.config.looks import looks
from spectral_capacity.config.parse import parse
from tests.unit.configurations import DEFAULT, ROOT, change


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
