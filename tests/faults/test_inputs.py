"""Files of the user's that are damaged, and keep their time: a message, or what follows is made again.

They are no results: what they say counts, so a number that became another is used, and never a result of
the file before kept. All of them with FAULTS=all, as in :mod:`tests.faults.test_campaign`.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from spectral_capacity.embeddings import save_embeddings
from tests.faults.faults import empty, rewrite, truncate
from tests.faults.table import INPUTS, USED
from tests.faults.tree import Tree
from tests.workflow.conftest import copy

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

MAP = """
def soften(gradient, context):
    sigma = gradient.singular_values
    return gradient.with_singular_values(sigma / (sigma + 0.1 * sigma[0]))
"""
CLAIMS = """
- id: MINE
  statement: Mine stores about as many as the dimension.
  source: my notes
  experiment: one_step
  optimizer: mine
  quantity: capacity
  statistic: level
  predicted: 8.0
  tolerance: 2.0
"""


def a_digit(old, new):
    """One character for another, in the middle of the file."""

    def change(path, other):
        raw = path.read_bytes()
        assert raw.count(old) == 1
        rewrite(path, raw.replace(old, new))

    return change


def a_number(path, other):
    """A bit in the middle, which of a file of embeddings is that of a number."""
    raw = bytearray(path.read_bytes())
    raw[3 * len(raw) // 4] ^= 1
    rewrite(path, bytes(raw))


FILES = {
    "claims.yaml": a_digit(b"8.0", b"9.0"),
    "my.mplstyle": a_digit(b"font.size: 8", b"font.size: 9"),
    "counts.csv": a_digit(b"\n1000000\n", b"\n1000001\n"),
    "own.nc": a_number,
    "my_maps.py": a_digit(b"0.1 *", b"0.2 *"),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A finished run with files of the user's."""
    tree = Tree(copy(tmp_path_factory.mktemp("inputs") / "tree").folder)
    folder = tree.folder
    rng = np.random.default_rng(0)
    save_embeddings(folder / "own.nc", *(rng.normal(size=(2, 300, 8)) / np.sqrt(8)))
    (folder / "counts.csv").write_text("".join(f"{c}\n" for c in ["count", *counts()]))
    (folder / "my_maps.py").write_text(MAP)
    (folder / "claims.yaml").write_text(CLAIMS)
    (folder / "my.mplstyle").write_text("font.size: 8\nsvg.hashsalt: mine\nlines.linewidth: 1.25\n")
    mine = {"rule": "spectral", "map": {"name": "own", "file": "my_maps.py", "function": "soften"}}
    tree.configure(
        {
            "d": [8],
            "alpha": None,
            "seeds": 1,
            "optimizers": ["gd", "mine"],
            "frequencies": {"file": "counts.csv", "tail_from": 10},
            "embeddings": {"file": "own.nc"},
        },
        optimizers={"mine": mine},
        claims="claims.yaml",
        figures={"formats": ["svg"], "fig1a": None, "style": "my.mplstyle"},
    )
    tree.run()
    tree.wanted = tree.contents()
    yield tree
    tree.run()
    tree.is_as_undisturbed()
    tree.stop()


def counts():
    return (10**6 // np.arange(1, 301)).tolist()


ALL = [(name, how) for name, outcomes in INPUTS.items() for how in outcomes]
STOPPING = [(name, "emptied") for name, outcomes in INPUTS.items() if outcomes["emptied"] != USED]
SOME = STOPPING + ALL[2:6:3]  # and two changed, which are used


@pytest.mark.parametrize(("name", "how"), ALL if os.environ.get("FAULTS") == "all" else SOME)
def test_a_damaged_file_of_the_users(own, name, how):
    path = own.folder / name
    raw, before = path.read_bytes(), own.files()
    {"truncated": truncate, "emptied": empty, "changed": FILES[name]}[how](path, None)
    well, output = own.call()
    remade = own.remade(before)
    rewrite(path, raw)
    if INPUTS[name][how] == USED:
        assert well, output
        assert remade, output
        assert "index.html" in remade
    else:
        assert not well, output
        assert name in output, output
        assert "Traceback" not in output
        assert not remade
    if remade:
        well, output = own.call()
        assert well, output
    own.is_as_undisturbed()
