import math

import numpy as np
import pytest
from scipy.stats import norm

from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory import predictions as theory


def test_linear_response_capacity_is_the_sum_of_recovery_probabilities():
    p = power_law(500, 1.5)
    expected = theory.recovery_probability(20 * p / 0.05, 499).sum()
    assert theory.linear_response_capacity(p, 20.0, 0.05) == pytest.approx(expected)
    assert theory.linear_response_capacity(p, 1e9, 0.05) == pytest.approx(500)


def test_recovery_probability_against_quadrature_and_chance():
    n = 999
    x = np.array([0.0, 1.0, 3.0, 5.0, 9.0])
    g = np.linspace(-9, 9, 20001)
    weight = norm.pdf(g) * (g[1] - g[0])
    direct = [(weight * norm.cdf(v + g) ** n).sum() for v in x]
    np.testing.assert_allclose(theory.recovery_probability(x, n), direct, atol=2e-4)
    assert theory.recovery_probability(x[:1], n)[0] == pytest.approx(1 / (n + 1), rel=0.02)


def test_ceiling_against_reference_values():
    # Prefactors of d² found by integrating the extreme-value law: 0.0495 and 0.0455.
    assert theory.ceiling(100_000, 100) == pytest.approx(495, rel=0.01)
    assert theory.ceiling(250_000, 100) == pytest.approx(455, rel=0.01)


def test_expected_maximum_of_one_two_and_three_normals():
    assert theory.expected_maximum(1) == pytest.approx(0, abs=1e-9)
    assert theory.expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert theory.expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi))


def test_power_law():
    p = power_law(4, 2.0)
    np.testing.assert_allclose(p * (1 + 1 / 4 + 1 / 9 + 1 / 16), [1, 1 / 4, 1 / 9, 1 / 16])
    np.testing.assert_allclose(power_law(5, 0.0), 0.2)


def test_items_seen_and_the_batch_that_shows_them():
    p = power_law(300, 1.5)
    rng = np.random.default_rng(0)
    seen = [np.unique(rng.choice(300, 200, p=p)).size for _ in range(400)]
    assert theory.items_seen(p, 200.0) == pytest.approx(np.mean(seen), rel=0.02)
    assert theory.items_seen(p, theory.critical_batch_size(p, 77.0)) == pytest.approx(77.0)
    assert math.isnan(theory.critical_batch_size(p, 0.3))
    assert math.isnan(theory.critical_batch_size(p, 300.0))
