"""Bundles: how cells are cut into jobs, which of them are trained, and what one that fails costs the others."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectral_capacity.config.parse import parse
from spectral_capacity.kinds.bundles import START_UP, cut
from spectral_capacity.kinds.rates import NOMINAL
from spectral_capacity.results.bundles import (
    Member,
    begun,
    read_manifest,
    unsound_cells,
    write_manifest,
)
from spectral_capacity.results.freshness import fresh
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.sampling.content import content_digest, content_of
from tests.unit.bundle_at_work import write
from tests.unit.configurations import DEFAULT, ROOT, cells

CONFIG = parse(DEFAULT, root=ROOT)
ALL = [cells(CONFIG, name) for name in CONFIG.experiments]


def takes(cell):
    return cell.cost().seconds(NOMINAL)


@given(st.sampled_from(ALL), st.floats(0, 300))
def test_bundles_have_every_cell_once_and_take_no_longer_than_asked(cells, seconds):
    bundles = cut(cells, seconds)
    assert sorted(c.name for b in bundles for c in b.cells) == sorted(c.name for c in cells)
    assert len({bundle.name for bundle in bundles}) == len(bundles)
    for bundle in bundles:
        assert len(bundle.cells) == 1 or sum(map(takes, bundle.cells)) <= seconds
        assert bundle.seconds == pytest.approx(START_UP + sum(map(takes, bundle.cells)))
        assert bundle.bytes == max(cell.cost().bytes for cell in bundle.cells)


def test_a_job_for_every_cell_and_one_for_all():
    (one_step, *_) = ALL
    assert len(cut(one_step, 0.0)) == len(one_step)
    assert [bundle.cells for bundle in cut(one_step, 1e9)] == [
        tuple(sorted(one_step, key=lambda c: c.d))
    ]


def test_what_learns_from_new_embeddings_leaves_other_bundles_as_they_are():
    given = json.loads(json.dumps(DEFAULT))
    before = cut(cells(parse(given, root=ROOT), "one_step"), 20.0)
    given["experiments"]["one_step"]["d"].append(1024)
    after = cut(cells(parse(given, root=ROOT), "one_step"), 20.0)
    kept = {tuple(c.name for c in b.cells) for b in after}
    assert {tuple(c.name for c in b.cells) for b in before} <= kept


@pytest.fixture
def members(tmp_path):
    """Three cells on one file of embeddings, none trained."""
    write_netcdf(tmp_path / "own.nc", {"U": (("x",), np.arange(3.0), {})}, {})

    def member(name):
        return Member(
            name=name,
            settings={"alpha": 1.5},
            code="c0de",
            own_code="",
            data=str(tmp_path / "own.nc"),
            generated=False,
            memory=1e9,
            file=str(tmp_path / f"{name}.nc"),
            log=str(tmp_path / f"{name}.log"),
            checkpoint=str(tmp_path / f"checkpoints/{name}.nc"),
        )

    return [member(name) for name in ("first", "second", "third")]


def stale(members):
    content_digest.cache_clear()  # a job asks once
    kept = fresh(members, content_of)
    return [member for member in members if member.name not in kept]


def names(members):
    return [member.name for member in members]


@pytest.mark.parametrize(
    "change",
    [{"settings": {"alpha": 2.0}}, {"code": "other"}, {"own_code": "other"}],
    ids=["settings", "code", "own code"],
)
def test_a_cell_is_stale_when_what_it_was_made_from_has_changed(members, change):
    assert stale(members) == members
    for member in members:
        write(member)
    assert stale(members) == []
    changed = replace(members[1], **change)
    assert stale([members[0], changed, members[2]]) == [changed]


def test_a_cell_is_stale_when_its_embeddings_hold_something_else(members, tmp_path):
    for member in members:
        write(member)
    os.utime(tmp_path / "own.nc", (0, 0))
    assert stale(members) == []
    write_netcdf(tmp_path / "own.nc", {"U": (("x",), np.arange(3.0) + 1, {})}, {})
    assert stale(members) == members


@pytest.mark.parametrize("damage", ["deleted", "truncated", "flipped", "not ours"])
def test_a_damaged_cell_is_stale_and_the_manifest_says_which(members, tmp_path, damage):
    for member in members:
        write(member)
    manifest = tmp_path / "manifest.json"
    write_manifest(manifest, members)
    assert [*read_manifest(manifest)] == names(members)
    assert unsound_cells(manifest, members) == []
    path = tmp_path / "second.nc"
    raw = bytearray(path.read_bytes())
    where = raw.index(np.arange(4).tobytes())
    raw[where] ^= 1
    if damage == "deleted":
        path.unlink()
    else:
        left = {"truncated": raw[:-20], "flipped": raw, "not ours": b"something else"}
        path.write_bytes(left[damage])
    (problem,) = unsound_cells(manifest, members)
    assert "second.nc" in problem
    assert not path.exists()  # set aside
    assert stale(members) == [members[1]]
    if damage != "deleted":
        path.write_bytes(left[damage])  # where no manifest tells
        assert names(stale(members)) == ["second"]


def test_a_manifest_of_other_settings_says_nothing_of_these_cells(tmp_path, members):
    for member in members:
        write(member)
    others = [replace(member, code="other") for member in members]
    write_manifest(tmp_path / "m.json", others)
    write(members[0])
    (tmp_path / "second.nc").write_bytes(b"another")
    assert unsound_cells(tmp_path / "m.json", members) == []
    assert (tmp_path / "second.nc").exists()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"cells": ', "\udcff"])
def test_a_manifest_that_cannot_be_read_lists_nothing(tmp_path, text):
    (tmp_path / "m.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_manifest(tmp_path / "m.json") == {}


def train(members, how, first=0):
    """What a job that trains these prints, and what it says that failed."""
    command = [sys.executable, "-m", "tests.unit.bundle_at_work", how, str(first)]
    told = json.dumps([asdict(member) for member in members])
    return subprocess.run(command, input=told, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize(("how", "reason"), [("fails", "no good"), ("is_killed", "SIGKILL")])
def test_a_member_that_fails_or_is_killed_costs_no_other(members, how, reason):
    shown = train(members, how).stderr
    assert "1 of 3 cells failed: second" in shown
    assert names(stale(members)) == ["second"]
    assert reason in shown
    assert reason in Path(members[1].log).read_text()
    assert members[1].log in shown


def test_what_was_killed_before_comes_last(members):
    assert train(members[:2], "is_killed").returncode == 1
    assert os.path.exists(begun(members[1].checkpoint))
    done = train(members, "write", first=1)
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["third", "second"]
    assert not os.path.exists(begun(members[1].checkpoint))


def test_what_cannot_start_says_why(members):
    done = train(members, "cannot_start")
    assert done.stderr.strip() == "no such device"
    assert stale(members) == members
