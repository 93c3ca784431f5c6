import json
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from spectral_capacity.memory.loss import TILE, item_losses, population_loss
from tests import oracle

SCALES = np.array([1e-3, 1.0, 30.0, 3000.0])


def losses(W, U, V, scales, **options):
    return item_losses(W, jnp.asarray(U), jnp.asarray(V), np.asarray(scales, float), **options)


def memory(d):
    return np.random.default_rng(d).standard_normal((d, d))


@pytest.mark.parametrize(("n", "d"), [(2, 1), (17, 5), (130, 24)])
def test_equals_the_oracle_at_every_scale(draws, n, d):
    U, V = draws(n, d)
    V[n // 2] = V[0]
    expected = [oracle.loss(scale * memory(d), U, V) for scale in SCALES]
    result = losses(memory(d), U, V, SCALES)
    np.testing.assert_allclose(result, expected, rtol=1e-10)
    assert result.dtype == np.float64


@pytest.mark.parametrize("tile", [(1, 64), (64, 7), (99, 1), TILE["gpu"]])
def test_does_not_depend_on_the_tile(draws, tile):
    U, V = draws(100, 8)
    other = losses(memory(8), U, V, SCALES, tile=tile)
    np.testing.assert_allclose(other, losses(memory(8), U, V, SCALES), rtol=1e-12)


@pytest.mark.parametrize(("margin", "tiny"), [(51, 1e-20), (240, 1e-100), (700, 1e-300)])
def test_learnt_items_keep_their_digits(margin, tiny):
    identity = np.eye(60, dtype=np.float32)
    result = losses(np.eye(60), identity, identity, [margin])
    np.testing.assert_allclose(result, np.full((1, 60), 59 * np.exp(-margin)), rtol=1e-12)
    assert (result < tiny).all()


def test_learnt_items_of_a_rotated_memory_equal_the_oracle():
    rng = np.random.default_rng(0)
    V = np.linalg.qr(rng.standard_normal((40, 40)))[0].astype(np.float32)
    U = np.linalg.qr(rng.standard_normal((40, 40)))[0].astype(np.float32)
    W = V.T.astype(float) @ U
    expected = [oracle.loss(scale * W, U, V) for scale in (50.0, 240.0)]
    np.testing.assert_allclose(losses(W, U, V, [50, 240], tile=(16, 1024)), expected, rtol=1e-10)
    assert expected[0].max() < 1e-19
    assert expected[1].max() < 1e-100


def test_an_enormous_margin_is_the_loss_of_a_lost_item():
    # Item 1 is confused with item 0 and has a logit of −1 of its own.
    U, V = np.array([[1.0], [1.0]], np.float32), np.array([[1.0], [-1.0]], np.float32)
    np.testing.assert_array_equal(losses(np.eye(1), U, V, [1e300]), [[0.0, 2e300]])


def test_duplicates_share_the_probability_at_any_scale(draws):
    U, V = draws(3000, 12)
    same = [0, 1, 5, 1023, 1024, 2100, 2999]  # in several tiles, at their edges too
    V *= 0.1
    V[same] = U[same] = 4 * U[0]
    for tile in ({}, {"tile": (3, 1000)}):
        result = losses(np.eye(12), U, V, [1e3, 1e15], items=np.array(same), **tile)
        np.testing.assert_array_equal(result, np.full((2, 7), np.log(7)))


def test_an_empty_memory_guesses(draws):
    U, V = draws(77, 6)
    np.testing.assert_allclose(losses(np.zeros((6, 6)), U, V, SCALES), np.log(77), rtol=1e-14)


def test_a_single_item_is_certain(draws):
    np.testing.assert_array_equal(losses(memory(3), *draws(1, 3), SCALES), np.zeros((4, 1)))


def test_the_order_of_the_items_does_not_matter(draws):
    U, V = draws(90, 8)
    order = np.random.default_rng(0).permutation(90)
    shuffled = losses(memory(8), U[order], V[order], SCALES)
    np.testing.assert_allclose(shuffled, losses(memory(8), U, V, SCALES)[:, order], rtol=1e-11)


def test_a_shift_of_all_outputs_does_not_matter():
    # Small integers: every sum is exact, with and without the shift.
    rng = np.random.default_rng(0)
    U, V, W = (rng.integers(-4, 5, shape).astype(np.float32) for shape in [(50, 6)] * 2 + [(6, 6)])
    W = W.astype(float)
    shift = np.arange(6, dtype=np.float32)
    np.testing.assert_array_equal(losses(W, U, V + shift, [0.25]), losses(W, U, V, [0.25]))


def test_chosen_items_still_meet_all_competitors(draws):
    U, V = draws(100, 8)
    items = np.array([99, 3, 3, 40])
    every = losses(memory(8), U, V, SCALES)
    chosen = losses(memory(8), U, V, SCALES, items=items, tile=(3, 1024))
    np.testing.assert_allclose(chosen, every[:, items], rtol=1e-12)
    assert losses(memory(8), U, V, SCALES, items=items[:0]).shape == (4, 0)


def test_the_population_weighs_its_items():
    result = population_loss(
        np.array([[1.0, 2.0, 4.0], [0.0, 1e-30, 0.0]]), np.array([0.5, 0.3, 0.2])
    )
    np.testing.assert_allclose(result, [1.9, 3e-31], rtol=1e-15)


@pytest.mark.parametrize("scales", [[], [1, 0], [-1], [np.nan], [np.inf]])
def test_scales_are_positive_numbers(draws, scales):
    with pytest.raises(ValueError, match="scales"):
        losses(memory(3), *draws(9, 3), scales)


@pytest.mark.parametrize("items", [[-1], [0, 9]])
def test_items_are_in_the_memory(draws, items):
    with pytest.raises(ValueError, match="items"):
        losses(memory(3), *draws(9, 3), SCALES, items=np.array(items))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_memory_is_finite(draws, broken):
    W = memory(3)
    W[1, 2] = broken
    with pytest.raises(FloatingPointError, match="W has"):
        losses(W, *draws(9, 3), SCALES)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.parametrize("which", [0, 1])
def test_embeddings_are_finite(draws, which, broken):
    embeddings = draws(9, 3)
    embeddings[which][4, 1] = broken
    with pytest.raises(FloatingPointError, match="margins"):
        losses(memory(3), *embeddings, SCALES)


@pytest.mark.parametrize("W", [[[1e308]], [[-1e308]]])
def test_margins_that_overflow_are_not_losses(W):
    U, V = np.array([[9.0], [1.0]], np.float32), np.array([[9.0], [1.0]], np.float32)
    with pytest.raises(FloatingPointError, match="margins"):
        losses(np.array(W), U, V, [1])


MEASURE = """
import json, re
import numpy as np, psutil
from spectral_capacity.backend import jnp
from spectral_capacity.memory.loss import item_losses

rng = np.random.default_rng(0)
n, d = 100_000, 256
U, V = (jnp.asarray(rng.standard_normal((n, d), np.float32) / np.float32(16)) for _ in "UV")
before = psutil.Process().memory_info().rss
losses = item_losses(np.eye(d), U, V, np.array([1.0, 10.0]), items=np.arange(0, n, 97))
# Not ru_maxrss, which starts at what the process that forked this one had.
status = open("/proc/self/status").read()
peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status)[1])
print(json.dumps({"beyond": peak - before, "embeddings": 2 * n * d * 4, "before": before}))
"""


@pytest.mark.slow
def test_a_hundred_thousand_items_fit_in_memory():
    """Two row blocks and a part: memory does not grow with the number of rows, time does."""
    run = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True
    )
    measured = json.loads(run.stdout)
    assert measured["before"] > measured["embeddings"]  # or they would hide in the difference
    assert measured["beyond"] < 2**29
