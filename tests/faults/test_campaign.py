"""Every rule and every fault: the next call ends with the results of an undisturbed run.

    FAULTS=all python -m pytest tests/faults -s

runs all of them, as they are in the table of docs/reliability.md. Without FAULTS it is some of them: every rule
with some fault, every fault with some rule.
"""

from __future__ import annotations

import os
import shutil

import pytest

from tests.faults.faults import DISKS, DISKS_AT_THE_START, FAULTS, orphaned, targets
from tests.faults.table import ROWS
from tests.faults.tree import CELLS, MADE, Tree, mounted, unmounted
from tests.workflow.conftest import copy

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

ALL = [(rule, fault) for fault, rules in ROWS.items() for rule in rules]
SOME = [(rules[row % len(rules)], fault) for row, (fault, rules) in enumerate(ROWS.items())]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, one beside it of another root seed, and what they hold; asked for again at the end."""
    base = tmp_path_factory.mktemp("faults")
    for name, top in [("other", {"seed": 7}), ("tree", {})]:
        tree = Tree(copy(base / name).folder)
        tree.small(**top)
        tree.run()
    tree.wanted = tree.contents()
    shutil.copytree(tree.folder, base / "kept")
    yield tree
    tree.fault = None
    tree.run()
    tree.is_as_undisturbed()
    assert "Nothing to be done" in tree.run()
    tree.stop()


@pytest.fixture
def tree(finished):
    """The finished run; after a test that failed, a copy of it."""
    try:
        finished.is_as_undisturbed()
    except AssertionError:
        finished.stop()
        shutil.rmtree(finished.folder)
        shutil.copytree(finished.folder.with_name("kept"), finished.folder)
    finished.fault = None
    return finished


@pytest.mark.parametrize(
    ("rule", "fault"), ALL if os.environ.get("FAULTS") == "all" else SOME, ids=str
)
def test_the_next_call_repairs(tree, rule, fault):
    of_disk = fault in DISKS | DISKS_AT_THE_START
    if of_disk and (why := mounted(tree.results)):
        pytest.skip(why)
    try:
        before = tree.files()
        FAULTS[fault](tree, rule)
        well, output = tree.call(*targets(rule))
        assert well, output
        assert tree.remade(before) <= may_change(rule)
    finally:
        if of_disk:
            unmounted(tree.results)
    tree.is_as_undisturbed()


def test_a_job_of_other_settings_that_writes_last_is_noticed(tree):
    """It was begun before the configuration changed, and ends after the results are those of the new one."""
    tree.small(fits={"bootstrap": 150})
    orphaned(tree, "fit_exponents", then=tree.small)
    output = tree.run(*targets("fit_exponents"))
    assert "fits/one_step.nc: made from other settings or code" in output
    tree.is_as_undisturbed()


def test_results_that_move_are_known(finished, tmp_path):
    """With their times and the notes beside them; Snakemake knows nothing of the new folder."""
    kept = Tree(shutil.copytree(finished.folder.with_name("kept"), tmp_path / "tree"))
    kept.results.rename(kept.folder / "moved")
    assert "Nothing to be done" in kept.run("--config", "results=moved")


def may_change(rule):
    """What a call for the files of a rule may make again: these; of cells the damaged or deleted one."""
    cells = CELLS[1:] if rule in ("a cell", "train_memory") else []
    return {*MADE.get(rule, MADE["train_memory"]), *cells}
