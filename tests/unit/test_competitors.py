import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from spectral_capacity.backend import computing, jax
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.chunks import chunks
from spectral_capacity.memory.competitors import (
    MEMORY_BUDGET,
    _program,
    competitor_softmax,
    tile_shape,
)
from spectral_capacity.memory.recall import recall, recall_from_margins
from tests import oracle

PRECISIONS = ["float32", "float64"]

N, D, TILE = 301, 24, (32, 64)
"""Of most tests here, so that they share compiled programs; N is no multiple of either side."""


def softmax(W, U, V, items=None, *, means=True, **options):
    items = np.arange(len(U)) if items is None else np.asarray(items)
    data = Associations(jnp.asarray(U), jnp.asarray(V))
    return competitor_softmax(np.asarray(W, float), data, items, means=means, **options)


def means(found):
    return np.concatenate([np.asarray(part) for part in found.mean])[: found.target.size]


def reference(W, U, V):
    """target, best, log_sum, mean of every item, from all logits at once."""
    s = oracle.logits(W, U, V)
    own = np.diag(s).copy()
    np.fill_diagonal(s, -np.inf)
    log_sum = logsumexp(s, axis=1)
    return own, s.max(axis=1), log_sum, np.exp(s - log_sum[:, None]) @ V.astype(float)


def memory(d, size=3.0):
    return size * np.random.default_rng(d).standard_normal((d, d)) / np.sqrt(d)


def check(found, W, U, V, items, precision):
    """Against float64, within what the rounding of the logits allows."""
    target, best, log_sum, mean = (part[items] for part in reference(W, U, V))
    V = V.astype(float)
    error = 1e-13 * (1 + np.abs(target).max() + np.abs(best).max())
    if precision == "float32":
        error = found.bound + 1e-6
        assert (np.abs((found.margins) - (target - best)) <= found.bound + 1e-13).all()
    for name, expected in {"target": target, "best": best, "log_sum": log_sum}.items():
        assert (np.abs(getattr(found, name) - expected) <= error).all(), name
    losses = oracle.loss(W, U, V)[items]
    np.testing.assert_array_less(np.abs(found.losses / losses - 1), 2 * error + 1e-9)
    # An error e of all logits moves each share by a factor within exp(±2e).
    spread = 2 * np.abs(V).max() * np.expm1(2 * error)
    assert (np.abs(means(found) - mean).max(axis=1) <= spread).all()


def skewed(n, d):
    """Embeddings with outputs of unequal variances and some that are the same."""
    rng = np.random.default_rng([n, d])
    U, V = rng.standard_normal((2, n, d)) / np.sqrt(d)
    V *= np.sqrt(d / np.arange(1, d + 1) ** 1.5 / 2)
    V[n // 2] = V[0]
    return U.astype(np.float32), V.astype(np.float32)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("n", "d", "tile"), [(2, 3, None), (N, D, TILE)])
def test_equals_all_logits_at_once(n, d, tile, precision):
    W, (U, V) = memory(d), skewed(n, d)
    for items in (np.arange(n), np.random.default_rng(0).permutation(n)[: n // 2 + 1]):
        found = softmax(W, U, V, items, tile=tile, precision=precision)
        check(found, W, U, V, items, precision)
        assert found.is_finite
        assert all(part.dtype == precision for part in found.mean)


@settings(max_examples=25, deadline=None)
@given(
    precision=st.sampled_from(PRECISIONS),
    size=st.floats(-3, 3).map(lambda x: 10**x),
    items=st.lists(st.integers(0, 47), min_size=1, max_size=60),
    copied=st.integers(0, 47),
    seed=st.integers(0, 10**6),
)
def test_any_items_of_any_memory(precision, size, items, copied, seed):
    rng = np.random.default_rng(seed)
    U, V = (rng.standard_normal((2, 48, 5)) / np.sqrt(5)).astype(np.float32)
    V[copied] = V[0]
    W = size * rng.standard_normal((5, 5))
    found = softmax(W, U, V, items, precision=precision, tile=(8, 20))
    check(found, W, U, V, np.array(items), precision)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_duplicates_tie_exactly(precision):
    rng = np.random.default_rng(0)
    U, V = (rng.standard_normal((2, N, D)) / np.sqrt(D)).astype(np.float32)
    same = [0, 1, 63, 64, 128, N - 1]  # in several tiles, at their edges, and in one that overhangs
    V *= 0.3
    V[same] = U[same] = 3 * U[0]
    W = np.eye(D) + 0.3 * rng.standard_normal((D, D)) / np.sqrt(D)
    found = softmax(W, U, V, same, precision=precision, tile=TILE)
    np.testing.assert_array_equal(found.target, found.best)
    np.testing.assert_allclose(means(found)[1:], means(found)[:-1], rtol=1e-4, atol=1e-6)
    assert found.target[0] > 1


@pytest.mark.parametrize("tile", [(7, 64), (5, 1), (1024, 4096)])
def test_the_tile_moves_the_last_digits_only(draws, tile):
    U, V = draws(N, D)
    one, other = (softmax(memory(D, 10), U, V, tile=shape) for shape in (tile, TILE))
    for name in ("target", "best", "log_sum"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=0, atol=3e-5)
    np.testing.assert_allclose(means(one), means(other), rtol=0, atol=1e-5)


def test_without_means_everything_else_is_the_same(draws):
    one, other = (softmax(memory(D), *draws(N, D), means=m, tile=TILE) for m in (False, True))
    assert one.mean is None
    for name in ("target", "best", "bound"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_allclose(one.log_sum, other.log_sum, rtol=1e-6)


def test_a_learnt_item_keeps_the_digits_of_its_odds():
    identity = np.eye(40, dtype=np.float32)
    for margin in (20.0, 200.0, 700.0):
        found = softmax(margin * np.eye(40), identity, identity, precision="float64")
        np.testing.assert_allclose(found.losses, np.log1p(39 * np.exp(-margin)), rtol=1e-12)


@pytest.mark.parametrize("broken", [np.nan, np.inf, 1e200])
def test_what_is_not_finite_is_told(draws, broken):
    W = memory(D)
    W[1, 2] = broken
    assert not softmax(W, *draws(N, D), tile=TILE).is_finite


@given(itemsize=st.sampled_from([4, 8]), budget=st.integers(2**12, 2**36))
def test_tiles_fill_their_budget(itemsize, budget):
    rows, columns = tile_shape(itemsize, budget)
    assert columns == 2 * rows == 2 ** (rows.bit_length())
    # The logits, their exponentials and a temporary; twice the rows and columns would not fit.
    assert 3 * rows * columns * itemsize <= budget < 4 * 3 * rows * columns * itemsize


def test_the_default_tile_is_of_this_device():
    device = "cpu" if jax.default_backend() == "cpu" else "gpu"
    assert tile_shape(4) == tile_shape(4, MEMORY_BUDGET[device])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_memory_stays_within_the_budget(precision):
    """What XLA sets aside beyond arguments and results: no N × N, no copy of the embeddings."""
    n, d, budget = 250_000, 128, MEMORY_BUDGET["cpu" if jax.default_backend() == "cpu" else "gpu"]
    rows, columns = tile_shape(np.dtype(precision).itemsize)

    shapes = [((d, d), float), ((n, d), np.float32), ((n, d), np.float32), ((), np.float32)]
    shapes += [((8 * rows,), np.int64), ((), np.int64)]
    program, _ = _program(True, precision, rows, columns, computing())
    compiled = program.lower(*(jax.ShapeDtypeStruct(*of) for of in shapes)).compile()
    assert compiled.memory_analysis().temp_size_in_bytes <= budget


@given(m=st.integers(0, 50), size=st.integers(1, 20))
def test_chunks_hold_all_values_in_order(m, size):
    values = np.arange(1, m + 1)
    pieces = list(chunks(values, size))
    assert [place.start for place, _ in pieces] == list(range(0, m, size))
    assert sum(place.stop - place.start for place, _ in pieces) == m
    assert all(piece.size == size for _, piece in pieces)
    joined = np.concatenate([piece for _, piece in pieces]) if pieces else values
    np.testing.assert_array_equal(joined[:m], values)
    assert not joined[m:].any()


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_margins_tell_what_is_recalled(steps):
    """For memories after several spectral steps, with duplicates and with competitors that nearly tie."""
    rng = np.random.default_rng(steps)
    U, V = (rng.standard_normal((2, N, D)) / np.sqrt(D)).astype(np.float32)
    same, close = np.arange(1, 18, 3), np.arange(2, 18, 3)
    U[200:206], V[200:206] = U[same], V[same]
    V[206:212] = np.nextafter(V[close], rng.choice([-9, 9], (6, D)).astype(np.float32))
    q = oracle.frequencies(N, 1.5)
    W = np.zeros((D, D)) if steps else rng.standard_normal((D, D))
    for _ in range(steps):
        W += 5 * oracle.polar(oracle.gradient(W, U, V, q))
    expected = recall(W, jnp.asarray(U), jnp.asarray(V))
    np.testing.assert_array_equal(expected.recovered, oracle.recovered(W, U, V))
    for precision in PRECISIONS:
        other = softmax(W, U, V, means=False, precision=precision, tile=TILE)
        found = recall_from_margins(other.margins, other.bound, W, jnp.asarray(U), jnp.asarray(V))
        np.testing.assert_array_equal(found.recovered, expected.recovered)
        assert found.near_ties == expected.near_ties
    assert steps == 0 or (expected.capacity >= 6 and expected.near_ties >= 6)


def test_an_empty_memory_recalls_nothing(draws):
    """Its margins have no bound: every tie is decided in float64."""
    W, (U, V) = np.zeros((D, D)), draws(N, D)
    some = softmax(W, U, V, means=False, tile=TILE)
    np.testing.assert_allclose(some.losses, np.log(N), rtol=1e-6)
    found = recall_from_margins(some.margins, some.bound, W, jnp.asarray(U), jnp.asarray(V))
    assert found.capacity == 0
    assert found.near_ties == recall(W, jnp.asarray(U), jnp.asarray(V)).near_ties
