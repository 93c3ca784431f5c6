import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral_capacity.memory.recall import TILE, Recall, recall
from tests import oracle

SHAPES = [(1, 2), (2, 5), (3, 2), (17, 12), (24, 6), (60, 5), (80, 12), (90, 6)]
"""n and d. Few, and shared by the tests: every new one is compiled."""


def memory(n, d, seed, correlation=1.0):
    """Embeddings, and a W that recalls some of them."""
    rng = np.random.default_rng(seed)
    U, V = (rng.standard_normal((2, n, d)) / np.sqrt(d)).astype(np.float32)
    weights = np.arange(1, n + 1) ** -correlation
    return (V * weights[:, None]).T.astype(np.float64) @ U, U, V


def check(W, U, V, **blocks):
    found = recall(W, jnp.asarray(U), jnp.asarray(V), **blocks)
    np.testing.assert_array_equal(found.recovered, oracle.recovered(W, U, V))
    return found


@settings(max_examples=40, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 10**6),
    correlation=st.floats(0, 3),
)
def test_equals_the_oracle(shape, seed, correlation):
    check(*memory(*shape, seed, correlation))


@pytest.mark.parametrize(
    ("row_block", "head", "tile"),
    [(1, 7, (3, 64)), (16, 1, (128, 13)), (90, 128, (7, 1)), (4096, 7, TILE["gpu"])],
)
def test_does_not_depend_on_blocks(row_block, head, tile):
    for seed in range(3):
        W, U, V = memory(90, 6, seed)
        other = check(W, U, V, row_block=row_block, head=head, tile=tile)
        assert other.near_ties == check(W, U, V).near_ties


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_follows_a_permutation_of_the_items(seed):
    W, U, V = memory(60, 5, seed)
    order = np.random.default_rng(seed).permutation(60)
    found = recall(W, jnp.asarray(U[order]), jnp.asarray(V[order]))
    np.testing.assert_array_equal(found.recovered, check(W, U, V).recovered[order])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), power=st.integers(-300, 300))
def test_knows_no_scale(seed, power):
    W, U, V = memory(60, 5, seed)
    scaled = recall(W * 2.0**power, jnp.asarray(U), jnp.asarray(V))
    np.testing.assert_array_equal(scaled.recovered, check(W, U, V).recovered)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_follows_rotations_that_are_exact_in_floating_point(seed):
    W, U, V = memory(60, 6, seed)
    rng = np.random.default_rng(seed)
    P, Q = (np.diag(rng.choice([-1.0, 1.0], 6))[rng.permutation(6)] for _ in "PQ")
    turned = recall(
        Q @ W @ P.T,
        jnp.asarray((U @ P.T).astype(np.float32)),
        jnp.asarray((V @ Q.T).astype(np.float32)),
    )
    np.testing.assert_array_equal(turned.recovered, check(W, U, V).recovered)


def test_duplicated_items_tie_and_are_not_recovered():
    W, U, V = memory(80, 12, 1)
    item, *_ = np.flatnonzero(check(W, U, V).recovered)
    U[79], V[79] = U[item], V[item]
    found = check(W, U, V)
    assert not found.recovered[[item, 79]].any()
    assert found.near_ties >= 1


def test_a_shared_output_embedding_ties_too():
    W, U, V = memory(80, 12, 1)
    item, *_ = np.flatnonzero(check(W, U, V).recovered)
    V[79] = V[item]
    assert not check(W, U, V).recovered[item]


def test_zero_memory_recalls_nothing(draws):
    U, V = map(jnp.asarray, draws(30, 4))
    assert recall(np.zeros((4, 4)), U, V).capacity == 0


def test_a_single_item_has_no_competitor(draws):
    U, V = map(jnp.asarray, draws(1, 4))
    assert recall(np.zeros((4, 4)), U, V).capacity == 1


def test_equal_outputs_recall_nothing(draws):
    U, V = draws(30, 4)
    V[:] = V[0]
    assert recall(np.eye(4), jnp.asarray(U), jnp.asarray(V)).capacity == 0


def test_near_ties_are_decided_in_float64():
    # Competitors one float32 step away from each item: float32 logits cannot tell them apart.
    W, U, V = memory(40, 8, 3)
    alone = check(W, U, V)
    rng = np.random.default_rng(0)
    close = np.nextafter(V, rng.choice([-np.inf, np.inf], V.shape).astype(np.float32))
    U, V = np.concatenate([U, U]), np.concatenate([V, close])
    found = check(W, U, V)
    assert alone.near_ties == 0
    assert found.near_ties == 2 * alone.capacity > 0
    assert found.capacity == alone.capacity  # of each pair, the better one


def test_a_memory_that_is_not_finite_is_an_error(draws):
    U, V = map(jnp.asarray, draws(30, 4))
    W = np.eye(4)
    W[1, 2] = np.nan
    with pytest.raises(FloatingPointError, match="not finite"):
        recall(W, U, V)


def test_counts():
    p = np.array([0.4, 0.3, 0.2, 0.1])
    some = Recall(np.array([True, True, False, True]), 0)
    assert (some.capacity, some.prefix_capacity) == (3, 2)
    assert some.mass(p) == pytest.approx(0.8)
    assert Recall(np.ones(4, bool), 0).prefix_capacity == 4
    assert Recall(np.zeros(4, bool), 0).prefix_capacity == 0


def test_a_robust_prefix_overlooks_single_misses():
    one_miss = np.ones(40, bool)
    one_miss[9] = False
    assert Recall(one_miss, 0).prefix_capacity == 9
    assert Recall(one_miss, 0).robust_prefix(0.95) == 40  # 39 of 40
    assert Recall(one_miss, 0).robust_prefix(1.0) == 9
    assert Recall(one_miss[:19], 0).robust_prefix(0.95) == 9  # 18 of 19 are too few
    assert Recall(one_miss[:20], 0).robust_prefix(0.95) == 20
    assert Recall(~one_miss, 0).robust_prefix(0.95) == 0
    head_lost = np.arange(100) > 50  # a count of 49, and nothing that a theorem speaks of
    assert Recall(head_lost, 0).robust_prefix(0.5) == 0
    assert Recall(~head_lost, 0).robust_prefix(0.5) == 100
    assert Recall(head_lost, 0).head_recall(60) == 9 / 60
    assert Recall(head_lost, 0).head_recall(1000) == 49 / 100


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_exact_ties_of_integer_embeddings_are_not_recovered(seed):
    rng = np.random.default_rng(seed)
    U = rng.choice([-1, 1], (24, 6)).astype(np.float32)
    V = rng.choice([-1, 0, 1], (24, 6)).astype(np.float32)
    check(V.T.astype(np.float64) @ U, U, V)


@pytest.mark.parametrize("u", [1e-20, 1.0, 1e30])
@pytest.mark.parametrize("v", [1e-20, 1.0, 1e30])
def test_embeddings_beyond_the_range_of_float32_squares(u, v):
    W, U, V = memory(40, 8, 3)
    close = np.nextafter(V, np.float32(np.inf))
    U, V = np.concatenate([U, U]), np.concatenate([V, close])
    check(W, (U * np.float32(u)).astype(np.float32), (V * np.float32(v)).astype(np.float32))
