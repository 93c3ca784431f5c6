"""Devices through real Snakemake; two forced host devices stand in for two cards."""

from pathlib import Path

import pytest

from spectral_capacity.devices import NO_GPU
from tests.workflow.holding import OPTIMIZER, Holding

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def test_a_gpu_that_is_not_there_is_told_before_any_job(fresh, monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    fresh.configure(device="gpu")
    output = fresh.run("grids", fails=True)
    assert NO_GPU in output
    assert "Traceback" not in output
    assert not fresh.results.exists()


@pytest.mark.parametrize(
    ("device", "given", "asked"),
    [
        ("gpu", (), True),
        ("auto", ("--profile", "profiles/gpu"), True),
        ("auto", ("--resources", "gpu=4"), True),
        ("auto", (), False),
        ("cpu", ("--profile", "profiles/gpu"), False),
    ],
)
def test_training_jobs_ask_for_a_gpu_where_they_use_one(fresh, device, given, asked):
    fresh.configure(device=device)
    output = fresh.run("grids", "--dry-run", "--workflow-profile", "plain", *given)
    jobs = output.split("\nrule ")[1:]
    assert jobs
    for job in jobs:
        assert ("gpu=1" in job) == (asked and job.startswith("train_memory"))


def test_jobs_side_by_side_take_a_device_each(fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # no other jobs of this machine
    cells = {"d": [8], "alpha": [1.5, 2.0], "optimizers": ["held"]}
    fresh.configure(cells, optimizers={"held": OPTIMIZER}, device="cpu", bundle_seconds=0)
    holding = Holding(fresh)
    holding.at("d8_alpha1.5_step1", "d8_alpha2.0_step1")
    process = fresh.start("grids")
    taken = {lock(job) for job in holding.jobs(process)}
    assert taken == {"cpu0.0.lock", "cpu1.0.lock"}
    holding.at()
    fresh.end(process)


def lock(job):
    """What a job has taken: the lock that it holds."""
    (held,) = (file.path for file in job.open_files() if file.path.endswith(".lock"))
    return Path(held).name


EXHAUSTING = """
import numpy as np

def exhausting(gradient, context):
    return gradient.matrix + np.ones((2**25, 2**25)).sum()
"""


def test_a_job_whose_memory_is_full_says_what_to_change(fresh):
    (fresh.folder / "my_maps.py").write_text(EXHAUSTING)
    own = {"name": "own", "file": "my_maps.py", "function": "exhausting"}
    mine = {"rule": "spectral", "map": own}
    fresh.configure({"d": [4], "seeds": 1, "optimizers": ["mine"]}, optimizers={"mine": mine})
    output = fresh.run("grids", fails=True)
    assert "Unable to allocate" in output
    assert "out of memory: run fewer jobs at once (--cores 1;" in output
