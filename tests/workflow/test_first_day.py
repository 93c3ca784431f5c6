"""What a new user does on her first day, with commands of the pages only."""

import pandas as pd
import pytest

from tests.pages import blocks, play, run
from tests.workflow.conftest import Workflow, copy_tree

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture
def tree(tmp_path):
    copy_tree(tmp_path / "tree")
    workflow = Workflow(tmp_path / "tree")
    yield workflow
    workflow.stop()


def test_the_readme_and_a_map_of_her_own(tree):
    """But setting up, and the default and other shipped configurations: of seconds, which
    tests/workflow/test_smoke.py runs, or up to days of a cluster."""
    play("README.md", tree, skip=r"^make |config/\w+\.yaml|--report")
    decide = Workflow(tree.folder, configfile="config/decide.yaml")
    assert "train_incontext" in decide.run("--dry-run")
    exponents = pd.read_csv(tree.results / "fits/mine.csv").query("quantity == 'capacity'")
    assert set(exponents.optimizer) == {"gd", "muon", "half_muon"}
    assert (tree.results / "figures/mine_counts.png").is_file()
    play("docs/own_map.md", tree)
    fits = pd.read_csv(tree.results / "fits/clipping.csv")
    cut = fits.query("quantity == 'capacity_to_polar' and optimizer == 'clip_half'")
    assert (cut.level < 1).all()
    assert "cut at the median" in (tree.results / "figures/clipped_counts.svg").read_text()


def test_an_optimizer_of_her_own(tree):
    """From twelve lines of Python to a curve, an exponent, a claim and the rates that were tried."""
    play("docs/own_optimizer.md", tree)
    claims = pd.read_csv(tree.results / "claims.csv")
    assert claims.set_index("claim").verdict["MINE"] == "supported"
    exponents = pd.read_csv(tree.results / "fits/mine.csv").query("quantity == 'capacity'")
    assert set(exponents.optimizer) == {"muon_slow", "averaged"}
    for name in ("mine_counts", "mine_rates"):
        assert (tree.results / f"figures/{name}.png").is_file()


def test_the_how_tos(tree):
    printed = play("docs/howto.md", tree)
    assert "my_batches, my_curves" in printed
    for name in ("my_batches", "my_curves"):
        assert (tree.results / f"figures/{name}.pdf").is_file()
    for page in (tree.results / "index.html", tree.folder / "report.html"):
        text = page.read_text()
        assert "my_curves" in text or "My curves" in text, page
    a_lock_that_a_crash_has_left_is_taken_away(tree)


def a_lock_that_a_crash_has_left_is_taken_away(tree):
    grid = tree.results / "grids/batches.nc"
    grid.unlink()
    locks = tree.folder / ".snakemake/locks"
    locks.mkdir(parents=True, exist_ok=True)
    (locks / "0.output.lock").write_text("results/grids/batches.nc\n")
    tree.configfile = "batches.yaml"
    assert "LockException" in tree.run("batches", fails=True)
    (commands,) = [text for _, text in blocks("docs/howto.md") if "--unlock" in text]
    run(["bash", "-ec", commands], tree)
    assert grid.is_file()
