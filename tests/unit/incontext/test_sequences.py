"""Sequences hold each pair twice and nothing else that tells an output; only laws tell sequences apart."""

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral_capacity.backend import jax
from spectral_capacity.incontext.task import Laws, Task, draw
from spectral_capacity.sampling.frequencies import power_law

TASK = Task(vocabulary=7, length=15, pairs=3)
TIGHT = Task(vocabulary=3, length=12, pairs=3)
"""No room for noise, and every trigger in every sequence."""
N = 64


def laws(task, triggers=0.0, outputs=0.0, noise=0.0):
    p = (power_law(task.vocabulary, alpha) for alpha in (triggers, outputs, noise))
    return Laws(*(jnp.asarray(each, jnp.float32) for each in p))


@partial(jax.jit, static_argnums=(1, 3))
def draw_of_key(seed, task, given, n):
    return draw(jax.random.key(seed), task, given, n)


def drawn(seed, task, given, n=N):
    """(tokens, first, second, targets), as NumPy's."""
    found = draw_of_key(seed, task, given, n)
    return tuple(map(np.asarray, (*found, found.targets)))


def check(task, tokens, first, second, targets):
    """What holds of every sequence."""
    V, rows = task.vocabulary, np.arange(len(tokens))[:, None]
    assert tokens.shape == (len(tokens), task.length)
    assert first.shape == second.shape == targets.shape == (len(tokens), task.pairs)
    starts = np.sort(np.concatenate([first, second], axis=1), axis=1)
    assert (starts >= 0).all()
    assert (starts <= task.length - 2).all()
    assert (np.diff(starts, axis=1) >= 2).all(), "pairs overlap"
    assert (first < second).all()
    triggers, outputs = tokens[rows, first], tokens[rows, first + 1]
    np.testing.assert_array_equal(tokens[rows, second], triggers)
    np.testing.assert_array_equal(tokens[rows, second + 1], outputs)
    np.testing.assert_array_equal(targets, outputs)
    assert (triggers < V).all()
    assert ((outputs >= V) & (outputs < 2 * V)).all()
    assert (np.diff(np.sort(triggers, axis=1), axis=1) > 0).all(), "a trigger of two pairs"
    # All else is noise: outputs, never a trigger.
    is_noise = np.ones(tokens.shape, bool)
    for places in (first, second, first + 1, second + 1):
        is_noise[rows, places] = False
    assert (is_noise.sum(axis=1) == task.length - 4 * task.pairs).all()
    assert ((tokens[is_noise] >= V) & (tokens[is_noise] < 2 * V)).all()


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    task=st.sampled_from([TASK, TIGHT]),
    alphas=st.tuples(*[st.floats(0, 4)] * 3),
)
def test_each_pair_stands_twice_and_all_else_is_noise(seed, task, alphas):
    check(task, *drawn(seed, task, laws(task, *alphas)))


def test_items_of_probability_zero_are_never_drawn():
    only = jnp.asarray([0.0, 0.25, 0.0, 0.25, 0.5, 0.0, 0.0], jnp.float32)
    tokens, first, *_ = drawn(0, TASK, Laws(only, only, only), 2000)
    triggers = np.take_along_axis(tokens, first, axis=1)
    assert set(triggers.ravel()) == {1, 3, 4}
    assert set(tokens[tokens >= 7]) == {8, 10, 11}


@pytest.mark.parametrize("changed", ["triggers", "outputs", "noise"])
def test_sequences_of_one_key_differ_only_where_their_laws_do(changed):
    """The same places, and the same tokens in all that the changed law does not say."""
    one, other = (drawn(5, TASK, given) for given in (laws(TASK), laws(TASK, **{changed: 3.0})))
    for number in (1, 2):
        np.testing.assert_array_equal(one[number], other[number])
    (tokens, first, second, _), differ = one, one[0] != other[0]
    kind = np.full(tokens.shape, 2)
    for places in (first, second):
        np.put_along_axis(kind, places, 0, axis=1)
        np.put_along_axis(kind, places + 1, 1, axis=1)
    moved = [bool(differ[kind == number].any()) for number in range(3)]
    assert moved == [name == changed for name in ("triggers", "outputs", "noise")]


def test_fixed_triggers_are_the_most_frequent_in_every_sequence():
    task = Task(vocabulary=7, length=15, pairs=3, fixed_triggers=True)
    p = jnp.asarray([0.1, 0.3, 0.05, 0.2, 0.25, 0.05, 0.05], jnp.float32)
    found = drawn(1, task, laws(task)._replace(triggers=p))
    check(task, *found)
    triggers = np.take_along_axis(found[0], found[1], axis=1)
    assert {tuple(row) for row in triggers} == {(1, 4, 3)}
    assert len(np.unique(found[1], axis=0)) > N // 2


def test_other_keys_give_other_sequences_and_the_same_key_the_same():
    one, again, other = (drawn(seed, TASK, laws(TASK))[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert len(np.unique(one, axis=0)) == N
