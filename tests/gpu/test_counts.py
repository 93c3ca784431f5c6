"""Every kind of cell counts on a GPU what it counts on a CPU."""

from __future__ import annotations

import numpy as np
import pytest

from spectral_capacity.backend import jax
from spectral_capacity.memory.measured import VARIABLES
from spectral_capacity.optimizers.maps import MAPS
from spectral_capacity.optimizers.rules import RULES
from spectral_capacity.training.cell import train_cell
from tests.unit.cells import cell

pytestmark = pytest.mark.gpu

N, D = 300, 16
EXACT = [name for name, variable in VARIABLES.items() if variable.dtype == np.int64]
ROUNDED = [name for name in VARIABLES if name not in EXACT and name != "status"]

NEEDED = {
    "smoothed_polar": {"resolution": 0.01},
    "power": {"exponent": 0.5},
    "own": {"file": "half.py", "function": "half"},
}
"""Options of maps that need some, or whose defaults have no use at a d this small."""

HALF = """
def half(gradient, context):
    return gradient.with_singular_values(gradient.singular_values**0.5)
"""


def spectral(name):
    return {"rule": "spectral", "map": {"name": name, **NEEDED.get(name, {})}}


OPTIMIZERS = {f"spectral {name}": spectral(name) for name in MAPS}
OPTIMIZERS |= {rule: {"rule": rule} for rule in RULES if rule != "spectral"}
RATE = {"learning_rate": {"scale": 2.0, "d_power": 0.5}}


@pytest.fixture(autouse=True)
def own_map(tmp_path, monkeypatch):
    (tmp_path / "half.py").write_text(HALF)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kappa", [0.0, 1.0], ids=["isotropic", "anisotropic"])
@pytest.mark.parametrize("loss", [None, [0.5, 2.0]], ids=["count", "loss"])
@pytest.mark.parametrize(
    ("steps", "gradient"),
    [(1, "exact"), (3, "exact"), (3, "thresholded")],
    ids=["one step", "exact", "thresholded"],
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_cell_counts_what_it_counts_on_a_cpu(
    device, cpu, draws, optimizer, steps, gradient, loss, kappa
):
    this = cell(
        OPTIMIZERS[optimizer] | RATE,
        N,
        D,
        kappa=kappa,
        loss=loss,
        steps=steps,
        gradient=gradient,
        batch_sizes=(30, 400, np.inf),
    )
    there, here = (trained(this, draws, where) for where in (device, cpu))
    for name in ("status", *EXACT):
        np.testing.assert_array_equal(there[name], here[name], err_msg=name)
    for name in ROUNDED:
        np.testing.assert_allclose(there[name], here[name], rtol=1e-3, err_msg=name)
    assert (here["capacity"][..., 0] > 0).all()


def test_a_cell_is_the_same_to_the_last_bit_when_it_is_trained_again(device, draws):
    this = cell(OPTIMIZERS["spectral polar"] | RATE, 2000, 64, steps=3, batch_sizes=(500, np.inf))
    first, second = (trained(this, draws, device) for _ in range(2))
    for name, values in first.items():
        assert values.tobytes() == second[name].tobytes(), name


def trained(this, draws, where):
    """What a cell measures on a device."""
    with jax.default_device(where):
        return train_cell(this, lambda seed: draws(this["n_items"], this["d"], seed))
