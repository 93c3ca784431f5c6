"""A finished file is known by its content."""

import os

import pytest

from spectral_capacity.results import digests
from spectral_capacity.results.digests import forget_digest, is_changed, keep_digest


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
