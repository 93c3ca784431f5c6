"""Jobs on a GPU: side by side, without memory, through Snakemake."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import netCDF4
import pytest

from spectral_capacity.backend import jax, jnp
from spectral_capacity.results.job_log import job_log
from tests.gpu.conftest import KIND, STAND_IN
from tests.workflow.conftest import copy

pytestmark = pytest.mark.gpu

JOB = """
import json, sys
from spectral_capacity import backend
backend.start({kind!r}, {results!r})
from spectral_capacity.backend import computing, jax, jnp
from spectral_capacity.training.cell import train_cell
from tests.unit.cells import MUON, cell
import numpy as np

(device,) = computing()
held = jnp.ones(2**20).block_until_ready()
print("ready", flush=True)
input()
rng = np.random.default_rng(0)
draws = [rng.standard_normal((2000, 32), np.float32) / np.float32(32**0.5) for _ in "UV"]
counts = train_cell(cell(MUON, 2000, 32, steps=3), lambda seed: draws)["capacity"]
taken = jax.config.values["jax_cuda_visible_devices"], device.id
stats = device.memory_stats() or {{}}
print(json.dumps(dict(counts=counts.tolist(), taken=taken, seen=len(jax.devices()), stats=stats)))
"""
ROOT = Path(__file__).parents[2]


def side_by_side(count, environment, folder):
    """What jobs say that hold memory of their devices at the same time, and then train the same cell."""
    code = JOB.format(kind=KIND, results=str(folder))
    environment = environment | {"TMPDIR": str(folder)}
    with ExitStack() as started:
        jobs = []
        for _ in range(count):
            job = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=environment,
            )
            started.enter_context(job)
            started.callback(job.kill)
            jobs.append(job)
        for job in jobs:
            assert job.stdout.readline() == "ready\n"
        return [json.loads(job.communicate("\n")[0]) for job in jobs]


def test_jobs_share_a_card_and_its_memory(environment, tmp_path):
    one = {} if STAND_IN else {"CUDA_VISIBLE_DEVICES": first_card(environment)}
    found = side_by_side(3, environment | one, tmp_path)
    for job in found:
        assert job["counts"] == found[0]["counts"]
        if {"pool_bytes", "bytes_limit"} <= job["stats"].keys():
            assert job["stats"]["pool_bytes"] < job["stats"]["bytes_limit"] / 4


def first_card(environment):
    return environment.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]


def test_jobs_take_a_card_each(environment, tmp_path):
    if len(jax.devices(KIND)) < 2:
        pytest.skip("there is one card here")
    first, second = side_by_side(2, environment, tmp_path)
    assert first["taken"] != second["taken"]
    assert first["counts"] == second["counts"]
    if not STAND_IN:
        assert first["seen"] == second["seen"] == 1


def test_a_full_card_is_told_with_what_to_change(device, tmp_path, capsys):
    def fill():
        with (
            job_log(tmp_path / "x.log", "train_memory", {"d": 8}),
            jax.default_device(device),
        ):
            jnp.zeros(2**50, jnp.float32).block_until_ready()

    with pytest.raises(SystemExit):
        fill()
    shown = capsys.readouterr().err
    assert "RESOURCE_EXHAUSTED" in shown
    assert "out of memory: run fewer jobs at once (--cores 1;" in shown


@pytest.mark.slow
@pytest.mark.workflow
def test_the_pipeline_counts_on_it_what_it_counts_on_a_cpu(environment, tmp_path, monkeypatch):
    for name in ("XLA_FLAGS", "JAX_PLATFORMS"):
        if name in environment:
            monkeypatch.setenv(name, environment[name])
    fresh = copy(tmp_path / "tree")
    try:
        counts = []
        for kind, profile in ((KIND, ["--profile", "profiles/gpu"]), ("cpu", [])):
            fresh.configure(device=kind, results=kind + str(len(counts)))
            fresh.run(*profile, "grids")
            with netCDF4.Dataset(fresh.folder / f"{kind}{len(counts)}/grids/one_step.nc") as grid:
                counts.append(grid["capacity"][:].tolist())
    finally:
        fresh.stop()
    assert counts[0] == counts[1]
