"""What may be asked for by name, and what a configuration of one's own runs."""

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

MINE = {"n_items": 300, "d": [4], "alpha": [1.5], "seeds": 2, "optimizers": ["gd"]}
OWN = {
    "formats": ["svg"],
    "mine_one": {"draw": "fig2", "experiment": "mine"},
    "mine": {"draw": "fig1a", "experiment": "one_step"},
}
TRAINED = {"train_memory": 1, "assemble_grid": 1, "fit_exponents": 1}
AT_THE_END = {"check_claims": 1, "write_page": 1}


@pytest.fixture
def two(finished):
    """A finished run, and another experiment on the same embeddings with two figures of the user's."""
    finished.configure(others={"mine": MINE}, figures=OWN)
    return finished


def test_names_and_only_choose_what_runs_and_the_rest_stays(two):
    """``mine`` is an experiment, and a figure of another one: that is made only where what it shows is run."""
    assert two.would_run("mine_one") == TRAINED | {"plot_mine_one": 1}
    assert two.would_run("mine") == TRAINED | {"plot_mine_one": 1, "plot_mine": 1}
    two.configure(others={"mine": MINE}, figures=OWN, only=["mine"])
    assert two.run("plan").count("\none_step") == 0
    assert two.would_run("mine") == TRAINED | {"plot_mine_one": 1}
    before = two.files()
    assert two.ran() == TRAINED | {"plot_mine_one": 1} | AT_THE_END
    assert "Nothing to be done" in two.run()
    kept = {path: before[path] for path in before if not path.startswith(("claims", "index"))}
    assert kept.items() <= two.files().items()
    assert "nothing that the configuration does not name" in two.run("prune")
    two.configure(others={"mine": MINE}, figures=OWN)
    assert two.would_run() == {"plot_mine": 1} | AT_THE_END
    assert two.ran("mine") == {"plot_mine": 1}
    assert "Nothing to be done" in two.run("mine")
    assert two.would_run("one_step") == {}


def test_a_key_that_is_there_twice_stops_snakemake(finished):
    finished.append("tiny.yaml", "experiments: {}\n")
    assert "'experiments' is there twice" in finished.run(fails=True)


def test_a_label_or_a_colour_redraws_the_figures(finished):
    look = {"label": "Muon, exact", "colour": "crimson"}
    finished.configure(optimizers={"muon": look})
    assert finished.would_run() == {"plot_fig1a": 1, "plot_fig2": 1, "write_page": 1}
    finished.run("fig2")
    drawn = (finished.results / "figures/fig2.svg").read_text()
    assert "Muon, exact" in drawn
    assert "#dc143c" in drawn


def test_a_figure_under_another_name_leaves_the_first_alone(finished):
    own = {"again": {"draw": "fig2", "experiment": "one_step"}}
    finished.configure(figures={"formats": ["svg"]} | own)
    assert finished.would_run() == {"plot_again": 1, "write_page": 1}


def test_prune_lists_what_the_configuration_left_behind_and_deletes_it_when_told(finished):
    finished.configure({"d": [4]})
    left = set(finished.results.rglob("*_d8_*.nc"))
    assert len(left) == 3  # embeddings and two cells
    output = finished.run("prune")
    for path in left:
        assert path.name in output
    assert "3 files" in output
    assert all(path.exists() for path in left)
    assert "deleted" in finished.run("prune", "--config", "prune=delete")
    assert not any(path.exists() for path in left)
    assert "nothing that the configuration does not name" in finished.run("prune")
