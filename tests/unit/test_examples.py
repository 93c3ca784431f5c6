"""Notebooks are committed without outputs, and run."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda p: p.name)
def test_notebooks_are_committed_without_outputs(path):
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """What the cells of a notebook give, in order, without a word on standard error."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES.parent))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    resources = {"metadata": {"path": str(tmp_path)}}

    def execute(name):
        notebook = read(EXAMPLES / name)
        client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources)
        client.execute(env=dict(os.environ))
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        assert not [output.text for output in outputs if output.output_type == "stream"]
        return [output.data for output in outputs]

    return execute


@pytest.mark.slow
def test_the_example_of_an_optimizer_of_ones_own(executed):
    counts, rates, exponents, *pictures = executed("own_optimizer.ipynb")
    assert "64" in counts["text/plain"]
    assert "rate_at_edge" in rates["text/plain"]
    header, _, *rows = exponents["text/plain"].splitlines()
    assert header.split() == ["exponent", "boot_low", "boot_high"]
    found = {name: [*map(float, numbers)] for name, *numbers in map(str.split, rows)}
    for exponent, low, high in found.values():
        assert low <= exponent <= high
    assert found["averaged"][0] > 1
    assert any("image/png" in picture for picture in pictures)


@pytest.mark.slow
def test_the_example_of_a_map_of_ones_own(executed):
    """From a function to its exponent and a picture."""
    counts, exponents, picture = executed("own_map.ipynb")
    assert "128" in counts["text/plain"]
    assert "image/png" in picture
    header, _, *rows = exponents["text/plain"].splitlines()
    found = {}
    for name, *numbers in map(str.split, rows):
        found[name] = dict(zip(header.split(), map(float, numbers), strict=True))
    assert found["muon"]["theory"] == 1.33
    for name in ("gd", "muon", "clipped"):
        one = found[name]
        assert one["boot_low"] <= one["exponent"] <= one["boot_high"]
    assert found["gd"]["exponent"] < 1 < found["clipped"]["exponent"]
