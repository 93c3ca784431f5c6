"""One step of every optimizer against the oracle."""

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spectral_capacity.memory.associations import Associations
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.batches import batch_counts
from spectral_capacity.training.cell import train_cell
from spectral_capacity.training.run import Run
from spectral_capacity.training.steps import train
from tests import oracle
from tests.unit.cells import OTHERS, RATE, RULES, cell

BATCHES = (3.0, 16.0, 200.0, 5000.0, np.inf)


def spread(d, kappa):
    """What isotropic outputs are multiplied by."""
    scale = np.arange(1, d + 1.0) ** -kappa
    return np.sqrt(d * scale / scale.sum()).astype(np.float32)


def batches(n, alpha, d, seed):
    """Weights of every batch: the package's own counts, whose law has its own tests."""
    p = oracle.frequencies(n, alpha)
    counts = batch_counts(p, [int(B) for B in BATCHES[:-1]], root_seed=0, d=d, seed=seed)
    return [*(counts[B] / B for B in BATCHES[:-1]), p]


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


@pytest.mark.parametrize("rule", ["gd", "muon"])
def test_duplicated_items(draws, rule):
    n, d = 200, 16
    U, V = draws(n, d)
    U[100:], V[100:] = U[:100], V[:100]
    results = train_cell(cell(RULES[rule][0], n, d), lambda s: (U, V))
    assert results["capacity"].item() == 0 == oracle.capacity(U, V, 1.5, RULES[rule][1])
