"""How accurate the softmax gradient is, and how little of it is done in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral_capacity.memory import softmax_gradient as softmaxgradient
from spectral_capacity.sampling.frequencies import power_law
from tests import oracle
from tests.unit.softmax_references import (
    BAR,
    associations,
    embeddings,
    error,
    gradient,
    learnt,
    reference,
)


def test_the_reference_equals_the_oracle():
    U, V = embeddings(200, 8)
    W, q = 3 * np.random.default_rng(0).standard_normal((8, 8)), power_law(200, 1.5)
    expected = oracle.gradient(W, U, V, q)
    np.testing.assert_allclose(reference(W, U, V, q)[0], expected, rtol=1e-10, atol=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [1.25, 1.5, 3.0])
@pytest.mark.parametrize(("n", "d"), [(500, 16), (1500, 48)])
def test_learnt_items_at_the_head(n, d, alpha):
    """1 − π_ii of the first items over ten decades, against a full float64 gradient."""
    (U, V), q = embeddings(n, d), power_law(n, alpha)
    for m, noise in ((d // 4, 0.0), (d // 2, 0.5)):
        wanted = np.geomspace(1e-2, 1e-12, m)
        W = learnt(U, V, wanted, noise)
        expected, lost = reference(W, U, V, q)
        if d == 48:
            np.testing.assert_allclose(lost[:m], wanted, rtol=1e-6)
        found = gradient(W, U, V, q)
        assert error(found.matrix, expected) < BAR
        np.testing.assert_allclose(found.weights, q * lost, rtol=1e-4)
        assert found.in_float64 < 0.1 * n


@settings(max_examples=25, deadline=None)
@given(
    alpha=st.sampled_from([1.25, 1.5, 3.0]),
    size=st.floats(-2, 2.3).map(lambda x: 10**x),
    batch=st.sampled_from([None, 3, 40, 1000]),
    seed=st.integers(0, 10**6),
)
def test_any_memory_and_batch(alpha, size, batch, seed):
    """Logits up to several hundred; batches of a few distinct items."""
    rng = np.random.default_rng(seed)
    (U, V), q = embeddings(500, 16), power_law(500, alpha)
    if batch:
        q = rng.multinomial(batch, q) / batch
    W = size * rng.standard_normal((16, 16)) / 4
    expected, lost = reference(W, U, V, q)
    found = gradient(W, U, V, q)
    np.testing.assert_allclose(found.weights, (q * lost)[q > 0], rtol=3e-3)
    # Items whose weights span more than float64 resolves leave no bulk to compare with.
    spread = np.sort(found.weights)[::-1][:16]
    if spread[-1] > 1e-9 * spread[0]:
        assert error(found.matrix, expected, np.count_nonzero(q)) < BAR
    np.testing.assert_allclose(found.matrix, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize(("n", "d", "alpha", "kappa"), [(1500, 48, 1.5, 4.0), (1000, 64, 3.0, 4.0)])
def test_outputs_of_a_steep_spectrum(n, d, alpha, kappa):
    """The bulk singular value falls with that of the outputs."""
    (U, V), q = embeddings(n, d), power_law(n, alpha)
    scale = np.arange(1, d + 1) ** (-kappa / 2)
    V = (V * scale * np.sqrt(d / (scale**2).sum())).astype(np.float32)
    W = np.sqrt(d) * oracle.polar(associations(U, V).initial_gradient(q))
    assert error(gradient(W, U, V, q).matrix, reference(W, U, V, q)[0]) < BAR


@pytest.mark.slow
@pytest.mark.parametrize("rank", [16, 15, 8])
def test_outputs_of_low_rank_need_few_items_in_float64(rank):
    n, d = 1500, 32
    (U, _), q, rng = embeddings(n, d), power_law(n, 1.5), np.random.default_rng(0)
    V = np.round(32 * rng.standard_normal((n, rank))) @ rng.choice([-1.0, 1.0], (rank, d)) / 512
    V = V.astype(np.float32)
    W = np.sqrt(d) * oracle.polar(associations(U, V).initial_gradient(q))
    found, expected = gradient(W, U, V, q), reference(W, U, V, q)[0]
    bulk = np.linalg.svd(expected, compute_uv=False)[rank // 2 - 1]
    assert np.linalg.norm(found.matrix - expected, 2) < BAR * bulk
    assert found.in_float64 < 0.1 * n


@pytest.mark.slow
def test_the_smallest_singular_value_is_resolved():
    """One direction of the outputs is so weak that the tolerance of the bulk would bury it."""
    n, d = 1500, 32
    (U, V), q = embeddings(n, d), power_law(n, 1.5)
    V = V * np.append(np.ones(d - 1), 3e-5).astype(np.float32)
    W = np.sqrt(d) * oracle.polar(associations(U, V).initial_gradient(q))
    found, expected = gradient(W, U, V, q), reference(W, U, V, q)[0]
    sigma = np.linalg.svd(expected, compute_uv=False)
    assert sigma[-1] < softmaxgradient.TOLERANCE * sigma[d // 2 - 1]
    assert found.error <= sigma[-1] / 2
    least = np.linalg.svd(found.matrix, compute_uv=False)[-1]
    assert least == pytest.approx(sigma[-1], rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "kappa"), [(1.5, 0.0), (3.0, 2.0)])
def test_few_items_are_done_in_float64(alpha, kappa):
    """Along a run of Muon; float32 alone would err by up to 0.1 with the steeper of the two."""
    n, d = 1500, 48
    (U, V), q = embeddings(n, d), power_law(n, alpha)
    scale = np.arange(1, d + 1) ** (-kappa / 2)
    V = (V * scale * np.sqrt(d / (scale**2).sum())).astype(np.float32)
    G, W = associations(U, V).initial_gradient(q), np.zeros((d, d))
    for _ in range(4):
        W += np.sqrt(d) * oracle.polar(G)
        found = gradient(W, U, V, q)
        G, softmax = found.matrix, found.softmax
        expected, lost = reference(W, U, V, q)
        assert error(G, expected) < BAR
        assert found.in_float64 < 0.03 * n
        if kappa:
            assert found.in_float64 > 0
            worst = np.argmax(found.weights * softmax.bound)
            assert softmax.losses[worst] == pytest.approx(-np.log1p(-lost[worst]), rel=1e-11)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_follows_permutations_and_rotations(seed):
    """Of the items, of the u's and of the v's; rotations that are exact in floating point."""
    rng = np.random.default_rng(seed)
    (U, V), q = embeddings(500, 16), power_law(500, 1.5)
    W = 4 * rng.standard_normal((16, 16)) / 4
    G = gradient(W, U, V, q).matrix
    order = rng.permutation(500)
    assert error(gradient(W, U[order], V[order], q[order]).matrix, G) < BAR
    P, Q = (np.diag(rng.choice([-1.0, 1.0], 16))[rng.permutation(16)] for _ in "PQ")
    turned = gradient(Q @ W @ P.T, U @ P.T.astype(np.float32), V @ Q.T.astype(np.float32), q)
    assert error(Q.T @ turned.matrix @ P, G) < BAR
