"""The model beside a slow one in NumPy that asks everywhere, and its gradient beside finite differences."""

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest

from spectral_capacity.backend import jax
from spectral_capacity.incontext.model import Architecture, Transformer, initialise
from spectral_capacity.incontext.names import PARAMETERS
from spectral_capacity.incontext.task import Task
from spectral_capacity.incontext.training import loss
from tests.unit.incontext import models
from tests.unit.incontext.test_sequences import draw_of_key, laws

TASK = Task(vocabulary=3, length=10, pairs=2)
OPTIONS = {
    "plain": {},
    "tied_with_feed_forward": {"tied": True, "feed_forward": (1, 2), "widening": 3},
    "feed_forward_in_layer_2": {"feed_forward": (2,), "zero": ("value_2", "key_1")},
    "birth": {
        "normalise": False,
        "identity": ("query_1", "query_2"),
        "frozen": ("embedding", "positions", "value_1", "output_1", "value_2"),
    },
}


@pytest.fixture(params=OPTIONS)
def architecture(request):
    return Architecture(TASK.vocabulary, TASK.length, d=4, **OPTIONS[request.param])


drawn_model = jax.jit(
    lambda seed, architecture: initialise(jax.random.key(seed), architecture, jnp.float64),
    static_argnums=1,
)


def model_of(architecture, seed=0):
    """In float64; and what of it NumPy has."""
    model = drawn_model(seed, architecture)
    return model, {name: np.asarray(value) for name, value in model.parameters.items()}


def some_sequences(n=2):
    return draw_of_key(1, TASK, laws(TASK), n)


called = jax.jit(lambda model, tokens, at: model(tokens, at))


@partial(jax.jit, static_argnums=1)
def gradient_of(parameters, architecture, sequences):
    def of(parameters):
        return loss(Transformer(parameters, architecture), sequences)

    return jax.value_and_grad(of)(parameters)


def test_logits_and_attention_are_those_of_the_slow_model(architecture):
    sequences, (model, W) = some_sequences(), model_of(architecture)
    seen = called(model, sequences.tokens, sequences.second)
    tokens, at = np.asarray(sequences.tokens), np.asarray(sequences.second)[:, :, None]
    logits, first, second = models.forward(W, tokens, architecture.normalise)
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(seen.logits, np.take_along_axis(logits, at, axis=1), **close)
    np.testing.assert_allclose(seen.attention_1, first, **close)
    np.testing.assert_allclose(seen.attention_2, np.take_along_axis(second, at, axis=1), **close)


def test_the_gradient_is_that_of_a_model_that_asks_everywhere(architecture):
    """By central differences of the slow model's loss, along a direction for each parameter."""
    sequences, (model, W) = some_sequences(), model_of(architecture)
    value, gradient = gradient_of(model.parameters, architecture, sequences)
    np.testing.assert_allclose(value, models.loss(W, sequences, architecture.normalise), rtol=1e-12)
    rng, h = np.random.default_rng(0), 1e-5
    for name in W:
        step = rng.standard_normal(W[name].shape)
        up, down = (
            models.loss(W | {name: W[name] + s * step}, sequences, architecture.normalise)
            for s in (h, -h)
        )
        slope = float((np.asarray(gradient[name]) * step).sum())
        np.testing.assert_allclose(slope, (up - down) / (2 * h), rtol=1e-5, atol=1e-8, err_msg=name)


def test_nothing_is_seen_of_what_comes_later():
    """Positions in any order, one of them twice; tokens behind each are exchanged."""
    architecture = Architecture(TASK.vocabulary, TASK.length, d=4, feed_forward=(1, 2))
    model, _ = model_of(architecture)
    tokens = np.array(some_sequences().tokens)[:1]
    at = np.array([[7, 2, 2, 0]], np.int32)

    def logits_at(tokens):
        return np.asarray(called(model, tokens, at).logits)[0]

    logits = logits_at(tokens)
    np.testing.assert_array_equal(logits[1], logits[2])
    for k, q in enumerate(at[0]):
        later = tokens.copy()
        later[0, q + 1 :] = (later[0, q + 1 :] + 1) % 6
        np.testing.assert_allclose(logits_at(later)[k], logits[k], rtol=1e-12)
        changed = tokens.copy()
        changed[0, q] = (changed[0, q] + 1) % 6
        assert np.abs(logits_at(changed)[k] - logits[k]).max() > 0.1


def test_scores_of_any_size_leave_no_nan():
    """Without norms a diverging model has scores of thousands, long before it has infinities."""
    architecture = Architecture(TASK.vocabulary, TASK.length, d=4, normalise=False)
    model, _ = model_of(architecture)
    large = {name: 100 * value for name, value in model.parameters.items()}
    sequences = some_sequences()
    _, gradient = gradient_of(large, architecture, sequences)
    assert all(np.isfinite(np.asarray(value)).all() for value in gradient.values())


def test_parameters_are_drawn_as_stated_each_from_its_own_stream():
    full = Architecture(200, 128, 64, feed_forward=(1, 2), tied=False)
    drawn = initialise(jax.random.key(0), full).parameters
    assert tuple(drawn) == PARAMETERS
    for name, value in drawn.items():
        fan_in = 1 if name in ("embedding", "positions") else value.shape[1]
        sample = np.asarray(value, float) * np.sqrt(fan_in)
        n = sample.size
        assert abs(sample.mean()) < 5 / np.sqrt(n), name
        assert abs(sample.var() - 1) < 5 * np.sqrt(2 / n), name
    # Different parameters are different draws, and leaving one out changes no other.
    assert abs(np.corrcoef(drawn["query_1"].ravel(), drawn["key_1"].ravel())[0, 1]) < 0.1
    less = initialise(jax.random.key(0), Architecture(200, 128, 64, tied=True)).parameters
    assert {"unembedding", "widen_1", "narrow_2"}.isdisjoint(less)
    for name, value in less.items():
        np.testing.assert_array_equal(value, drawn[name])


def test_what_is_the_identity_zero_tied_or_frozen():
    architecture = Architecture(
        3, 10, 4, tied=True, identity=("query_1",), zero=("value_2",), frozen=("key_1", "positions")
    )
    model = initialise(jax.random.key(0), architecture)
    np.testing.assert_array_equal(model.parameters["query_1"], np.eye(4))
    np.testing.assert_array_equal(model.parameters["value_2"], np.zeros((4, 4)))
    np.testing.assert_array_equal(model.unembedding, model.parameters["embedding"])
    left = set(architecture.shapes) - set(architecture.trained)
    assert left == {"query_1", "key_1", "positions"}
    assert "unembedding" not in architecture.shapes
