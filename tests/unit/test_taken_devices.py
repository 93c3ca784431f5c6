"""Several jobs on one machine take different devices, and share them evenly where they are more."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from spectral_capacity import devices
from spectral_capacity.backend import jax, jnp

ROOT = Path(__file__).parents[2]


@pytest.fixture
def job(tmp_path):
    """``job(code, **environment)``: a process that runs the code and lives on, and its ``answer``."""
    with ExitStack() as started:

        def start(code, **environment):
            process = subprocess.Popen(
                [sys.executable, "-c", f"{code}\nprint(answer, flush=True)\ninput()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=os.environ | {"TMPDIR": str(tmp_path)} | environment,
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process, process.stdout.readline().strip()

        yield start


TAKE = "from spectral_capacity.devices import take; answer = take(['5', 'MIG-1/2', 'GPU-a'])"


def test_each_job_takes_the_device_that_fewest_have(job):
    jobs = [job(TAKE) for _ in range(4)]
    assert [answer for _, answer in jobs] == ["0", "1", "2", "0"]
    jobs[1][0].kill()
    jobs[1][0].wait()
    assert [job(TAKE)[1] for _ in range(2)] == ["1", "1"]


def test_a_process_that_a_job_starts_does_not_keep_its_device(job):
    child = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'])"
    process, answer = job(f"{child}\n{TAKE}\n{child}")
    assert answer == "0"
    process.kill()
    process.wait()
    assert job(TAKE)[1] == "0"


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("2,3", ["2", "3"]),
        ("GPU-8a, GPU-9b", ["GPU-8a", "GPU-9b"]),
        ("", []),
        ("-1", []),
        ("1,-1,2", ["1"]),
    ],
)
def test_cards_are_those_that_cuda_would_show(monkeypatch, visible, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices.cards() == expected


START = """
from spectral_capacity import backend
devices = backend.start({device!r}, {results!r}, {all_devices})
from spectral_capacity.backend import jax, jnp
"""


def test_a_job_is_shown_its_card_alone(job, tmp_path):
    code = START.format(device="auto", results=str(tmp_path), all_devices=False)
    code += "answer = jax.config.values['jax_cuda_visible_devices']"
    assert [job(code, CUDA_VISIBLE_DEVICES="4,6")[1] for _ in range(2)] == ["0", "1"]
    assert job(code, CUDA_VISIBLE_DEVICES="4")[1] == "all"  # nothing to choose
    assert job(code.replace("auto", "cpu"), CUDA_VISIBLE_DEVICES="4,6")[1] == "all"
    assert job(code.replace("False", "True"), CUDA_VISIBLE_DEVICES="4,6")[1] == "all"


TWO = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}


@pytest.mark.slow
def test_two_jobs_compute_on_different_devices(job, tmp_path):
    """Forced host devices stand in for cards: the arrays of a softmax, in a mesh, lie there too."""
    code = START.format(device="cpu", results=str(tmp_path), all_devices=False)
    code += """
import numpy as np
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.competitors import competitor_softmax
rng = np.random.default_rng(0)
data = Associations(*(jax.device_put(rng.standard_normal((40, 4), np.float32)) for _ in "UV"))
softmax = competitor_softmax(np.eye(4), data, np.arange(40), means=True)
used = {d.id for array in (data.U, data.output_mean, *softmax.mean) for d in array.devices()}
answer = [devices, *used, float(softmax.log_sum.sum()).hex()]
"""
    first, second, third = (job(code, **TWO)[1].split(", ") for _ in range(3))
    assert [first[:2], second[:2], third[:2]] == [["[1", "0"], ["[1", "1"], ["[1", "0"]]
    assert first[2] == second[2]
    shared = job(
        code.replace("False", "True").replace("means=True", "means=True, devices=2"), **TWO
    )
    assert shared[1].startswith("[2, 0, 1, ")


def test_what_xla_is_told_reaches_every_job(job):
    code = (
        "import os; from spectral_capacity import backend; "
        "answer = [os.environ[name] for name in ('XLA_PYTHON_CLIENT_PREALLOCATE', 'XLA_FLAGS')]"
    )
    deterministic, own = "--xla_gpu_deterministic_ops=true", "--xla_gpu_deterministic_ops=false"
    other = TWO["XLA_FLAGS"]
    assert job(code, XLA_FLAGS="")[1] == str(["false", deterministic])
    assert job(code, XLA_FLAGS=other)[1] == str(["false", f"{other} {deterministic}"])
    kept = {"XLA_FLAGS": own, "XLA_PYTHON_CLIENT_PREALLOCATE": "true"}
    assert job(code, **kept)[1] == str(["true", own])


def test_a_machine_without_a_gpu_is_told(monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert devices.gpu_problem() == devices.NO_GPU


@pytest.mark.parametrize(
    "allocate",
    [lambda: np.ones(2**50), lambda: jnp.zeros(2**50).block_until_ready()],
    ids=["numpy", "jax"],
)
def test_full_memory_is_followed_by_advice(allocate):
    with pytest.raises((MemoryError, jax.errors.JaxRuntimeError)) as raised:
        allocate()
    advice = devices.memory_advice(raised.value)
    assert "--resources gpu=1" in advice
    assert "n_items or d" in advice


def test_other_errors_get_no_advice():
    assert devices.memory_advice(RuntimeError("INTERNAL: a kernel failed")) is None
