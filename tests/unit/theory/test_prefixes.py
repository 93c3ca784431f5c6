import numpy as np
import pytest

from spectral_capacity.theory.prefixes import robust_prefix, unbroken_prefix


def test_unbroken_prefix_against_draws():
    p = np.array([0.99, 0.9, 0.95, 0.5, 0.8, 0.1])
    drawn = np.random.default_rng(0).random((100_000, p.size)) < p
    lengths = np.where(drawn.all(axis=1), p.size, drawn.argmin(axis=1))
    assert unbroken_prefix(p) == pytest.approx(lengths.mean(), abs=0.02)


def test_robust_prefix_may_miss_a_few():
    assert robust_prefix(np.array([1.0, 0.0, 1.0, 1.0, 0.0]), 0.75) == 4
    assert robust_prefix(np.ones(7)) == 7
    assert robust_prefix(np.zeros(3)) == 0
