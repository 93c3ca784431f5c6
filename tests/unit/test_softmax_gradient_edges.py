"""The softmax gradient of memories and weights at their limits."""

import numpy as np
import pytest

from spectral_capacity.memory.competitors import competitor_softmax
from spectral_capacity.sampling.frequencies import power_law
from tests.unit.softmax_references import (
    BAR,
    associations,
    embeddings,
    error,
    gradient,
    learnt,
    reference,
)


def test_an_empty_memory_has_the_initial_gradient():
    (U, V), q = embeddings(500, 16), power_law(500, 3.0)
    expected = associations(U, V).initial_gradient(q)
    found = gradient(np.zeros((16, 16)), U, V, q).matrix
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert error(found, expected) < 1e-11


def test_items_of_weight_zero_are_competitors_only():
    U, V = (part.copy() for part in embeddings(500, 16))
    q = np.zeros(500)
    q[[3, 7, 400]] = 0.5, 0.2, 0.3
    W = 5 * np.random.default_rng(0).standard_normal((16, 16)) / 4
    expected, _ = reference(W, U, V, q)
    U[q == 0] = np.nan  # they are not even looked at
    found = gradient(W, U, V, q)
    np.testing.assert_allclose(found.matrix, expected, rtol=1e-5, atol=1e-9)
    assert found.weights.size == found.softmax.target.size == 3


def test_no_weight_at_all():
    found = gradient(np.eye(16), *embeddings(500, 16), np.zeros(500))
    np.testing.assert_array_equal(found.matrix, np.zeros((16, 16)))
    assert found.weights.size == found.in_float64 == 0


@pytest.mark.parametrize("item", [0, 499])
def test_all_weight_on_one_item(item):
    U, V = embeddings(500, 16)
    W = learnt(U, V, np.array([1e-12])) if item == 0 else np.eye(16)
    q = np.eye(500)[item]
    expected, lost = reference(W, U, V, q)
    found = gradient(W, U, V, q)
    np.testing.assert_allclose(found.matrix, expected, rtol=0, atol=1e-6 * lost[item])
    assert np.linalg.matrix_rank(found.matrix, tol=1e-12 * np.abs(found.matrix).max()) == 1
    assert (lost[item] < 1.1e-12) == (item == 0)


@pytest.mark.parametrize("small", [1e-12, 1e-30, 1e-100])
def test_one_minus_pi_keeps_its_digits(small):
    U, V = embeddings(500, 16)
    W, q = learnt(U, V, np.array([small])), np.eye(500)[0]
    _, lost = reference(W, U, V, q)
    assert lost[0] == pytest.approx(small, rel=1e-6)
    found = gradient(W, U, V, q)
    np.testing.assert_allclose(found.weights, lost[:1], rtol=1e-4)
    np.testing.assert_allclose(found.softmax.losses, lost[:1], rtol=1e-4)
    one = competitor_softmax(W, associations(U, V), np.array([0]), means=True, precision="float64")
    np.testing.assert_allclose(one.losses, lost[:1], rtol=1e-11)


def test_duplicated_items():
    U, V = (part.copy() for part in embeddings(500, 16))
    U[[7, 9]], V[[7, 9]] = U[0], V[0]
    W, q = learnt(U, V, np.array([0.7])), power_law(500, 1.5)
    expected, lost = reference(W, U, V, q)
    assert error(gradient(W, U, V, q).matrix, expected) < BAR
    assert lost[0] == pytest.approx(0.7)  # no more than a third each


def test_what_is_not_finite_stays_so():
    (U, V), q = embeddings(500, 16), power_law(500, 1.5)
    for broken in (np.nan, np.inf, 1e200):
        found = gradient(np.diag(np.full(16, broken)), U, V, q)
        assert not np.isfinite(found.matrix).all()
        assert not found.softmax.is_finite
