"""Bad input, killed jobs, full disks: a message, nothing half-written, and the next call repairs."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import netCDF4
import numpy as np
import psutil
import pytest

from spectral_capacity.results.files import is_complete
from spectral_capacity.results.netcdf import write_netcdf
from tests import oracle

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize(
    ("one_step", "message"),
    [
        ({"alpha": [1.5, -2.0]}, "experiments.one_step.alpha[1]: -2.0: must be greater than 0"),
        ({"d": [4, 300]}, "experiments.one_step.d[1]: 300: must be less than n_items"),
        ({"optimizers": ["adam"]}, "experiments.one_step.optimizers[0]: 'adam' is not defined"),
        ({"sedes": 2}, "experiments.one_step.sedes: unknown key; did you mean seeds?"),
    ],
)
def test_bad_configuration_stops_before_any_job(fresh, one_step, message):
    fresh.configure(one_step)
    output = fresh.run(fails=True)
    assert message in output
    assert "Traceback" not in output
    assert not fresh.results.exists()


def test_an_error_in_a_job_is_shown_and_logged_with_its_coordinates(fresh):
    rng = np.random.default_rng(0)
    U, V = rng.standard_normal((2, 300, 4))
    U[5, 2] = np.nan
    dims = ("item", "component")
    write_netcdf(fresh.folder / "own.nc", {"U": (dims, U, {}), "V": (dims, V, {})}, {})
    fresh.configure({"d": [4], "seeds": 1, "embeddings": {"file": "own.nc"}})
    output = fresh.run(fails=True)
    assert "own.nc: U has values that are not finite" in output
    logs = list((fresh.results / "logs/train_memory").rglob("*.log"))
    assert logs
    for log in logs:
        assert "Traceback" in log.read_text()
        assert "alpha 1.5" in log.read_text() or "alpha 2.0" in log.read_text()
    assert not list(fresh.results.rglob("*.nc"))


def test_embeddings_of_your_own_run_through_the_chain(fresh):
    rng = np.random.default_rng(0)
    U, V = (rng.standard_normal((2, 300, 8)) / np.sqrt(8)).astype(np.float32)
    dims = ("item", "component")
    write_netcdf(fresh.folder / "own.nc", {"U": (dims, U, {}), "V": (dims, V, {})}, {})
    fresh.configure({"d": [8], "seeds": 1, "embeddings": {"file": "own.nc"}})
    fresh.run("grids")
    assert not (fresh.results / "embeddings").exists()
    with netCDF4.Dataset(fresh.results / "grids/one_step.nc") as grid:
        counts = grid["capacity"][:].ravel().tolist()
    rules = (lambda G: G, oracle.polar)
    assert counts == [oracle.capacity(U, V, a, rule) for rule in rules for a in (1.5, 2.0)]


def trainers(root: subprocess.Popen) -> list[psutil.Process]:
    """The train_memory jobs running below a Snakemake process."""
    try:
        children = psutil.Process(root.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    found = []
    for child in children:
        try:
            command = child.cmdline()
        except psutil.Error:  # it ended since it was listed
            continue
        if command and "train_memory" in " ".join(command) and "python" in Path(command[0]).name:
            found.append(child)
    return found


def kill_unfinished(job: psutil.Process, cells: Path) -> bool:
    """SIGKILL a job once another has written its cell, unless this one has written its own.

    One job runs at a time, so a cell younger than the job is its own, which takes it seconds to write; the
    one before it may be touched while the job starts. The job is held while this is decided.
    """
    try:
        job.suspend()
        written = [path.stat().st_mtime for path in cells.rglob("*seeds0-1.nc")]
        ended = job.status() == psutil.STATUS_ZOMBIE
        unfinished = bool(written) and not ended and job.create_time() + 0.5 > max(written)
        if unfinished:
            job.kill()
        else:
            job.resume()
    except psutil.NoSuchProcess:
        return False
    return unfinished


BIGGER = {"n_items": 60_000, "d": [64], "alpha": [1.5, 2.0], "seeds": 2}


def test_killed_training_jobs_lose_no_finished_cell(fresh):
    fresh.configure(BIGGER)
    process = fresh.start("grids", "--cores", "1")
    deadline = time.monotonic() + 120
    killed = False
    while time.monotonic() < deadline and process.poll() is None and not killed:
        killed = any(kill_unfinished(job, fresh.results / "cells") for job in trainers(process))
        time.sleep(0.05)
    assert killed
    assert process.wait(timeout=120) != 0
    kept = fresh.files()
    assert any(name.startswith("cells/") for name in kept)
    for name in kept:
        assert is_complete(fresh.results / name), name
    assert "grids/one_step.nc" not in kept

    fresh.run("grids")
    after = fresh.files()
    for name, written in kept.items():
        assert after[name] == written, f"{name} was made again"
    assert "grids/one_step.nc" in after
    assert not list(fresh.results.rglob("*.tmp"))


LONG = {"n_items": 2000, "d": [16], "alpha": [1.5], "seeds": 2, "optimizers": ["muon"], "steps": 80}


def test_a_long_run_killed_three_times_ends_as_if_undisturbed(fresh):
    figures = {"formats": ["svg"], "fig1a": None, "fig2": None}  # which show one step
    fresh.configure(LONG, checkpoint_seconds=0.0, figures=figures)
    fresh.run("grids", "--config", "results=undisturbed")
    name = "one_step/muon_alpha1.5_kappa0.0_d16_seeds0-1.nc"
    checkpoint = fresh.results / "checkpoints" / name
    kept = []
    moments = random.Random(0)
    for _ in range(3):
        process = fresh.start("grids")
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.3))
        for job in trainers(process):
            job.kill()
        assert process.wait(timeout=120) != 0
        with netCDF4.Dataset(checkpoint) as file:
            kept.append((int(file.run), int(file.step)))
            assert json.loads(file.identity)["code"]
    assert kept == sorted(kept)
    assert kept[-1] > kept[0]
    fresh.run("grids")
    log = (fresh.results / "logs/train_memory" / name).with_suffix(".log").read_text()
    assert "goes on after step" in log
    assert not checkpoint.exists()
    undisturbed = fresh.folder / "undisturbed/cells" / name
    assert (fresh.results / "cells" / name).read_bytes() == undisturbed.read_bytes()


def test_snakemake_killed_with_its_jobs(fresh):
    fresh.configure(BIGGER)
    process = fresh.start("grids")
    deadline = time.monotonic() + 120
    while not trainers(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for name in fresh.files():
        assert is_complete(fresh.results / name), name
    fresh.run("--unlock")
    fresh.run("grids")
    assert "grids/one_step.nc" in fresh.files()


@pytest.fixture
def small_disk(fresh):
    """The results folder on a file system of four megabytes."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    fresh.results.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(fresh.results)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    yield fresh
    subprocess.run(["umount", "-l", str(fresh.results)], check=True)


STORED = {"n_items": 20_000, "d": [4, 16], "alpha": [1.5], "optimizers": ["gd"], "seeds": 2}


def test_a_disk_known_to_be_too_small_is_an_error_at_the_start(small_disk):
    small_disk.configure(STORED, embeddings={"store": "arrays"})
    output = small_disk.run("grids", fails=True)
    assert "this run needs about" in output
    assert "embeddings: {store: keys}" in output
    assert not small_disk.files()


def test_a_disk_that_fills_up_leaves_nothing_half_written(small_disk):
    # Room for the estimate, taken by something else once the jobs run.
    small_disk.configure(STORED, embeddings={"store": "arrays"})
    small_disk.edit("workflow/rules/common.smk", "if needed > free:", "if False:")
    output = small_disk.run("grids", fails=True)
    assert "no space left on the disk" in output
    for name in small_disk.files():
        assert is_complete(small_disk.results / name), name
    assert not list(small_disk.results.rglob("*_d16_*.nc"))

    remount = ["mount", "-o", "remount,size=200m", str(small_disk.results)]
    subprocess.run(remount, check=True)
    small_disk.run("grids")
    with netCDF4.Dataset(small_disk.results / "grids/one_step.nc") as grid:
        assert (grid["capacity"][:] > 0).all()
