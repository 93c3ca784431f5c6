import math

import numpy as np
import pytest

from tests.unit.theory.polar_update import PolarUpdate
from tests.unit.theory.simulated import draw, gradient, law


def test_update_of_a_polar_factor_against_its_decomposition():
    G = gradient(*draw(4000, 24, 0), law(4000, 1.5))
    left, sigma, right = np.linalg.svd(G)
    u, v = np.random.default_rng(1).standard_normal((2, 5, 24)) / math.sqrt(24)
    update = PolarUpdate(sigma, v @ left, u @ right.T)
    for p in (0.0, 1e-3, 0.05, 2.0):
        a, _, b = zip(*(np.linalg.svd(G + p * np.outer(v[i], u[i])) for i in range(5)), strict=True)
        expected = np.array([a[i] @ (b[i] @ u[i]) for i in range(5)])
        np.testing.assert_allclose(update.output(p) @ left.T, expected, atol=2e-4)


def test_a_gradient_with_a_null_direction_has_no_polar_update():
    with pytest.raises(ValueError, match="full rank"):
        PolarUpdate(np.array([1.0, 0.0]), np.ones((1, 2)), np.ones((1, 2)))
