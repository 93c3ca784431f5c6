import math

import numpy as np
import pytest
from scipy.stats import norm

from spectral_capacity import theory
from spectral_capacity.frequencies import power_law
from spectral_capacity.spectral import spike_slope


def test_exponents():
    assert theory.muon_exponent(1.5) == pytest.approx(4 / 3)
    assert theory.gradient_exponent(1.5) == pytest.approx(1 / 3)
    assert theory.bulk_exponent(1.5) == -1.5


def test_spike_slope_is_the_derivative_of_the_polar_factor():
    # Mean over random (u, v) of d/dt vᵀ polar(G + t v uᵀ) u, by central differences.
    d, t = 20, 1e-6
    rng = np.random.default_rng(0)
    G = rng.standard_normal((d, d))
    sigma = np.linalg.svd(G, compute_uv=False)

    def polar(M):
        A, _, B = np.linalg.svd(M)
        return A @ B

    slopes = []
    for _ in range(4000):
        u, v = rng.standard_normal((2, d)) / math.sqrt(d)
        change = polar(G + t * np.outer(v, u)) - polar(G - t * np.outer(v, u))
        slopes.append(v @ change @ u / (2 * t))
    error = np.std(slopes) / math.sqrt(len(slopes))
    assert np.mean(slopes) == pytest.approx(spike_slope(sigma, d), abs=4 * error)
    assert error < 0.02 * np.mean(slopes)


def test_anisotropic_spike_slope_is_the_derivative_too():
    d, t = 12, 1e-6
    rng = np.random.default_rng(0)
    G = rng.standard_normal((d, d))
    variances = np.arange(1, d + 1.0) ** -1
    variances /= variances.sum()
    A, sigma, _ = np.linalg.svd(G)
    slopes = []
    for _ in range(4000):
        u = rng.standard_normal(d) / math.sqrt(d)
        v = rng.standard_normal(d) * np.sqrt(variances)
        plus, minus = (np.linalg.svd(G + s * t * np.outer(v, u)) for s in (1, -1))
        change = plus[0] @ plus[2] - minus[0] @ minus[2]
        slopes.append(v @ change @ u / (2 * t))
    expected = spike_slope(sigma, d, variances @ A**2)
    assert np.mean(slopes) == pytest.approx(expected, abs=4 * np.std(slopes) / math.sqrt(4000))


def test_spike_slope_of_nothing_is_missing():
    assert math.isnan(spike_slope(np.array([]), 4))


def test_recovery_probability_against_quadrature_and_chance():
    n = 999
    x = np.array([0.0, 1.0, 3.0, 5.0, 9.0])
    g = np.linspace(-9, 9, 20001)
    weight = norm.pdf(g) * (g[1] - g[0])
    direct = [(weight * norm.cdf(v + g) ** n).sum() for v in x]
    np.testing.assert_allclose(theory.recovery_probability(x, n), direct, atol=2e-4)
    assert theory.recovery_probability(x[:1], n)[0] == pytest.approx(1 / (n + 1), rel=0.02)


def test_gradient_capacity_against_the_sum_written_out():
    n, d = 60, 16
    p = power_law(n, 1.5)
    tau = math.sqrt((p**2).sum()) / d
    spread = np.sqrt(p**2 / d + tau**2)
    g = np.linspace(-9, 9, 4001)
    weight = norm.pdf(g) * (g[1] - g[0])
    expected = 0.0
    for i in range(n):
        z = (p[i] + tau * g)[:, None] / spread
        expected += (weight * np.exp(np.delete(norm.logcdf(z), i, axis=1).sum(axis=1))).sum()
    assert theory.gradient_capacity(p, d) == pytest.approx(expected, rel=0.01)


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
