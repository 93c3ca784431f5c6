"""Checkpoints that are not what they were, two calls at once, and a Snakemake that has lost its memory."""

from __future__ import annotations

import json
import shutil

import netCDF4
import pytest

from tests.faults.faults import rewrite, truncate
from tests.faults.tree import Tree, same
from tests.workflow.conftest import copy
from tests.workflow.holding import wait_for

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """A tree without figures, whose cell of three steps has run."""
    tree = Tree(copy(tmp_path_factory.mktemp("steps") / "tree").folder)
    experiment = {"d": [8], "steps": 3, "seeds": 1, "optimizers": ["muon"]}
    tree.configure(experiment, figures={"fig1a": None, "fig2": None}, checkpoint_seconds=0.0)
    tree.run("grids")
    tree.wanted = tree.contents()
    yield tree
    tree.stop()


def flip_its_step(path, other):
    """One bit of the text that says how far the cell is."""
    raw = path.read_bytes()
    assert raw.count(b'"step": 1') == 1
    rewrite(path, raw.replace(b'"step": 1', b'"step": 0'))


def of_other_settings(path, other):
    with netCDF4.Dataset(path, "a") as file:
        known = json.loads(file.identity)
        file.identity = json.dumps(known | {"embeddings": "others"})


DAMAGE = {
    "whole": (lambda path, other: None, "goes on after step"),
    "truncated": (truncate, "broken off, ignored"),
    "flipped": (flip_its_step, "damaged"),
    "of other settings": (of_other_settings, "ignored, it belongs to another embeddings"),
}


@pytest.fixture(scope="module")
def checkpoint(steps):
    """Of a job that was killed when it was about to write its second."""
    for path in steps.results.glob("[bc]*/one_step/*"):
        path.unlink()
    name = "muon_alpha1.5_kappa0.0_d8_seeds0-0"
    path = steps.results / f"checkpoints/one_step/{name}.nc"
    output = f"checkpoints/one_step/{name}.nc"
    steps.at("half", "train_memory", "kill", output=output, times=1)
    steps.run("grids", fails=True)
    steps.fault = None
    shutil.copy(path, steps.folder / "checkpoint.nc")
    return path


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_checkpoint_is_taken_up_if_it_is_the_one_that_was_written(steps, checkpoint, damage):
    how, said = DAMAGE[damage]
    for path in steps.results.glob("[bc]*/one_step/*"):
        path.unlink()
    shutil.copy(steps.folder / "checkpoint.nc", checkpoint)
    how(checkpoint, None)
    steps.run("grids")
    log = steps.results / f"logs/cells/one_step/{checkpoint.stem}.log"
    assert said in log.read_text()
    found = steps.contents()
    assert all(same(found[path], steps.wanted[path]) for path in steps.wanted)


def test_a_second_call_says_that_the_folder_is_locked(steps):
    (grid,) = steps.results.glob("grids/*.nc")
    grid.unlink()
    hold = steps.folder / "hold"
    hold.touch()
    steps.at("half", "assemble_grid", "hold")
    first = steps.start("grids")
    wait_for(lambda: next(steps.folder.glob("hold.*"), None), first)
    steps.fault = None
    output = steps.run("grids", fails=True)
    assert "cannot be locked" in output
    assert "--unlock" in output
    assert "Traceback" not in output
    hold.unlink()
    steps.end(first)
    assert "Nothing to be done" in steps.run("grids")
    assert all(same(steps.contents()[path], steps.wanted[path]) for path in steps.wanted)


def test_settings_count_when_snakemake_has_forgotten_them(steps):
    """Its folder was deleted, then a setting changed: only the notes beside the files tell."""
    shutil.rmtree(steps.folder / ".snakemake")
    assert "Nothing to be done" in steps.run("grids")
    shutil.rmtree(steps.folder / ".snakemake")
    before = steps.files()
    steps.edit("tiny.yaml", "steps: 3", "steps: 2")
    output = steps.run("grids")
    assert "grids/one_step.nc: made from other settings or code" in output
    assert {path.split("/")[0] for path in steps.remade(before)} == {"bundles", "cells", "grids"}
    assert len(steps.contents()["grids/one_step.nc"]["step"]) == 2
    assert "Nothing to be done" in steps.run("grids")
