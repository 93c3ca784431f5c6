from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.measured import VARIABLES
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.batches import batch_counts
from spectral_capacity.training.cell import train_cell
from spectral_capacity.training.run import Run
from spectral_capacity.training.steps import train
from tests import oracle

GD = {"rule": "gradient", "learning_rate": {"scale": 1.0, "d_power": 0.0}}
MUON = {
    "rule": "spectral",
    "map": {"name": "polar"},
    "learning_rate": {"scale": 2.0, "d_power": 0.5},
}
RULES = {"gd": (GD, lambda G: G), "muon": (MUON, oracle.polar)}
RATE = {"learning_rate": {"scale": 1.0, "d_power": 0.0}}


def spectral(h):
    """A rule of the oracle: h on the singular values above rounding."""

    def rule(G):
        A, sigma, B = np.linalg.svd(G)
        keep = sigma > sigma[0] * len(sigma) * np.finfo(float).eps
        return (A[:, keep] * h(sigma[keep])) @ B[keep]

    return rule


def jordan(G):
    def h(z):
        z = z / np.linalg.norm(G)
        for _ in range(6):
            z = 3.4445 * z - 4.7750 * z**3 + 2.0315 * z**5
        return z

    return spectral(h)(G)


OTHERS = {
    "smoothed": (
        {"rule": "spectral", "map": {"name": "smoothed_polar", "resolution": 0.01}},
        spectral(lambda z: z / np.hypot(z, 0.01)),
    ),
    "power": (
        {"rule": "spectral", "map": {"name": "power", "exponent": 0.5}},
        spectral(np.sqrt),
    ),
    "newton_schulz": (
        {"rule": "spectral", "map": {"name": "newton_schulz", "iterations": 6}},
        jordan,
    ),
    "sign": ({"rule": "sign"}, np.sign),
}


def cell(
    optimizer,
    n,
    d,
    alpha=1.5,
    kappa=0.0,
    seeds=(0,),
    batch_sizes=(np.inf,),
    loss=None,
    steps=1,
    gradient="exact",
):
    return {
        "frequencies": None,
        "root_seed": 0,
        "gradient": gradient,
        "steps": steps,
        "early_stop": None,
        "loss_factors": loss,
        "name": "x",
        "optimizer": optimizer,
        "n_items": n,
        "d": d,
        "alpha": alpha,
        "kappa": kappa,
        "batch_sizes": list(batch_sizes),
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
    expected = []
    for seed in seeds:
        U, V = draws(n, d, seed)
        expected.append(oracle.capacity(U, V * spread(d, kappa), alpha, reference))
    assert results["capacity"][0, :, 0].tolist() == expected


def spread(d, kappa):
    """What isotropic outputs are multiplied by."""
    scale = np.arange(1, d + 1.0) ** -kappa
    return np.sqrt(d * scale / scale.sum()).astype(np.float32)


BATCHES = (3.0, 16.0, 200.0, 5000.0, np.inf)


def batches(n, alpha, d, seed):
    """Weights of every batch: the package's own counts, whose law has its own tests."""
    p = oracle.frequencies(n, alpha)
    counts = batch_counts(p, [int(B) for B in BATCHES[:-1]], root_seed=0, d=d, seed=seed)
    return [*(counts[B] / B for B in BATCHES[:-1]), p]


@pytest.mark.parametrize("kappa", [0.0, 1.0])
@pytest.mark.parametrize("rule", [*RULES, *OTHERS])
def test_capacity_equals_the_oracle_for_every_batch_and_map(draws, rule, kappa):
    n, d, alpha = 300, 16, 1.5
    optimizer, reference = (RULES | OTHERS)[rule]
    this = cell(RATE | optimizer, n, d, alpha, kappa, (0, 4), BATCHES)
    results = train_cell(this, lambda s: draws(n, d, s))
    for s, seed in enumerate(this["seeds"]):
        U, V = draws(n, d, seed)
        weights = batches(n, alpha, d, seed)
        V = V * spread(d, kappa)
        expected = [oracle.capacity(U, V, alpha, reference, q) for q in weights]
        assert results["capacity"][:, s, 0].tolist() == expected
        seen = [int((q > 0).sum()) for q in weights]
        assert results["items_seen"][:, s, 0].tolist() == seen
    assert (results["status"] == Status.OK).all()


@pytest.mark.parametrize("ridge", [0.0, 1e-3])
@pytest.mark.parametrize("kappa", [0.0, 2.0])
def test_newton_equals_the_oracle_for_every_batch(draws, kappa, ridge):
    n, d, alpha = 300, 16, 1.5
    optimizer = RATE | {"rule": "newton", "ridge": ridge}
    results = train_cell(
        cell(optimizer, n, d, alpha, kappa, (0, 4), BATCHES), lambda s: draws(n, d, s)
    )
    for s, seed in enumerate((0, 4)):
        U, V = draws(n, d, seed)
        V = V * spread(d, kappa)
        expected = []
        for q in batches(n, alpha, d, seed):
            rule = partial(oracle.newton, U=U, V=V, q=q, ridge=ridge)
            expected.append(oracle.capacity(U, V, alpha, rule, q))
        assert results["capacity"][:, s, 0].tolist() == expected


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), alpha=st.floats(1.1, 3.0), batch=st.sampled_from(BATCHES))
def test_newton_recovers_the_same_set_in_every_linear_frame(seed, alpha, batch):
    # Small integers: products with M are exact in float32, so both memories see the same facts.
    rng = np.random.default_rng(seed)
    n, d = 80, 6
    U = (rng.standard_normal((n, d)) / np.sqrt(d)).astype(np.float32)
    V = rng.integers(-50, 50, (n, d)).astype(np.float32)
    M = rng.integers(-9, 9, (d, d)).astype(np.float32)
    assume(np.linalg.cond(M) < 1e3)
    newton = RATE | {"rule": "newton", "ridge": 0.0}
    p = oracle.frequencies(n, alpha)
    q = p
    if np.isfinite(batch):
        counts = batch_counts(p, [int(batch)], root_seed=0, d=d, seed=seed)
        q = counts[int(batch)] / batch
    masks = []
    for outputs in (V, V @ M.T):
        data = Associations(jnp.asarray(U), jnp.asarray(outputs))
        run = Run(data, p, newton, alpha, batch_size=batch, weights=lambda step: q)
        (state,) = train(run)
        masks.append(state.observation.recall.recovered)
    np.testing.assert_array_equal(*masks)


def test_resolution_between_its_limits(draws):
    n, d = 400, 24
    U, V = draws(n, d)
    p = oracle.frequencies(n, 1.5)

    def recovered(resolution):
        optimizer = RATE | {
            "rule": "spectral",
            "map": {"name": "smoothed_polar", "resolution": resolution},
        }
        data = Associations(jnp.asarray(U), jnp.asarray(V))
        (state,) = train(Run(data, p, optimizer, 1.5))
        return state.observation.recall.recovered

    G = oracle.gradient(np.zeros((d, d)), U, V, p)
    np.testing.assert_array_equal(recovered(1e-13), oracle.recovered(oracle.polar(G), U, V))
    np.testing.assert_array_equal(recovered(1e9), oracle.recovered(G, U, V))
    # One step knows no scale: this λ lies in the middle, and so does its set.
    assert recovered(1e9).sum() < recovered(1e-2).sum() <= recovered(1e-13).sum() + 2


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


def test_frequencies_from_a_table(draws, tmp_path):
    n, d = 60, 8
    table = tmp_path / "counts.csv"
    counts = np.random.default_rng(0).integers(1, 1000, n + 20)
    table.write_text("count\n" + "\n".join(map(str, counts)) + "\n")
    this = cell(MUON, n, d) | {"frequencies": "its digest"}
    results = train_cell(this, lambda s: draws(n, d, s), table=table)
    q = np.sort(counts)[::-1][:n] / np.sort(counts)[::-1][:n].sum()
    U, V = draws(n, d)
    assert results["capacity"].item() == oracle.capacity(U, V, 1.5, oracle.polar, q)


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
    assert set(results) == set(VARIABLES)
    for name, array in results.items():
        assert array.shape == (1, 2, 1)
        assert array.dtype == VARIABLES[name].dtype
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
