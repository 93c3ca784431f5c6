import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logsumexp

from spectral_capacity.backend import jax
from spectral_capacity.memory import softmax_gradient as softmaxgradient
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.competitors import competitor_softmax
from spectral_capacity.memory.softmax_gradient import softmax_gradient
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.training.cell import train_cell
from tests import oracle
from tests.unit.test_dynamics import MUON, cell

BAR = 1e-4
"""Error of the gradient, of its singular value at rank d/2."""


@cache
def embeddings(n, d):
    rng = np.random.default_rng([n, d])
    return tuple((rng.standard_normal((n, d)) / np.sqrt(d)).astype(np.float32) for _ in "UV")


def associations(U, V):
    return Associations(jnp.asarray(U), jnp.asarray(V))


def gradient(W, U, V, q, **options):
    return softmax_gradient(W, associations(U, V), q, **options)


def competition(x, V, items=None):
    """1 − π_ii and M_i of queries x_i = W u_i, float64."""
    items = np.arange(len(x)) if items is None else items
    V = V.astype(float)
    s = x @ V.T
    here = np.arange(len(x)), items
    own = s[here].copy()
    s[here] = -np.inf
    log_sum = logsumexp(s, axis=1)
    return expit(log_sum - own), np.exp(s - log_sum[:, None]) @ V


def reference(W, U, V, q):
    """The negative gradient in the form without the diagonal, and 1 − π_ii, float64."""
    lost, mean = competition(U.astype(float) @ W.T, V)
    return (V - mean).T @ ((q * lost)[:, None] * U), lost


def learnt(U, V, lost, noise=0.0):
    """A memory in which the first items have 1 − π_ii = ``lost``, over a background of ``noise``.

    W u_i = b_i + a_i v_i with a_i by Newton's method, W from these by the pseudo-inverse.
    """
    U, V, m = U.astype(float), V.astype(float), lost.size
    B = noise * np.random.default_rng(m).standard_normal((V.shape[1], U.shape[1]))
    wanted, a = np.log(lost) - np.log1p(-lost), np.full(m, 20.0)
    for _ in range(50):
        now, mean = competition(U[:m] @ B.T + a[:, None] * V[:m], V, np.arange(m))
        slope = ((V[:m] - mean) * V[:m]).sum(axis=1)
        a += np.clip((np.log(now) - np.log1p(-now) - wanted) / slope, -5, 5)
    return B + (a[:, None] * V[:m]).T @ np.linalg.pinv(U[:m]).T


def error(found, expected, distinct=None):
    """Relative to the bulk singular value."""
    rank = min(len(expected), distinct or len(expected))
    bulk = np.linalg.svd(expected, compute_uv=False)[max(rank // 2 - 1, 0)]
    return np.linalg.norm(found - expected, 2) / bulk


def test_the_reference_equals_the_oracle():
    U, V = embeddings(200, 8)
    W, q = 3 * np.random.default_rng(0).standard_normal((8, 8)), power_law(200, 1.5)
    expected = oracle.gradient(W, U, V, q)
    np.testing.assert_allclose(reference(W, U, V, q)[0], expected, rtol=1e-10, atol=1e-14)


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


@pytest.mark.parametrize(("n", "d", "alpha", "kappa"), [(1500, 48, 1.5, 4.0), (1000, 64, 3.0, 4.0)])
def test_outputs_of_a_steep_spectrum(n, d, alpha, kappa):
    """The bulk singular value falls with that of the outputs."""
    (U, V), q = embeddings(n, d), power_law(n, alpha)
    scale = np.arange(1, d + 1) ** (-kappa / 2)
    V = (V * scale * np.sqrt(d / (scale**2).sum())).astype(np.float32)
    W = np.sqrt(d) * oracle.polar(associations(U, V).initial_gradient(q))
    assert error(gradient(W, U, V, q).matrix, reference(W, U, V, q)[0]) < BAR


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


def test_what_is_not_finite_stays_so():
    (U, V), q = embeddings(500, 16), power_law(500, 1.5)
    for broken in (np.nan, np.inf, 1e200):
        found = gradient(np.diag(np.full(16, broken)), U, V, q)
        assert not np.isfinite(found.matrix).all()
        assert not found.softmax.is_finite


def bits(devices):
    """A gradient and the softmax on its way, to the last bit; rows for every device, and some over."""
    (U, V), q = embeddings(500, 16), power_law(500, 3.0)
    W = 3 * np.random.default_rng(0).standard_normal((16, 16)) / 4
    found = gradient(W, U, V, q, tile=(16, 128), devices=devices)
    softmax = found.softmax
    parts = softmax.target, softmax.best, softmax.log_sum, softmax.bound
    return {
        "gradient": [value.hex() for value in found.matrix.ravel().tolist()],
        "softmax": [value.hex() for part in parts for value in part.tolist()],
        "in_float64": found.in_float64,
    }


def trained(devices):
    """All that a cell of three steps measures, to the last bit."""
    this = cell(MUON, 300, 16, steps=3)
    results = train_cell(this, lambda seed: embeddings(300, 16), devices=devices)
    return {name: values.tobytes().hex() for name, values in results.items()}


SHARED = """
import json
from spectral_capacity.backend import jax
from tests.unit.test_softmaxgradient import bits, trained

assert len(jax.devices()) == 8
gradients = {devices: bits(devices) for devices in (1, 2, 3, 8)}
print(json.dumps(gradients | {"cells": [trained(devices) for devices in (1, 8)]}))
"""


def test_devices_share_the_rows_and_change_nothing():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run(
        [sys.executable, "-c", SHARED],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **flags},
    )
    shared = json.loads(run.stdout)
    assert shared["1"] == shared["2"] == shared["8"]
    assert shared["cells"][0] == shared["cells"][1]
    assert shared["1"]["in_float64"] > 0
    one, three = (
        np.array([float.fromhex(value) for value in shared[count]["gradient"]])
        for count in ("1", "3")
    )
    np.testing.assert_allclose(three, one, rtol=0, atol=1e-15 * np.abs(one).max())
    assert shared["3"]["softmax"] == shared["1"]["softmax"]
    if jax.default_backend() == "cpu":  # eight devices have more threads than one
        assert shared["1"] == bits(1)
