import numpy as np
import pytest

from spectral_capacity.dynamics import train_cell
from spectral_capacity.outcomes import MEASURED, Status
from tests import oracle

GD = {"rule": "gradient", "learning_rate": {"scale": 1.0, "d_power": 0.0}}
MUON = {
    "rule": "spectral",
    "map": {"name": "polar"},
    "learning_rate": {"scale": 2.0, "d_power": 0.5},
}
RULES = {"gd": (GD, lambda G: G), "muon": (MUON, oracle.polar)}


def cell(optimizer, n, d, alpha=1.5, kappa=0.0, seeds=(0,)):
    return {
        "name": "x",
        "optimizer": optimizer,
        "n_items": n,
        "d": d,
        "alpha": alpha,
        "kappa": kappa,
        "batch_sizes": [np.inf],
        "seeds": list(seeds),
    }


@pytest.mark.parametrize("kappa", [0.0, 1.0])
@pytest.mark.parametrize("alpha", [1.25, 1.5, 3.0])
@pytest.mark.parametrize(("n", "d"), [(300, 4), (300, 18), (400, 32), (60, 40)])
@pytest.mark.parametrize("rule", ["gd", "muon"])
def test_capacity_equals_the_oracle_for_every_seed(draws, rule, n, d, alpha, kappa):
    optimizer, reference = RULES[rule]
    seeds = range(3)
    results = train_cell(cell(optimizer, n, d, alpha, kappa, seeds), lambda s: draws(n, d, s))
    scale = np.arange(1, d + 1.0) ** -kappa
    scale = np.sqrt(d * scale / scale.sum()).astype(np.float32)
    expected = []
    for seed in seeds:
        U, V = draws(n, d, seed)
        expected.append(oracle.capacity(U, V * scale, alpha, reference))
    assert results["capacity"][0, :, 0].tolist() == expected


@pytest.mark.parametrize("rule", ["gd", "muon"])
def test_duplicated_items(draws, rule):
    n, d = 200, 16
    U, V = draws(n, d)
    U[100:], V[100:] = U[:100], V[:100]
    results = train_cell(cell(RULES[rule][0], n, d), lambda s: (U, V))
    assert results["capacity"].item() == 0 == oracle.capacity(U, V, 1.5, RULES[rule][1])


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


def test_shapes_types_and_reports(draws):
    lines = []
    results = train_cell(cell(GD, 40, 4, seeds=(2, 5)), lambda s: draws(40, 4, s), lines.append)
    assert set(results) == set(MEASURED)
    for name, array in results.items():
        assert array.shape == (1, 2, 1)
        assert array.dtype == MEASURED[name].dtype
    assert "seed 2" in lines[0]
    assert "2 of 2 seeds done" in lines[1]


def test_every_optimizer_learns_from_the_same_draws(draws):
    loaded = []

    def load(seed):
        loaded.append(seed)
        return draws(60, 8, seed)

    sigma = [train_cell(cell(o, 60, 8), load)["sigma_max"].item() for o in (GD, MUON)]
    assert sigma[0] == sigma[1]
    assert loaded == [0, 0]


@pytest.mark.parametrize("optimizer", [GD, MUON])
def test_a_value_that_is_not_finite_names_its_coordinates(draws, optimizer):
    U, V = draws(40, 4)
    U[3, 1] = np.inf
    with pytest.raises(FloatingPointError, match="seed 7"):
        train_cell(cell(optimizer, 40, 4, seeds=(7,)), lambda s: (U, V))


def test_a_spectrum_at_the_floor_of_float64_is_flagged(draws):
    results = train_cell(cell(MUON, 3000, 48, alpha=12.0), lambda s: draws(3000, 48))
    assert results["status"].item() == Status.PRECISION_LIMITED
    assert results["null_directions"].item() > 0
