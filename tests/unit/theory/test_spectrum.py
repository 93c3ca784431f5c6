import math

import numpy as np
import pytest

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.muon_step import largest_m
from spectral_capacity.theory.spectrum import density_at_zero, singular_values, spectral_density
from tests.unit.theory.simulated import draw, law


@pytest.mark.parametrize("alpha", [1.5, 3.0])
def test_bulk_against_singular_value_decompositions(alpha):
    n, d = 4000, 64
    p = law(n, alpha)
    logs = []
    for seed in range(10):
        U, V = draw(n, d, seed)
        logs.append(np.log(np.linalg.svd((V.T * p) @ U, compute_uv=False)))
    ranks = np.array([16.0, 32.0, 48.0, 56.0])
    expected = np.exp(np.mean(logs, axis=0))[ranks.astype(int) - 1]
    np.testing.assert_allclose(singular_values(Items.of(p), d, ranks), expected, rtol=0.07)


def test_ranks_beyond_the_bulk_have_none():
    assert np.isnan(singular_values(Items.of(law(1000, 1.5)), 64, np.array([1.0, 64.0]))).all()


def test_density_reaches_its_edge():
    items, d = Items.of(law(4000, 1.5)), 64
    omega, density = spectral_density(items, d)
    assert density[-1] == pytest.approx(density_at_zero(items, d), rel=1e-3)
    assert -np.trapezoid(density, omega) == pytest.approx(1, abs=0.03)


def test_equal_items_are_a_gaussian_matrix():
    # Many equal items: entries of variance 1/(n d²), a quarter circle of radius 2/√(n d).
    n, d = 10**6, 50
    items = Items.power_law(0.0, float(n))
    omega, density = spectral_density(items, d)
    radius = 2 / math.sqrt(n * d)
    inside = omega < 0.95 * radius
    circle = 4 / (math.pi * radius**2) * np.sqrt(radius**2 - omega[inside] ** 2)
    np.testing.assert_allclose(density[inside], circle, rtol=0.02)
    assert largest_m(items, d) == pytest.approx(2 / radius, rel=1e-3)


def test_fewer_items_than_dimensions_have_no_bulk():
    with pytest.raises(ValueError, match="30 items do not span 64 dimensions"):
        spectral_density(Items.of(law(30, 1.5)), 64)
