"""Devices that share the rows of a softmax change nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spectral_capacity.backend import jax
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.training.cell import train_cell
from tests.unit.cells import MUON, cell
from tests.unit.softmax_references import (
    embeddings,
    gradient,
)


def bits(devices):
    """A gradient and the softmax on its way, to the last bit; rows for every device, and some over."""
    (U, V), q = embeddings(500, 16), power_law(500, 3.0)
    W = 3 * np.random.default_rng(0).standard_normal((16, 16)) / 4
    found = gradient(W, U, V, q, tile=(16, 128), devices=devices)
    softmax = found.softmax
    parts = softmax.target, softmax.best, softmax.log_sum, softmax.bound
    return {
        "gradient": [value.hex() for value in found.matrix.ravel().tolist()],
        "softmax": [value.hex() for part in parts for value in part.tolist()],
        "in_float64": found.in_float64,
    }


def trained(devices):
    """All that a cell of three steps measures, to the last bit."""
    this = cell(MUON, 300, 16, steps=3)
    results = train_cell(this, lambda seed: embeddings(300, 16), devices=devices)
    return {name: values.tobytes().hex() for name, values in results.items()}


SHARED = """
import json
from spectral_capacity.backend import jax
from tests.unit.test_devices import bits, trained

assert len(jax.devices()) == 8
gradients = {devices: bits(devices) for devices in (1, 3, 8)}
print(json.dumps(gradients | {"cells": [trained(devices) for devices in (1, 8)]}))
"""


@pytest.mark.slow
def test_devices_share_the_rows_and_change_nothing():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run(
        [sys.executable, "-c", SHARED],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **flags},
    )
    shared = json.loads(run.stdout)
    assert shared["1"] == shared["8"]
    assert shared["cells"][0] == shared["cells"][1]
    assert shared["1"]["in_float64"] > 0
    one, three = (
        np.array([float.fromhex(value) for value in shared[count]["gradient"]])
        for count in ("1", "3")
    )
    np.testing.assert_allclose(three, one, rtol=0, atol=1e-15 * np.abs(one).max())
    assert shared["3"]["softmax"] == shared["1"]["softmax"]
    if jax.default_backend() == "cpu":  # eight devices have more threads than one
        assert shared["1"] == bits(1)
