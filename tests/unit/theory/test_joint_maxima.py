"""Maxima drawn by their few points against maxima over all competitors."""

import numpy as np
import pytest

from spectral_capacity.theory.joint_maxima import JointMaxima, correlation


@pytest.mark.parametrize("between", [0.3, 0.9])
def test_maxima_have_the_law_of_those_over_all_competitors(between):
    number, draws, times = 2000, 4000, 3
    wanted = between ** np.abs(np.subtract.outer(np.arange(times), np.arange(times)))
    maxima = JointMaxima(number, draws, np.random.default_rng(0))
    found = np.array([maxima.next(wanted[: t + 1, : t + 1]) for t in range(times)])
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(wanted)
    direct = np.array(
        [(rng.standard_normal((number, times)) @ root.T).max(axis=0) for _ in range(1500)]
    ).T
    np.testing.assert_allclose(found.mean(axis=1), direct.mean(axis=1), atol=0.035)
    np.testing.assert_allclose(found.std(axis=1), direct.std(axis=1), atol=0.03)
    np.testing.assert_allclose(np.corrcoef(found), np.corrcoef(direct), atol=0.1)


def test_a_time_that_repeats_the_last_has_the_same_maxima():
    maxima = JointMaxima(10**6, 500, np.random.default_rng(0))
    first = maxima.next(np.ones((1, 1)))
    np.testing.assert_allclose(maxima.next(np.ones((2, 2))), first, atol=1e-3)


def test_correlation_of_covariances():
    root = np.array([[2.0, 0.0], [1.0, 3.0]])
    found = correlation(root @ root.T)
    np.testing.assert_allclose(np.diagonal(found), 1)
    assert found[0, 1] == pytest.approx(1 / np.sqrt(10))
