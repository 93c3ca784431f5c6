import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spectral_capacity.figures.parts.common import plt
from spectral_capacity.results.files import atomic_path, is_complete
from spectral_capacity.results.netcdf import DamagedFile, open_netcdf, write_netcdf
from spectral_capacity.results.prune import prune, unnamed
from spectral_capacity.results.reading import open_grid


def make(path: Path) -> None:
    if path.suffix == ".nc":
        write_netcdf(path, {"x": (("i",), np.arange(500.0), {})}, {"title": "t"})
    elif path.suffix in (".csv", ".html"):
        path.write_text({".csv": "ab,c\n1,2\n", ".html": "<html><p>x</p></html>\n"}[path.suffix])
    else:
        figure, axes = plt.subplots()
        axes.plot([1, 2])
        figure.savefig(path)
        plt.close(figure)


@pytest.mark.parametrize("suffix", ["nc", "pdf", "svg", "png", "csv", "html"])
def test_whole_files_are_complete_and_truncated_ones_are_not(tmp_path, suffix):
    path = tmp_path / f"file.{suffix}"
    assert not is_complete(path)
    make(path)
    assert is_complete(path)
    whole = path.read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:size])
        assert not is_complete(path), size


def test_appears_only_when_all_went_well(tmp_path):
    path = tmp_path / "deep" / "a.csv"
    with atomic_path(path) as temporary:
        temporary.write_text("new\n")
        assert not path.exists()
    assert path.read_text() == "new\n"

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert [p.name for p in path.parent.iterdir()] == ["a.csv"]
    assert path.read_text() == "new\n"


def test_a_file_that_is_not_complete_is_not_kept(tmp_path):
    def write_half():
        with atomic_path(tmp_path / "a.csv") as temporary:
            temporary.write_text("no end of line")

    with pytest.raises(OSError, match="not complete"):
        write_half()
    assert not list(tmp_path.iterdir())


def test_leftovers_of_killed_processes_go_and_those_of_living_ones_stay(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = socket.gethostname()
    leftover = tmp_path / f".a.csv.{host}.{dead.pid}.tmp"
    alive = tmp_path / f".a.csv.{host}.1.tmp"
    elsewhere = tmp_path / f".a.csv.other-{host}.{dead.pid}.tmp"
    for path in (leftover, alive, elsewhere):
        path.write_text("x")
    with atomic_path(tmp_path / "a.csv") as temporary:
        temporary.write_text("1\n")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.csv", alive.name, elsewhere.name}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_full_disk_leaves_the_old_file_and_says_so(small_disk):
    path = small_disk / "a.nc"
    write_netcdf(path, {"x": (("i",), np.arange(100.0), {})}, {})
    before = path.read_bytes()
    big = {"x": (("i",), np.random.default_rng(0).random(400_000), {})}
    # In a process of its own: HDF5 does not recover from a failed write.
    code = "import sys, pickle; from spectral_capacity.results.netcdf import write_netcdf\n"
    code += f"import numpy as np; write_netcdf({str(path)!r}, "
    code += "{'x': (('i',), np.random.default_rng(0).random(400_000), {})}, {})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode != 0
    assert "no space left on the disk" in run.stderr
    assert f"of about {big['x'][1].nbytes / 1e6:.1f} MB" in run.stderr
    assert path.read_bytes() == before
    assert [p.name for p in small_disk.iterdir()] == ["a.nc"]


def flip_bit(path, of):
    """Flip one bit of the first place where these values stand."""
    raw = bytearray(path.read_bytes())
    place = bytes(raw).index(np.asarray(of).tobytes())
    raw[place] ^= 1
    path.write_bytes(raw)


VALUES = np.array([3.25, 1.5, 2.125])


@pytest.fixture
def flipped(tmp_path):
    path = tmp_path / "a.nc"
    names = np.array(["gd", "muon", "newton"])
    write_netcdf(path, {"x": (("i",), VALUES, {}), "i": (("i",), names, {})}, {})
    assert open_grid(path).x.values.tolist() == VALUES.tolist()
    flip_bit(path, VALUES)
    assert is_complete(path)
    return path


@pytest.mark.parametrize("text", [b"of the file", b"of x"])
def test_a_flipped_bit_in_what_is_said_of_the_values_is_seen(tmp_path, text):
    path = tmp_path / "a.nc"
    variables = {"x": (("i",), VALUES, {"long_name": "of x", "n": 3})}
    write_netcdf(path, variables, {"title": "of the file", "n": 3})
    open_grid(path)
    raw = path.read_bytes()
    assert raw.count(text) == 1
    path.write_bytes(raw.replace(text, b"O" + text[1:]))
    with pytest.raises(DamagedFile):
        open_grid(path)


def test_a_flipped_bit_names_the_file_and_sets_it_aside(flipped):
    with pytest.raises(DamagedFile, match=r"a\.nc: damaged; set aside as a\.nc\.damaged"):
        open_grid(flipped)
    assert not flipped.exists()
    write_netcdf(flipped, {"x": (("i",), VALUES, {})}, {})  # made again, the damaged one goes
    assert [path.name for path in flipped.parent.iterdir()] == ["a.nc"]


def test_a_damaged_header_names_the_file_too(tmp_path):
    path = tmp_path / "a.nc"
    write_netcdf(path, {"x": (("i",), VALUES, {})}, {})
    raw = path.read_bytes()
    path.write_bytes(raw[:60] + bytes(len(raw) - 120) + raw[-60:])
    assert is_complete(path)
    with pytest.raises(DamagedFile, match=r"a\.nc: damaged; set aside"):
        open_grid(path)


def test_a_users_own_file_stays_where_it_is(tmp_path):
    path = tmp_path / "own.nc"
    path.write_text("no NetCDF")
    with (
        pytest.raises(DamagedFile, match=r"own\.nc: damaged, or no NetCDF file"),
        open_netcdf(path, ours=False),
    ):
        pass
    assert path.exists()


def test_other_errors_are_no_damage(tmp_path):
    path = tmp_path / "a.nc"
    write_netcdf(path, {"x": (("i",), VALUES, {})}, {})
    with pytest.raises(RuntimeError, match="mine"), open_netcdf(path):
        raise RuntimeError("mine")
    with pytest.raises(FileNotFoundError):
        open_grid(tmp_path / "none.nc")
    assert path.exists()


def test_what_nothing_names_is_listed_and_deleted_when_told(tmp_path):
    for name in (
        "cells/a/1.nc",
        "cells/a/2.nc",
        "cells/b/1.nc",
        "checkpoints/a/1.nc",
        "logs/a.log",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(2_000_000))
    (tmp_path / "cells/a/.3.nc.host.1.tmp").touch()
    named = [tmp_path / "cells/a/1.nc"]
    text = prune(tmp_path, named)
    assert [line.split()[-1] for line in text.splitlines()[:-1]] == [
        str(tmp_path / name) for name in ("cells/a/2.nc", "cells/b/1.nc", "checkpoints/a/1.nc")
    ]
    assert "3 files, 6.00 MB" in text
    assert "prune=delete" in text
    assert len(unnamed(tmp_path, named)) == 3
    assert "3 files, 6.00 MB: deleted" in prune(tmp_path, named, delete=True)
    assert unnamed(tmp_path, named) == []
    assert not (tmp_path / "cells/b").exists()
    assert (tmp_path / "cells/a/.3.nc.host.1.tmp").exists()
    assert (tmp_path / "logs/a.log").exists()
    assert "nothing" in prune(tmp_path, named)
