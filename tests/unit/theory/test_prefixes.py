"""How far down the ranks everything is recalled."""

import numpy as np
import pytest

from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.prefixes import robust_prefix, unbroken_prefix

ITEMS = Items.of(power_law(3000, 1.5))
"""1,024 one by one, and blocks of the others."""


def falling(middle):
    """Probabilities that fall from one to zero around a rank."""
    return 1 / (1 + (ITEMS.rank / middle) ** 8)


def test_an_unbroken_prefix_is_that_of_draws():
    P = ITEMS.at_ranks(falling(40.0), np.arange(1.0, 3001))
    lost = np.random.default_rng(0).random((4000, 3000)) > P
    assert unbroken_prefix(ITEMS, falling(40.0)) == pytest.approx(
        lost.argmax(axis=1).mean(), rel=0.02
    )


def test_an_unbroken_prefix_goes_on_into_blocks():
    certain = np.where(ITEMS.rank < 2000, 1.0, 0.0)
    assert unbroken_prefix(ITEMS, certain) == pytest.approx(2000, rel=0.01)


@pytest.mark.parametrize("middle", [40.0, 1800.0])
def test_a_robust_prefix_is_where_the_expected_share_falls_below(middle):
    P = ITEMS.at_ranks(falling(middle), np.arange(1.0, 3001))
    shares = np.cumsum(P) / np.arange(1, 3001)
    expected = np.flatnonzero(shares >= 0.95)[-1] + 1
    assert robust_prefix(ITEMS, falling(middle)) == pytest.approx(expected, rel=0.01, abs=1)


def test_a_robust_prefix_may_miss_a_few_and_has_ends():
    every = np.ones(ITEMS.p.size)
    few_lost = np.where((ITEMS.rank > 10) & (ITEMS.rank < 20), 0.0, every)
    assert robust_prefix(ITEMS, every) == 3000
    assert robust_prefix(ITEMS, few_lost) == 3000
    assert robust_prefix(ITEMS, 0 * every) == 0
    assert robust_prefix(ITEMS, np.where(ITEMS.rank < 10, 0.0, every), share=1.0) == 0
