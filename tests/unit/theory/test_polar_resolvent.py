"""Deterministic equivalents against matrices that are drawn, and against what must hold for any of them."""

import numpy as np
import pytest

from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.polar_resolvent import PolarResolvent

FREQUENCIES = np.array([0.0, 1e-5, 1e-3, 0.02, 0.4])


def drawn(n, d, alpha, seed, share=None):
    """U, V, and the polar factor of their gradient, of the items of which ``share`` is true."""
    rng = np.random.default_rng(seed)
    U, V = rng.standard_normal((2, n, d)) / np.sqrt(d)
    q = power_law(n, alpha) * (np.ones(n) if share is None else share)
    A, sigma, B = np.linalg.svd(V.T @ (q[:, None] * U))
    return U, V, A, sigma, B


def test_nodes_are_the_stieltjes_transform_of_a_drawn_spectrum():
    n, d = 3000, 200
    p = power_law(n, 1.5)
    resolvent = PolarResolvent(p, np.ones(n), d)
    _, _, _, sigma, _ = drawn(n, d, 1.5, 0)
    s = resolvent.measure * np.pi / 2 / 0.4
    middle = np.flatnonzero((s > np.median(sigma) / 3) & (s < 3 * sigma[3]))
    found = np.array([(s[k] / (s[k] ** 2 + sigma**2)).mean() for k in middle])
    np.testing.assert_allclose(resolvent.nodes[middle], found, rtol=0.03)


def test_response_is_the_signal_of_drawn_items():
    n, d = 3000, 100
    resolvent = PolarResolvent(power_law(n, 1.5), np.ones(n), d)
    signals = []
    for seed in range(30):
        U, V, A, _, B = drawn(n, d, 1.5, seed)
        signals.append(((V[:400] @ A) * (U[:400] @ B.T)).sum(axis=1))
    signals = np.array(signals)
    bands = [slice(0, 10), slice(20, 40), slice(60, 100), slice(200, 400)]
    expected = resolvent.response(power_law(n, 1.5)[:400])
    for band in bands:
        error = signals[:, band].mean(axis=1).std() / np.sqrt(len(signals))
        assert signals[:, band].mean() == pytest.approx(expected[band].mean(), abs=0.01 + 2 * error)


@pytest.mark.parametrize(("alpha", "d"), [(1.25, 32), (2.0, 256), (1.5, 2**17)])
def test_the_polar_factor_keeps_lengths(alpha, d):
    """|P u| = |u| for an item of any frequency, though signal and noise are computed apart."""
    items = Items.power_law(alpha)
    resolvent = PolarResolvent(items.p, items.weight, d)
    turn, stay = resolvent.ladders(resolvent, items.weight)
    a, b, _ = resolvent.screened(FREQUENCIES)
    norms = ((a @ turn) * a + (b @ stay) * b).sum(axis=1)
    np.testing.assert_allclose(norms, 1, atol=2e-5)
    assert resolvent.response(np.array([0.0, 0.4])) == pytest.approx([0, 1], abs=0.02)


def test_a_resolution_shortens_what_lies_below_it():
    items = Items.power_law(1.5, 5000.0)
    resolution = 64**-1.5
    smooth = PolarResolvent(items.p, items.weight, 64, resolution=resolution)
    turn, stay = smooth.ladders(smooth, items.weight)
    a, b, _ = smooth.screened(FREQUENCIES)
    norms = ((a @ turn) * a + (b @ stay) * b).sum(axis=1)
    found = []
    for seed in range(5):
        _, _, _, sigma, _ = drawn(5000, 64, 1.5, seed)
        found.append((sigma**2 / (sigma**2 + resolution**2)).mean())
    assert norms[0] == pytest.approx(np.mean(found), rel=0.02)
    assert (np.diff(norms) > 0).all()
    assert norms[-1] == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
def test_overlap_of_gradients_that_share_items():
    n, d = 3000, 100
    share = (np.arange(n) >= 80).astype(float)
    p = power_law(n, 1.5)
    first, second = PolarResolvent(p, np.ones(n), d), PolarResolvent(p, share, d)
    turn, _ = first.ladders(second, share)
    found = []
    for seed in range(10):
        _, _, A, _, B = drawn(n, d, 1.5, seed)
        _, _, A_rest, _, B_rest = drawn(n, d, 1.5, seed, share)
        found.append(np.trace((A @ B).T @ (A_rest @ B_rest)) / d)
    assert first.measure @ turn @ second.measure == pytest.approx(np.mean(found), abs=0.01)


def test_a_gradient_of_too_few_items_is_refused():
    with pytest.raises(ValueError, match="more than d"):
        PolarResolvent(np.full(30, 1 / 30), np.ones(30), 32)
