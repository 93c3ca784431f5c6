"""What is drawn by lot has its probability to the last of 32 bits, near zero too."""

import numpy as np
import pytest

from spectral_capacity.backend import jax, jnp
from spectral_capacity.incontext.lots import FEW, bounds, different_items, items
from spectral_capacity.sampling.frequencies import power_law

ALL = 2**32


def lots(numbers):
    return jnp.asarray(np.asarray(numbers).astype(np.uint32))


def least(holds, n):
    """For each of n, the least lot at which ``holds``, by halves; 2^32 where there is none."""
    low, high = np.zeros(n, np.int64), np.full(n, ALL)
    for _ in range(33):
        middle = np.minimum((low + high) // 2, ALL - 1)
        true = np.asarray(holds(lots(middle))) & (low < high)
        low, high = np.where(true | (low == high), low, middle + 1), np.where(true, middle, high)
    assert (low == high).all()
    return low


@pytest.mark.parametrize("order", [1, -1])
def test_every_item_has_as_many_lots_as_its_probability_says(order):
    """In either order: with the rare ones next to zero, and next to 1."""
    p = power_law(1024, 2.0)[::order]
    assert p.min() < 6e-7
    ends = bounds(jnp.asarray(p, jnp.float32))
    ask = jax.jit(items)
    beyond = least(lambda lot: np.asarray(ask(ends, lot)) > np.arange(p.size), p.size)
    assert beyond[-1] == ALL
    np.testing.assert_allclose(np.diff(beyond, prepend=0) / ALL, p, rtol=1e-6, atol=2**-31)


@pytest.mark.parametrize("n", [5, FEW + 5])
def test_first_and_last_lots_are_those_of_items_with_a_probability(n):
    p = np.zeros(n)
    p[1:4] = 1e-9, 3.0, 1.0
    ends = bounds(jnp.asarray(p, jnp.float32))
    found = items(ends, lots([0, 2, 2**30, ALL - 1]))
    np.testing.assert_array_equal(found, [1, 2, 2, 3])


@pytest.mark.parametrize("rare", [1e-3, 6e-7, 3e-9])
def test_a_rare_item_is_first_as_often_as_its_probability_says(rare):
    """Of two: where its lot is one of the largest, so many as there are waiting times before the other's."""
    p = jnp.asarray([1 - rare, rare], jnp.float32)
    other = ((np.arange(101) + 0.5) / 101 * ALL).astype(np.int64)
    ask = jax.jit(different_items, static_argnums=2)

    def wins(lot):
        return np.asarray(ask(p, jnp.stack([lots(other), lot], axis=1), 1))[:, 0] == 1

    expected = -np.expm1(np.log(other / ALL) * rare / (1 - rare)) * ALL
    np.testing.assert_allclose(ALL - least(wins, 101), expected, rtol=1e-5, atol=1)
