"""A transformer whose attention is built is the linear memory: gradients, steps and recalled items agree."""

import numpy as np
import pytest

from spectral_capacity.backend import jax, jnp
from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import parse
from spectral_capacity.incontext.model import Architecture, Transformer, initialise
from spectral_capacity.incontext.probes import measure, predictions, recalled
from spectral_capacity.incontext.task import Laws, Task, draw
from spectral_capacity.incontext.training import Run, Setup, State, loss, update
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.recall import recall
from spectral_capacity.memory.softmax_gradient import softmax_gradient
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.rules import direction
from spectral_capacity.sampling.frequencies import power_law
from tests.unit.configurations import ROOT, cells, merged

pytestmark = pytest.mark.slow

TASK = Task(vocabulary=200, length=24, pairs=4)
D, BATCH = 32, 256
ARCHITECTURE = Architecture(
    TASK.vocabulary,
    TASK.length,
    D,
    normalise=False,
    attention="built",
    identity=("output_2",),
    frozen=("embedding", "unembedding"),
    zero=("value_2",),
)
LAWS = Laws(*(jnp.asarray(power_law(200, alpha), jnp.float32) for alpha in (0.0, 1.25, 0.0)))
SGD = (("rule", "sgd"), ("momentum", 0.0), ("weight_decay", 0.0))
MUON = (("rule", "muon"), ("momentum", 0.0), ("nesterov", False), ("weight_decay", 0.0))

# Compiled as a whole: an operation after the other would be compiled each for itself.
drawing = jax.jit(draw, static_argnums=(1, 3))
beginning = jax.jit(initialise, static_argnums=1)
updating = jax.jit(update, static_argnums=0)
seeing = jax.jit(predictions)
recalling = jax.jit(recalled)


def begun(seed):
    """A model at its start, and the linear memory of all its tokens: E as inputs, U as outputs."""
    model = beginning(jax.random.key(seed), ARCHITECTURE)
    W = model.parameters
    return model, Associations(W["embedding"], W["unembedding"])


def batch(seed):
    """Sequences, and the share of each token among what is to be predicted."""
    drawn = drawing(jax.random.fold_in(jax.random.key(seed), 0), TASK, LAWS, BATCH)
    targets = np.asarray(drawn.targets).ravel()
    return drawn, np.bincount(targets, minlength=2 * TASK.vocabulary) / targets.size


@jax.jit
def gradient(parameters, sequences):
    def of(W):
        return loss(Transformer(parameters | {"value_2": W}, ARCHITECTURE), sequences)

    return jax.grad(of)(parameters["value_2"])


def negative_gradient(model, sequences):
    return -np.asarray(gradient(model.parameters, sequences), np.float64)


def stepped(optimizer, seed, rate):
    """The model after one update on the batch of a seed, by the code that trains."""
    model, _ = begun(seed)
    setup = Setup(TASK, ARCHITECTURE, optimizer, BATCH)
    moved = {"value_2": model.parameters["value_2"]}
    state = State(model.parameters, setup.rule(1.0).init(moved), jnp.zeros((), jnp.int32))
    run = Run(jnp.asarray(rate, jnp.float32), jax.random.key(seed), LAWS)
    return Transformer(updating(setup, run, state).parameters, ARCHITECTURE)


def assert_close(found, wanted, tolerance):
    assert np.linalg.norm(found - wanted) <= tolerance * np.linalg.norm(wanted)


def outputs_of(data):
    return data.U[TASK.vocabulary :], data.V[TASK.vocabulary :]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_first_gradient_is_that_of_the_linear_memory(seed):
    model, data = begun(seed)
    sequences, q = batch(seed)
    assert not q[: TASK.vocabulary].any()
    assert_close(negative_gradient(model, sequences), data.initial_gradient(q), 1e-5)


def test_the_gradient_of_a_memory_that_has_learnt_is_that_of_the_linear_memory():
    model, data = stepped(SGD, 0, 4.0), begun(0)[1]
    sequences, q = batch(1)
    W = np.asarray(model.parameters["value_2"], np.float64)
    wanted = softmax_gradient(W, data, q).matrix
    assert_close(negative_gradient(model, sequences), wanted, 1e-4)
    assert np.linalg.norm(wanted - data.initial_gradient(q)) > 0.01 * np.linalg.norm(wanted)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("optimizer", "map"), [(SGD, None), (MUON, "newton_schulz")])
def test_one_step_recalls_the_items_of_the_linear_memory(optimizer, map, seed):
    model, data = stepped(optimizer, seed, 1.0), begun(seed)[1]
    G = Gradient(data.initial_gradient(batch(seed)[1]))
    rule = {"rule": "spectral", "map": {"name": map}} if map else {"rule": "gradient"}
    D = direction(rule, G, StepContext(G.matrix.shape[0], 1.25, float(BATCH * TASK.pairs)))
    found = np.asarray(recalling(model))
    W = np.asarray(model.parameters["value_2"], np.float64)
    np.testing.assert_array_equal(found, recall(W, *outputs_of(data)).recovered)
    wanted = recall(D, *outputs_of(data)).recovered
    np.testing.assert_array_equal(found, wanted)
    assert 0 < wanted.sum() < wanted.size / 2


def test_built_attention_is_on_the_token_before_and_on_the_first_output():
    model, _ = begun(0)
    seen = seeing(model, batch(0)[0])
    for name in ("previous_token", "induction"):
        assert seen[f"{name}_score"] == seen[f"{name}_accuracy"] == 1
    assert seen["loss"] == pytest.approx(np.log(2 * TASK.vocabulary), rel=1e-6)


def test_singular_values_of_the_gradient_are_those_of_the_linear_memory():
    model, data = begun(0)
    keys = jax.random.key(5)[None]
    models = {name: W[None] for name, W in model.parameters.items()}
    found = measure(TASK, ARCHITECTURE, models, {"id": LAWS}, keys, 128, True)
    targets = np.asarray(drawing(jax.random.fold_in(keys[0], 0), TASK, LAWS, 128).targets).ravel()
    q = np.bincount(targets, minlength=2 * TASK.vocabulary) / targets.size
    sigma = np.linalg.svd(data.initial_gradient(q), compute_uv=False)
    assert found["value_gradient_largest"].item() == pytest.approx(sigma[0], rel=1e-5)
    assert found["value_gradient_bulk"].item() == pytest.approx(sigma[D // 2 - 1], rel=1e-4)
    assert not {"trigger_recall", "position_recall"} & found.keys()


def ladder(**model):
    """The configuration of the first rung, its model with changes."""
    given = merged("ladder")
    rung = given["experiments"]["ladder_built"]
    given["experiments"] = {"ladder_built": rung | {"model": rung["model"] | model}}
    given["figures"], given["only"] = {"formats": ["png"]}, ["ladder_built"]
    return parse(given, root=ROOT)


def test_the_first_rung_of_the_configuration_is_this_model():
    (cell, *_) = cells(ladder(), "ladder_built")
    found = cell.settings()["architecture"]
    assert found["attention"] == "built"
    for name in ("identity", "frozen", "zero"):
        assert tuple(found[name]) == getattr(ARCHITECTURE, name)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"normalise": True}, "model.normalise: must be false with attention: built"),
        ({"feed_forward": [1]}, "model.feed_forward: must be null with attention: built"),
        ({"zero": ["output_2"]}, "model.zero: 'output_2' is the identity"),
    ],
)
def test_what_is_no_linear_memory_is_told(model, message):
    with pytest.raises(ConfigError, match=message):
        ladder(**model)
