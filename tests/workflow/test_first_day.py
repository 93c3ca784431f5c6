"""What a new user does on her first day, with commands of the pages only."""

import pytest

from tests.pages import play
from tests.workflow.conftest import Workflow, copy_tree

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture
def tree(tmp_path):
    copy_tree(tmp_path / "tree")
    workflow = Workflow(tmp_path / "tree")
    yield workflow
    workflow.stop()


def test_the_how_tos(tree):
    locks = tree.folder / ".snakemake/locks"
    locks.mkdir(parents=True)
    printed = play("docs/howto.md", tree)
    assert "'muon'" in printed or "muon" in printed
    for name in ("my_batches", "my_curves"):
        assert (tree.results / f"figures/{name}.pdf").is_file()
    assert (tree.folder / "report.html").is_file()
