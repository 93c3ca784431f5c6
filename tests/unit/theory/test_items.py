import math

import numpy as np
import pytest
from scipy.special import zeta

from spectral_capacity.theory.items import Items

FUNCTIONS = {
    "mass": lambda p: p,
    "square": lambda p: p**2,
    "saturating": lambda p: 3e5 * p / (1 + 3e5 * p),
    "saturating square": lambda p: (3e4 * p) ** 2 / (1 + (3e4 * p) ** 2),
}


def law(n, alpha):
    p = np.arange(1, n + 1.0) ** -alpha
    return p / p.sum()


@pytest.mark.parametrize("alpha", [0.0, 1.25, 3.0])
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_sums_over_few_nodes_are_the_sums_over_all_items(name, alpha):
    p, f = law(300_000, alpha), FUNCTIONS[name]
    for items in (Items.of(p), Items.power_law(alpha, 3e5)):
        assert items.p.size < 3000
        assert items.number == pytest.approx(300_000)
        assert items.sum(f(items.p)) == pytest.approx(f(p).sum(), rel=2e-5)


def test_items_of_a_short_list_are_the_list():
    p = law(50, 1.5)
    for items in (Items.of(p), Items.power_law(1.5, 50.0)):
        np.testing.assert_allclose(items.p, p)
        np.testing.assert_allclose(items.weight, 1)
        np.testing.assert_allclose(items.rank, np.arange(1, 51))


@pytest.mark.parametrize("alpha", [1.25, 1.5, 3.0])
def test_items_without_end(alpha):
    items = Items.power_law(alpha)
    assert math.isinf(items.number)
    assert items.sum(items.p) == pytest.approx(1, rel=1e-8)
    assert items.sum(items.p**2) == pytest.approx(zeta(2 * alpha) / zeta(alpha) ** 2, rel=1e-9)
    # Σ h p/(1 + h p) → (h/ζ)^(1/α) (π/α)/sin(π/α), less half an item of the sum at rank 0.
    h = 1e12
    limit = (h / zeta(alpha)) ** (1 / alpha) * (math.pi / alpha) / math.sin(math.pi / alpha) - 0.5
    assert items.sum(h * items.p / (1 + h * items.p)) == pytest.approx(limit, rel=1e-7)


def test_functions_at_every_rank():
    p = law(20_000, 1.5)
    items = Items.of(p)
    np.testing.assert_allclose(items.at_ranks(items.p, np.arange(1, 20_001.0)), p, rtol=1e-2)


@pytest.mark.parametrize("p", [[0.4, 0.6], [0.5, math.nan], [0.5, -0.5], []])
def test_frequencies_that_are_none(p):
    with pytest.raises(ValueError, match="not increasing"):
        Items.of(np.array(p))


def test_items_without_end_have_a_sum():
    with pytest.raises(ValueError, match=r"alpha is 1\.0; must be above 1"):
        Items.power_law(1.0)
