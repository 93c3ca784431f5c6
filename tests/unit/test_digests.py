"""A finished file is known by its content."""

import os
from dataclasses import replace

import pytest

from spectral_capacity.results import digests
from spectral_capacity.results.digests import Product, forget_digest, is_changed, keep_digest


@pytest.mark.parametrize("whole", [digests.WHOLE, 100], ids=["short", "long"])
@pytest.mark.parametrize("where", [0, -1])
def test_a_flipped_bit_is_seen_whatever_the_time_says(tmp_path, monkeypatch, whole, where):
    monkeypatch.setattr(digests, "WHOLE", whole)
    monkeypatch.setattr(digests, "END", 60)
    path = tmp_path / "table.csv"
    path.write_bytes(bytes(range(200)))
    assert not is_changed(path)  # nobody wrote down what it was
    keep_digest(path)
    os.utime(path, (0, 0))
    assert not is_changed(path)
    times = path.stat()
    raw = bytearray(path.read_bytes())
    raw[where] ^= 1
    path.write_bytes(raw)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert is_changed(path)
    keep_digest(path)
    assert not is_changed(path)


def test_of_a_long_file_its_length_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "WHOLE", 10)
    monkeypatch.setattr(digests, "END", 4)
    path = tmp_path / "draws.nc"
    path.write_bytes(b"0" * 20)
    keep_digest(path)
    path.write_bytes(b"0" * 21)
    assert is_changed(path)


def test_nothing_is_left_when_it_is_forgotten(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x\n")
    keep_digest(path)
    forget_digest(path)
    assert [*tmp_path.iterdir()] == [path]


@pytest.fixture
def fits(tmp_path):
    """A table that was made from a grid, with one setting."""
    for name in ("grid.nc", "fits.csv"):
        (tmp_path / name).write_text(name)
    params = {"settings": {"bootstrap": 100}, "cells": [f"{tmp_path}/cell.nc"]}
    product = Product([f"{tmp_path}/fits.csv"], [f"{tmp_path}/grid.nc"], params, str(tmp_path))
    product.keep(product.origin())
    return product


def test_what_a_file_was_made_from_is_known(tmp_path, fits):
    (table,) = fits.outputs
    assert fits.unlike() == {}
    other = replace(fits, params={**fits.params, "settings": {"bootstrap": 200}})
    assert other.unlike() == {table: ["params"]}
    (tmp_path / "grid.nc").write_text("another")
    assert fits.unlike() == {table: ["inputs"]}
    (tmp_path / "grid.nc").unlink()
    assert fits.unlike() == {}  # it will be made again, and the table with it


@pytest.mark.parametrize("note", [None, "", "[1]", "\xff", '{"sha256": "0"}'])
def test_of_a_file_without_a_note_nobody_knows_what_it_was_made_from(tmp_path, fits, note):
    (table,) = fits.outputs
    beside = tmp_path / ".fits.csv.sha256"
    beside.unlink()
    if note is not None:
        beside.write_bytes(note.encode("latin-1"))
    assert fits.unlike() == {table: ["params", "inputs"]}
    assert is_changed(table) == (note is not None)


def test_results_that_moved_are_the_same(tmp_path, fits):
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    params = {**fits.params, "cells": [f"{moved}/cell.nc"]}
    assert Product([f"{moved}/fits.csv"], [f"{moved}/grid.nc"], params, str(moved)).unlike() == {}
