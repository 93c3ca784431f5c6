"""Slopes and noise against derivatives and samples."""

import math

import numpy as np
import pytest

from spectral_capacity.memory.moments import numerical_range
from spectral_capacity.training.response import logit_noise, newton_slope, signal_slope, spike_slope


def derivative(h, G, variances, samples=3000, t=1e-6):
    """Mean over random (u, v) of d/dt vᵀ h(G + t v uᵀ) u, and its standard error."""
    d = len(G)
    rng = np.random.default_rng(0)
    slopes = []
    for _ in range(samples):
        u, v = rng.standard_normal((2, d)) * np.sqrt([np.full(d, 1 / d), variances])
        change = h(G + t * np.outer(v, u)) - h(G - t * np.outer(v, u))
        slopes.append(v @ change @ u / (2 * t))
    return np.mean(slopes), np.std(slopes) / math.sqrt(samples)


def mapped(h):
    def function(M):
        A, sigma, B = np.linalg.svd(M)
        return (A * h(sigma)) @ B

    return function


MAPS = {
    "polar": np.ones_like,
    "smoothed": lambda z: z / np.hypot(z, 1.0),
    "power": np.sqrt,
    "identity": lambda z: z,
}


@pytest.mark.parametrize("kappa", [0.0, 1.0])
@pytest.mark.parametrize("name", list(MAPS))
def test_signal_slope_is_the_derivative_of_the_map(name, kappa):
    d = 16
    G = np.random.default_rng(1).standard_normal((d, d))
    variances = np.arange(1, d + 1.0) ** -kappa
    variances /= variances.sum()
    A, sigma, _ = np.linalg.svd(G)
    slope = signal_slope(sigma, MAPS[name](sigma), d, variances @ A**2)
    measured, error = derivative(mapped(MAPS[name]), G, variances)
    assert measured == pytest.approx(slope, abs=4 * error)


def test_signal_slope_of_the_limits():
    sigma = np.sort(np.random.default_rng(0).uniform(0.1, 1, 10))[::-1]
    assert signal_slope(sigma, np.ones(10), 10) == pytest.approx(spike_slope(sigma, 10))
    assert signal_slope(sigma, 3 * sigma, 10) == pytest.approx(3.0)
    assert math.isnan(signal_slope(np.array([]), np.array([]), 4))
    assert np.isfinite(signal_slope(np.ones(4), np.ones(4), 4))  # equal singular values
    assert np.isfinite(signal_slope(np.ones(1), np.ones(1), 4))


def test_newton_slope_is_the_lift_of_a_rare_item():
    rng = np.random.default_rng(0)
    n, d = 4000, 16
    U, V = rng.standard_normal((2, n, d)) / np.sqrt(d)
    V = V * np.arange(1, d + 1) ** -1.0  # its covariance cancels
    p = np.arange(1, n + 1.0) ** -1.5
    C = (U.T * p) @ U
    A = np.cov(V.T, bias=True)
    lifts = np.einsum("ni,ij,nj->n", V, np.linalg.inv(A), V)
    lifts *= np.einsum("ni,ij,nj->n", U, np.linalg.inv(C), U)
    rare = lifts[n // 2 :]
    error = 4 * rare.std() / math.sqrt(rare.size)
    assert rare.mean() == pytest.approx(newton_slope(C, 0.0), abs=error)


def test_numerical_range_drops_what_is_rounding():
    values, vectors = numerical_range(np.diag([1.0, 1e-3, 1e-20]))
    np.testing.assert_allclose(np.sort(values), [1e-3, 1.0])
    assert vectors.shape == (3, 2)
    assert numerical_range(np.zeros((3, 3)))[0].size == 0


@pytest.mark.parametrize("kappa", [0.0, 1.5])
def test_logit_noise_is_the_spread_of_logits(kappa):
    rng = np.random.default_rng(0)
    d = 12
    W = rng.standard_normal((d, d)) * np.arange(1, d + 1)
    variances = np.arange(1, d + 1.0) ** -kappa
    variances /= variances.sum()
    u = rng.standard_normal((200_000, d)) / math.sqrt(d)
    v = rng.standard_normal((200_000, d)) * np.sqrt(variances)
    spread = np.einsum("ni,ij,nj->n", v, W, u).std()
    assert logit_noise(W, variances) == pytest.approx(spread, rel=0.02)
    if kappa == 0:
        assert logit_noise(W) == pytest.approx(np.linalg.norm(W) / d)
