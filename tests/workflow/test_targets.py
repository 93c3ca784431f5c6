"""What may be asked for by name, and what a configuration of one's own runs."""

import pytest

pytestmark = pytest.mark.workflow

MINE = {"n_items": 300, "d": [4], "alpha": [1.5], "seeds": 2, "optimizers": ["gd"]}
OWN = {
    "formats": ["svg"],
    "mine_one": {"draw": "fig2", "experiment": "mine"},
    "mine": {"draw": "fig1a", "experiment": "one_step"},
}
TRAINED = {"train_memory": 1, "assemble_grid": 1, "fit_exponents": 1}


@pytest.fixture
def two(finished):
    """A finished run, and another experiment on the same embeddings with two figures of the user's."""
    finished.configure(others={"mine": MINE}, figures=OWN)
    return finished


def test_a_name_makes_the_experiment_its_figures_and_the_figure_of_that_name(two):
    assert two.would_run("mine") == TRAINED | {"plot_mine_one": 1, "plot_mine": 1}
    assert two.would_run("mine_one") == TRAINED | {"plot_mine_one": 1}
    assert two.ran("mine") == TRAINED | {"plot_mine_one": 1, "plot_mine": 1}
    assert "Nothing to be done" in two.run("mine")
    assert two.would_run("one_step") == {}


def test_only_my_experiments_run_and_the_others_stay(two):
    two.configure(others={"mine": MINE}, figures=OWN, only=["mine"])
    before = two.files()
    assert two.would_run() == TRAINED | {"check_claims": 1, "plot_mine_one": 1}
    assert two.run("plan").count("\none_step") == 0
    two.run()
    assert "Nothing to be done" in two.run()
    assert {path: before[path] for path in before if "claims" not in path}.items() <= (
        two.files().items()
    )
    assert "nothing that the configuration does not name" in two.run("prune")
    two.configure(others={"mine": MINE}, figures=OWN)
    assert two.would_run() == {"check_claims": 1, "plot_mine": 1}


def test_a_label_or_a_colour_redraws_the_figures(finished):
    look = {"label": "Muon, exact", "colour": "crimson"}
    finished.configure(optimizers={"muon": look})
    assert finished.would_run() == {"plot_fig1a": 1, "plot_fig2": 1}
    finished.run("fig2")
    drawn = (finished.results / "figures/fig2.svg").read_text()
    assert "One Muon, exact step" in drawn


def test_a_figure_under_another_name_leaves_the_first_alone(finished):
    own = {"again": {"draw": "fig2", "experiment": "one_step"}}
    finished.configure(figures={"formats": ["svg"]} | own)
    assert finished.would_run() == {"plot_again": 1}
