"""What is measured of a memory and of its gradient."""

import numpy as np
import pytest

from spectral_capacity.results.schema import Status
from spectral_capacity.training.cell import train_cell
from tests import oracle
from tests.unit.cells import MUON, RULES, cell


def test_losses_are_those_of_the_oracle(draws):
    n, d = 120, 12
    factors = [0.25, 4.0, 100.0]
    results = train_cell(cell(MUON, n, d, loss=factors), lambda s: draws(n, d, s))
    U, V = draws(n, d)
    p = oracle.frequencies(n, 1.5)
    W = oracle.polar(oracle.gradient(np.zeros((d, d)), U, V, p)) * 2 * np.sqrt(d)
    items = {f: oracle.loss(f * W, U, V) for f in (1.0, *factors)}
    best = min(items, key=lambda f: items[f] @ p)
    expected = {
        "loss": items[1.0] @ p,
        "worst_item_loss": items[1.0].max(),
        "best_loss": items[best] @ p,
        "best_worst_item_loss": items[best].max(),
        "best_learning_rate": best * 2 * np.sqrt(d),
    }
    for name, value in expected.items():
        assert results[name].item() == pytest.approx(value, rel=1e-10), name


def test_no_loss_unless_asked_for(draws):
    results = train_cell(cell(MUON, 60, 6), lambda s: draws(60, 6, s))
    assert np.isnan(results["loss"].item())


@pytest.mark.parametrize("rule", ["gd", "muon"])
def test_zero_gradient(draws, rule):
    U, V = draws(50, 8)
    U[:] = 0
    results = train_cell(cell(RULES[rule][0], 50, 8), lambda s: (U, V))
    assert results["capacity"].item() == 0
    assert results["null_directions"].item() == 8
    assert results["status"].item() == Status.OK
    assert np.isnan(results["spike_slope"].item())


def test_diagnostics_are_those_of_the_gradient(draws):
    n, d = 120, 10
    results = train_cell(cell(MUON, n, d), lambda s: draws(n, d, s))
    G = oracle.gradient(np.zeros((d, d)), *draws(n, d), oracle.frequencies(n, 1.5))
    sigma = np.linalg.svd(G, compute_uv=False)
    slope = sum(1 / (sigma[a] + sigma[b]) for a in range(d) for b in range(d) if a != b) / d**2
    expected = {
        "sigma_max": sigma[0],
        "sigma_min": sigma[-1],
        "bulk_singular_value": sigma[4],
        "mean_inverse_singular_value": (1 / sigma).mean(),
        "spike_slope": slope,
        "null_directions": 0,
        "status": Status.OK,
    }
    for name, value in expected.items():
        assert results[name].item() == pytest.approx(value, rel=1e-10), name


def test_mass_and_prefix_are_those_of_the_recovered_set(draws):
    n, d = 150, 24
    results = train_cell(cell(MUON, n, d), lambda s: draws(n, d, s))
    U, V = draws(n, d)
    p = oracle.frequencies(n, 1.5)
    W = oracle.polar(oracle.gradient(np.zeros((d, d)), U, V, p))
    mask = oracle.recovered(W, U, V)
    assert results["recovered_mass"].item() == pytest.approx(p[mask].sum())
    assert results["prefix_capacity"].item() == np.append(mask, False).argmin()


def test_a_spectrum_at_the_floor_of_float64_is_flagged(draws):
    results = train_cell(cell(MUON, 3000, 48, alpha=12.0), lambda s: draws(3000, 48))
    assert results["status"].item() == Status.PRECISION_LIMITED
    assert results["null_directions"].item() > 0
