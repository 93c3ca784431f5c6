"""How far down the ranks everything is recalled."""

import numpy as np
import pytest

from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.prefixes import robust_prefix

ITEMS = Items.of(power_law(3000, 1.5))
"""1,024 one by one, and blocks of the others."""


def falling(middle):
    """Probabilities that fall from one to zero around a rank."""
    return 1 / (1 + (ITEMS.rank / middle) ** 8)


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
