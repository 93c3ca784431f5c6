"""The page docs/own_data.md from top to bottom: its table, files, experiments and commands."""

import re
import shutil

import numpy as np
import pytest

from spectral_capacity.results.reading import open_grid
from spectral_capacity.sampling.frequencies import read_table
from tests.pages import NAMED
from tests.unit.test_docs import blocks

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

PAGE = "docs/own_data.md"


def test_counts_and_embeddings_of_your_own(fresh, monkeypatch):
    """Snakemake and ``measure`` recall the same, from the same files."""
    monkeypatch.chdir(fresh.folder)
    for text in blocks(PAGE, "csv"):
        (fresh.folder / re.match(NAMED, text)[1]).write_text(text)
    assert read_table("counts.csv")[1] == ["the", "of", "and"]
    names: dict = {}
    for source in blocks(PAGE, "python"):  # counts.csv is another then
        exec(source, names)

    files = {re.match(NAMED, text)[1]: text for text in blocks(PAGE, "yaml")}
    assert [*files] == [
        "words.yaml",
        "vectors.yaml",
        "vectors_by_d.yaml",
        "surrogates.yaml",
        "pairs.yaml",
    ]
    for name, text in files.items():
        (fresh.folder / name).write_text(text)
    rules = {"words": "train_memory", "vectors": "train_memory", "pairs": "train_incontext"}
    for name, rule in rules.items():
        fresh.configfile = f"{name}.yaml"
        assert rule in fresh.run("-n", f"my_{name}")
    fresh.configfile = "surrogates.yaml"
    fresh.run("my_gaussian")
    fitted = open_grid(fresh.results / "fits/my_gaussian.nc")
    assert (fitted.predicted_capacity > 1).all()
    shutil.rmtree(fresh.results)
    (commands,) = blocks(PAGE, "sh")
    dry, run = (line.split("#")[0].split() for line in commands.splitlines())
    assert dry[0] == run[0] == ".venv/bin/snakemake"
    assert dry[-2:] == run[-2:] == ["--configfile", "vectors_by_d.yaml"]
    fresh.configfile = "vectors_by_d.yaml"
    assert "train_memory" in fresh.run(*dry[1:-2])
    assert not fresh.results.exists()
    fresh.run(*run[1:-2])

    grid = open_grid(fresh.results / "grids/my_vectors_by_d.nc")
    assert grid.capacity.equals(names["grid"].capacity)
    largest = grid.capacity.sel(d=64)
    assert largest.sel(optimizer="muon").item() > largest.sel(optimizer="gd").item() > 0
    fitted = open_grid(fresh.results / "fits/my_vectors_by_d.nc").exponent
    np.testing.assert_allclose(
        fitted.sel(quantity="capacity", fit="ols").squeeze(), names["exponents"]
    )
