"""A second cell of the same shapes finds every program compiled: what a job's first seed pays for, once."""

import jax.monitoring
import numpy as np
import pytest

from spectral_capacity.training.cell import train_cell
from tests.unit.cells import GD, MUON, RATE, cell

N, D = 90, 8


@pytest.fixture
def compiled():
    """The programs compiled so far, one entry each."""
    programs = []

    def listen(event, duration, **about):
        if event == "/jax/core/compile/backend_compile_duration":
            programs.append(about)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield programs
    jax.monitoring.unregister_event_duration_listener(listen)


def test_the_count_sees_a_compilation(compiled):
    jax.jit(lambda x: x + 1)(np.zeros(3))
    assert compiled


SHARED = {"alpha": 2.0, "kappa": 1.0}
PAIRS = {
    "one step": (
        cell(MUON, N, D, batch_sizes=(20, np.inf), **SHARED),
        cell(RATE | {"rule": "newton"}, N, D, batch_sizes=(3, 50, 700), seeds=(1, 2), **SHARED),
    ),
    "thresholded": (
        cell(MUON, N, D, steps=3, gradient="thresholded", batch_sizes=(20,), **SHARED),
        cell(GD, N, D, steps=5, gradient="thresholded", batch_sizes=(3, 700, np.inf), **SHARED),
    ),
    "softmax gradients": (
        cell(MUON, N, D, steps=3, batch_sizes=(200, np.inf), **SHARED),
        cell(RATE | {"rule": "sign"}, N, D, steps=4, batch_sizes=(300, np.inf), seeds=(1, 2)),
    ),
    "losses": (
        cell(MUON, N, D, loss=[0.5, 2.0], batch_sizes=(20, np.inf), **SHARED),
        cell(GD, N, D, loss=[3.0, 7.0], batch_sizes=(30,), seeds=(1, 2), **SHARED),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_second_cell_compiles_nothing(draws, compiled, name):
    first, second = PAIRS[name]
    train_cell(first, lambda s: draws(N, D, s))
    compiled.clear()
    train_cell(second, lambda s: draws(N, D, s))
    assert compiled == []
