"""The examples of docs/extending.md, written into a copy of the tree and run."""

import re

import netCDF4
import numpy as np
import pytest

from spectral_capacity.analysis.claims import check
from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.results.reading import open_grid
from tests.workflow.conftest import ROOT, Workflow, copy_tree

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def write_examples(folder):
    """Every code block that names its file, into that file, at its end, or as a change of it."""
    page = (ROOT / "docs/extending.md").read_text()
    for language, block in re.findall(r"```(python|yaml|diff)\n(.*?)```", page, re.DOTALL):
        head, body = block.split("\n", 1)
        name, at_the_end = re.fullmatch(r"# ([\w./]+)(: at the end)?", head).groups()
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if language == "diff":
            body = changed(file.read_text(), body.splitlines())
        elif at_the_end:
            body = f"{file.read_text()}\n\n{body}"
        file.write_text(body)


def changed(text, lines):
    """``text`` with the added lines (+) after those of the context (a space), which it has once."""
    before = "\n".join(line[1:] for line in lines if line[0] == " ")
    assert text.count(before) == 1, before
    return text.replace(before, "\n".join(line[1:] for line in lines))


@pytest.fixture
def extended(tmp_path):
    copy_tree(tmp_path / "tree")
    write_examples(tmp_path / "tree")
    return Workflow(tmp_path / "tree", configfile="extended.yaml", results_name="results-extended")


def test_a_map_a_rule_a_variable_a_figure_and_a_claim(extended):
    extended.run("mass")
    assert (extended.results / "figures/mass.svg").is_file()
    grid = open_grid(extended.results / "grids/one_step.nc")
    assert grid.optimizer.values.tolist() == ["muon", "saturating", "ngd"]
    assert (grid.capacity.sel(d=32).sum("seed") > 0).all()
    assert (grid.stable_rank.sel(optimizer="muon") > 4).all()
    fits = open_grid(extended.results / "fits/one_step.nc")
    claims = [c for c in read_claims(extended.folder / "data/claims.yaml") if c.id == "SATURATING"]
    (row,) = check(claims, {"one_step": fits}).itertuples()
    assert 0 < row.measured < 1
    assert row.verdict == "supported"
    # The figure's module is the only file behind it: a change redraws it and nothing else.
    extended.edit("spectral_capacity/figures/mass.py", "(COLUMN, 2.6)", "(COLUMN, 2.4)")
    assert extended.ran("mass") == {"plot_mass": 1}


def test_another_kind_of_experiment(extended):
    """Other dimensions, other variables, no fits: a grid, a figure, the plan, and incremental reruns."""
    extended.configfile = "hopfield.yaml"
    extended.results_name = "results"
    kind = ("--snakefile", "hopfield/Snakefile")
    extended.run("fixed_points", *kind)
    with netCDF4.Dataset(extended.results / "grids/hopfield.nc") as grid:
        assert grid["stable"].dimensions == ("optimizer", "d", "patterns", "seed")
        assert grid["patterns"][:].tolist() == [1, 2, 4, 8]
        assert (np.asarray(grid["stable"][0, :, 0]) == 1).all()
        assert "Hopfield" in grid.title
    assert (extended.results / "figures/fixed_points.svg").is_file()
    assert not (extended.results / "fits").exists()
    plan = extended.run("plan", *kind)
    assert "d 16" in plan
    assert "one_step" in plan  # kinds stand beside each other
    assert "Nothing to be done" in extended.run("fixed_points", *kind)
    bad = (extended.folder / "hopfield.yaml").read_text().replace("[hebb]", "[hebb, muon]")
    (extended.folder / "hopfield.yaml").write_text(bad)
    message = (
        "experiments.hopfield.optimizers[1]: 'muon' has rule spectral; kind hopfield trains hebb"
    )
    claims = extended.folder / "data/claims.yaml"
    claims.write_text(claims.read_text().replace("experiment: one_step", "experiment: hopfield", 1))
    output = extended.run("fixed_points", *kind, fails=True)
    assert message in output
    assert "is about capacity, which experiment 'hopfield' of kind hopfield does not have" in output
