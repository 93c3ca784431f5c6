"""Optimizers with a state: what each promises, and that each is optax's where optax has it."""

import numpy as np
import optax
import pytest

from spectral_capacity.backend import jax, jnp
from spectral_capacity.kinds.memory import MemoryExperiment
from spectral_capacity.memory.moments import Moments
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.update import optimizer_of
from tests import oracle
from tests.unit.configurations import optimizer_settings

D, STEPS = 8, 20
OWN = """
import optax

def lookahead(*, decay=0.5):
    return optax.chain(optax.trace(decay), optax.scale(-0.1))
"""
POLAR = {"rule": "spectral", "map": {"name": "polar"}}
WRITTEN = {
    name: {"rule": name} for name in MemoryExperiment.rules if name not in ("spectral", "own")
} | {
    "polar": POLAR,
    "polar with momentum": POLAR | {"momentum": 0.95, "nesterov": True, "weight_decay": 0.1},
    "sign with momentum": {"rule": "sign", "momentum": 0.9},
    "own": {"rule": "own", "file": "mine.py", "function": "lookahead"},
}
every_optimizer = pytest.mark.parametrize("name", WRITTEN)


@pytest.fixture
def settings(name, tmp_path):
    """As the configuration gives it to a cell: checked, with its defaults."""
    (tmp_path / "mine.py").write_text(OWN)
    given = WRITTEN[name]
    if name == "own":
        given = given | {"file": str(tmp_path / "mine.py")}
    return optimizer_settings(given)


class Isotropic(Moments):
    output_covariance = input_moment = np.eye(D)


def context(step):
    return StepContext(D, 1.5, np.inf, step, Isotropic())


def gradients():
    rng = np.random.default_rng(0)
    return [10.0**-t * rng.standard_normal((D, D)) for t in (0, 1, 0, 2)]


def walk(optimizer, state=None, W=None, first=1):
    """W after each of a few steps, and the states."""
    W = np.zeros((D, D)) if W is None else W
    state = optimizer.init(W) if state is None else state
    Ws, states = [], []
    for t, G in enumerate(gradients()[first - 1 :], first):
        made = optimizer.step(Gradient(G), state, W, context(t))
        assert made.direction.dtype == np.float64
        W, state = W + 0.1 * made.direction, made.state
        Ws.append(W)
        states.append(state)
    return Ws, states


@every_optimizer
def test_steps_are_finite_repeatable_and_begin_downhill(settings):
    one, states = walk(optimizer_of(settings))
    two, _ = walk(optimizer_of(settings))
    for W, again in zip(one, two, strict=True):
        assert np.isfinite(W).all()
        np.testing.assert_array_equal(W, again)
    assert (one[0] * gradients()[0]).sum() > 0  # they are negative gradients
    shapes = [[(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(state)] for state in states]
    begun = optimizer_of(settings).init(np.zeros((D, D)))
    assert shapes == [[(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(begun)]] * len(states)
    assert {jax.tree.structure(state) for state in states} == {jax.tree.structure(begun)}


@every_optimizer
def test_a_state_of_arrays_is_all_that_is_remembered(settings):
    whole, states = walk(optimizer_of(settings))
    leaves, tree = jax.tree.flatten(states[1])
    again = jax.tree.unflatten(tree, [np.array(leaf) for leaf in leaves])
    rest, _ = walk(optimizer_of(settings), again, whole[1], first=3)
    np.testing.assert_array_equal(rest, whole[2:])


@every_optimizer
def test_a_gradient_of_zero_moves_nothing_at_first(settings):
    optimizer, W = optimizer_of(settings), np.zeros((D, D))
    made = optimizer.step(Gradient(np.zeros((D, D))), optimizer.init(W), W, context(1))
    assert not made.direction.any()


SCALE_FREE = {"polar", "polar with momentum", "sign", "sign with momentum", "lion"}
BUT_FOR_EPSILON = {"adamw", "muon", "shampoo", "soap"}


@every_optimizer
def test_the_scale_of_gradients(name, settings):
    """Most rules do not know it, Newton's and those that are sums of gradients are in proportion."""
    optimizer, W = optimizer_of(settings), np.zeros((D, D))
    one, ten = (
        optimizer.step(Gradient(c * gradients()[0]), optimizer.init(W), W, context(1)).direction
        for c in (1.0, 10.0)
    )
    factor = 1 if name in SCALE_FREE | BUT_FOR_EPSILON else 10
    tolerance = 1e-5 if name in BUT_FOR_EPSILON else 1e-12
    np.testing.assert_allclose(ten, factor * one, rtol=tolerance, atol=tolerance)


OPTAX = {
    "sgd": lambda: optax.chain(
        optax.trace(0.95), optax.add_decayed_weights(1e-4), optax.scale(-1.0)
    ),
    "adamw": lambda: optax.adamw(1.0, 0.9, 0.95, 1e-8, weight_decay=1e-4),
    "lion": lambda: optax.lion(1.0, 0.9, 0.99, weight_decay=1e-4),
    "muon": lambda: optax.contrib.muon(1.0, weight_decay=1e-4),
}


@pytest.mark.parametrize("name", OPTAX)
def test_twenty_steps_are_those_of_a_plain_loop_over_the_oracles_gradients(name, draws):
    """Sign, scale and orientation: optax takes the gradient of the loss, and W − η·(−D)."""
    n, rate = 60, {"sgd": 1.0, "adamw": 0.3, "lion": 0.3, "muon": 1.0}[name]
    U, V = (np.asarray(x, float) for x in draws(n, D, 0))
    p = oracle.frequencies(n, 1.5)
    rule, W = OPTAX[name](), jnp.zeros((D, D))
    state = rule.init(W)
    for _ in range(STEPS):
        loss_gradient = -oracle.gradient(np.asarray(W), U, V, p)
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            updates, state = rule.update(jnp.asarray(loss_gradient), state, W)
        W = W + rate * updates

    optimizer, ours = optimizer_of(optimizer_settings({"rule": name})), np.zeros((D, D))
    state = optimizer.init(ours)
    for t in range(1, STEPS + 1):
        G = oracle.gradient(ours, U, V, p)
        made = optimizer.step(Gradient(G), state, ours, context(t))
        ours, state = ours + rate * made.direction, made.state
    np.testing.assert_allclose(ours, W, rtol=1e-10, atol=1e-10)
