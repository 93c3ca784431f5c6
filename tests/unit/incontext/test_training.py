"""Training moves what is trained, by the rule, on a fresh batch each time."""

from dataclasses import replace

import numpy as np

from spectral_capacity.backend import jax, jnp
from spectral_capacity.incontext.model import Architecture
from spectral_capacity.incontext.task import Task
from spectral_capacity.incontext.training import Run, Setup, advance, begin
from tests.unit.incontext.test_sequences import laws

TASK = Task(vocabulary=5, length=12, pairs=2)
FIXED = {"embedding", "positions", "value_1", "query_1"}
SETUP = Setup(
    TASK,
    Architecture(
        5, 12, 6, frozen=("embedding", "positions", "value_1"), identity=("query_1",), tied=True
    ),
    (("rule", "muon"), ("weight_decay", 0.1)),
    batch_size=4,
)


def trained(rates, iterations):
    keys = jnp.stack([jax.random.key(1)] * len(rates))
    every = jax.tree.map(lambda p: jnp.broadcast_to(p, (len(rates), *p.shape)), laws(TASK))
    runs = Run(jnp.asarray(rates, jnp.float32), keys, every)
    states = begin(SETUP, keys)
    for n in iterations:
        states = advance(SETUP, runs, states, jnp.asarray(n, jnp.int32))
    return {name: np.asarray(value) for name, value in states.parameters.items()}


def test_only_what_is_trained_moves():
    begun, after = trained([0.01, 0.0], []), trained([0.01, 0.0], [2])
    assert set(after) - FIXED == set(SETUP.architecture.trained)
    for name, value in after.items():
        moved = (value != begun[name]).any(axis=(1, 2))
        assert list(moved) == [name not in FIXED, False], name


def test_iterations_may_be_made_in_any_parts():
    one, other = trained([0.01, 0.02], [3]), trained([0.01, 0.02], [2, 1])
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


def test_models_are_drawn_whatever_the_size_of_batches():
    keys = jax.random.key(3)[None]
    one, other = (begin(setup, keys) for setup in (SETUP, replace(SETUP, batch_size=8)))
    for name, value in one.parameters.items():
        np.testing.assert_array_equal(value, other.parameters[name], err_msg=name)
