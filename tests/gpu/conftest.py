"""What computes on a GPU, beside this machine's CPU: ``python -m pytest -m gpu``.

SPECTRAL_TEST_DEVICE=cpu puts a second host device in the GPU's place, to work on these tests without one.
"""

from __future__ import annotations

import os

import pytest

from spectral_capacity.backend import jax

STAND_IN = os.environ.get("SPECTRAL_TEST_DEVICE") == "cpu"

KIND = "cpu" if STAND_IN else "gpu"
"""``device`` of the configuration."""


@pytest.fixture(scope="session")
def device() -> jax.Device:
    """The device to be tested. JAX looks for it when the first test asks."""
    if STAND_IN:
        jax.config.update("jax_num_cpu_devices", 2)
        return jax.devices("cpu")[1]
    try:
        return jax.devices("gpu")[0]
    except RuntimeError as error:
        pytest.skip(f"JAX sees no GPU here ({error})")


@pytest.fixture(scope="session")
def cpu(device) -> jax.Device:
    """The device to compare with."""
    return jax.devices("cpu")[0]


@pytest.fixture(scope="session")
def environment(device) -> dict[str, str]:
    """Of a process that shall see what these tests see."""
    if STAND_IN:
        stand_in = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
        return os.environ | stand_in
    return {**os.environ}
