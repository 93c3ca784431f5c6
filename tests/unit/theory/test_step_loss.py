"""Loss after one Muon step against the learning rate, held against simulation."""

import numpy as np
import pytest

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.step_loss import log_sum, mean_loss, worst_loss
from tests import oracle


@pytest.fixture(scope="module")
def simulated():
    """Mean and worst loss of three memories of d = 64, N = 1,500, α = 1.5, at four rates; all in float64."""
    n, d, noise = 1500, 64, np.array([0.125, 0.5, 1.0, 2.0])
    p = np.arange(1, n + 1) ** -1.5
    p /= p.sum()
    mean, worst = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        U, V = rng.normal(size=(2, n, d)) / np.sqrt(d)
        P = oracle.polar((V - V.mean(axis=0)).T @ (p[:, None] * U))
        logits = U @ P.T @ V.T
        rows = []
        for tau in noise:
            s = np.sqrt(d) * tau * logits
            top = s.max(axis=1, keepdims=True)
            rows.append(top[:, 0] + np.log(np.exp(s - top).sum(axis=1)) - np.diag(s))
        mean.append([p @ row for row in rows])
        worst.append([row.max() for row in rows])
    return Items.of(p), d, noise, np.mean(mean, axis=0), np.mean(worst, axis=0)


def test_the_mean_is_predicted(simulated):
    items, d, noise, mean, _ = simulated
    off = np.abs(mean_loss(items, d, noise) / mean - 1)
    assert (off < [0.01, 0.05, 0.12, 0.08]).all()


def test_the_worst_item_is_predicted(simulated):
    _, _, noise, _, worst = simulated
    np.testing.assert_allclose(worst_loss(1500, noise), worst, rtol=0.06)


def test_no_rate_is_a_uniform_guess():
    items, nothing = Items.power_law(1.5, 1000.0), np.array([1e-9])
    np.testing.assert_allclose(mean_loss(items, 32, nothing), np.log(1000), rtol=1e-6)
    np.testing.assert_allclose(worst_loss(1000, nothing), np.log(999), rtol=1e-6)


def test_the_sum_has_no_jump_where_its_largest_term_takes_over():
    edge = np.sqrt(2 * np.log(500))
    below, above = log_sum(500, np.array([edge * (1 - 1e-9), edge * (1 + 1e-9)]))
    np.testing.assert_allclose(below, above, rtol=1e-6)
