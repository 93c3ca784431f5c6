"""Several steps against the oracle, and what a run does when it ends early or goes wrong."""

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest

from spectral_capacity.memory.associations import Associations
from spectral_capacity.optimizers import maps as spectral
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.batches import batch_counts
from spectral_capacity.training import observation
from spectral_capacity.training import steps as training
from spectral_capacity.training.cell import train_cell
from spectral_capacity.training.run import EarlyStop, Run
from spectral_capacity.training.steps import State, train
from tests import oracle
from tests.unit.cells import GD, MUON, OTHERS, RATE, RULES, cell

STEPS = 3
OPTIMIZERS = {
    name: ({"learning_rate": {"scale": 1.5, "d_power": 0.5}} | given, rule)
    for name, (given, rule) in (RULES | OTHERS).items()
}
# Gradient descent at Muon's rate would learn one item in three steps.
OPTIMIZERS["gd"] = (GD | {"learning_rate": {"scale": 50.0, "d_power": 0.5}}, RULES["gd"][1])
GROWING = {
    "rule": "gradient",
    "learning_rate": {"scale": 2.0, "d_power": 0.0, "schedule": "growing"},
}


def memory(U, V):
    return Associations(jnp.asarray(U), jnp.asarray(V))


def constant(optimizer, d):
    rate = optimizer["learning_rate"]
    return lambda t: rate["scale"] * d ** rate["d_power"]


def batch(p, size, d, t):
    return batch_counts(p, [size], root_seed=0, d=d, seed=0, step=t)[size] / size


@pytest.mark.parametrize("batch_size", [200, np.inf])
@pytest.mark.parametrize("gradient", ["exact", "thresholded"])
@pytest.mark.parametrize("name", [*OPTIMIZERS, "newton"])
def test_three_steps_equal_the_oracle(draws, name, gradient, batch_size):
    n, d, alpha = 300, 16, 1.5
    U, V = draws(n, d)
    p = oracle.frequencies(n, alpha)

    def q(t):
        return p if np.isinf(batch_size) else batch(p, batch_size, d, t)

    if name == "newton":
        # One batch for all steps: the oracle's preconditioner is made once.
        def q(t):
            return p if np.isinf(batch_size) else batch(p, batch_size, d, 1)

        optimizer = {
            "rule": "newton",
            "ridge": 1e-3,
            "learning_rate": {"scale": 3.0, "d_power": 0.0},
        }
        rule = partial(oracle.newton, U=U, V=V, q=q(1), ridge=1e-3)
    else:
        optimizer, rule = OPTIMIZERS[name]
    run = Run(
        memory(U, V),
        p,
        optimizer,
        alpha,
        steps=STEPS,
        gradient=gradient,
        batch_size=float(batch_size),
        weights=None if np.isinf(batch_size) else q,
    )
    expected = oracle.train(
        U, V, q, rule, constant(optimizer, d), STEPS, thresholded=gradient == "thresholded"
    )
    states = list(train(run))
    assert [s.step for s in states] == [1, 2, 3]
    for state, (_, known) in zip(states, expected, strict=True):
        np.testing.assert_array_equal(state.observation.recall.recovered, known)
    seen = np.cumsum([q(t) > 0 for t in (1, 2, 3)], axis=0) > 0
    assert [s.observation.measured["items_seen"] for s in states] == seen.sum(axis=1).tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "alpha"),
    [("muon", 1.25), ("muon", 3.0)] + [(name, 2.0) for name in OPTIMIZERS if name != "muon"],
)
def test_three_steps_of_a_larger_memory_equal_the_oracle(draws, name, alpha):
    n, d = 1000, 32
    optimizer, rule = OPTIMIZERS[name]
    U, V = draws(n, d)
    p = oracle.frequencies(n, alpha)
    results = train_cell(cell(optimizer, n, d, alpha, steps=STEPS), lambda s: (U, V))
    rate = constant(optimizer, d)
    expected = oracle.train(U, V, lambda t: p, rule, rate, STEPS)
    assert results["capacity"][0, 0].tolist() == [known.sum() for _, known in expected]
    masses = [p[known].sum() for _, known in expected]
    np.testing.assert_allclose(results["recovered_mass"][0, 0], masses, rtol=1e-12)
    prefixes = [np.append(known, False).argmin() for _, known in expected]
    assert results["prefix_capacity"][0, 0].tolist() == prefixes
    robust = [
        max((m for m in range(1, n + 1) if known[:m].sum() >= 0.95 * m), default=0)
        for _, known in expected
    ]
    assert results["robust_prefix"][0, 0].tolist() == robust
    ever = np.logical_or.accumulate([known for _, known in expected])
    lost = [(earlier & ~known).sum() for earlier, (_, known) in zip(ever, expected, strict=True)]
    assert results["forgotten"][0, 0].tolist() == lost
    loss = oracle.loss(expected[0][0], U, V) @ p
    assert results["loss"][0, 0, 0] == pytest.approx(loss, rel=1e-5)
    last = oracle.loss(expected[-1][0], U, V) @ p
    assert results["loss"][0, 0, -1] == pytest.approx(last, rel=1e-4)


def test_every_step_of_a_cell_has_a_batch_of_its_own(draws):
    n, d, B = 300, 16, 200
    U, V = draws(n, d)
    p = oracle.frequencies(n, 1.5)
    this = cell(MUON, n, d, steps=STEPS, batch_sizes=(float(B),))
    results = train_cell(this, lambda s: (U, V))
    rate = constant(MUON, d)
    expected = oracle.train(U, V, lambda t: batch(p, B, d, t), oracle.polar, rate, STEPS)
    assert results["capacity"][0, 0].tolist() == [known.sum() for _, known in expected]
    seen = np.cumsum([batch(p, B, d, t) > 0 for t in (1, 2, 3)], axis=0) > 0
    assert results["items_seen"][0, 0].tolist() == seen.sum(axis=1).tolist()
    assert seen[0].sum() < seen[2].sum()


def test_a_resolution_follows_the_bulk_from_step_to_step(draws):
    n, d, alpha, t = 300, 16, 1.5, iter((1, 2, 3))
    U, V = draws(n, d)
    p = oracle.frequencies(n, alpha)
    soft = {
        "rule": "spectral",
        "map": {"name": "smoothed_polar", "resolution": 0.3, "unit": "bulk"},
        "learning_rate": {"scale": 2.0, "d_power": 0.5},
    }

    def rule(G):
        exponent = 2 - (1 - 1 / (2 * alpha)) ** next(t)
        resolution = 0.3 * d ** (0.5 - alpha * exponent)
        A, sigma, B = np.linalg.svd(G)
        return (A * (sigma / np.hypot(sigma, resolution))) @ B

    rate = constant(soft, d)
    expected = oracle.train(U, V, lambda t: p, rule, rate, STEPS, thresholded=True)
    run = Run(memory(U, V), p, soft, alpha, steps=STEPS, gradient="thresholded")
    for state, (W, known) in zip(train(run), expected, strict=True):
        np.testing.assert_allclose(state.W, W, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(state.observation.recall.recovered, known)


def test_the_first_of_many_steps_is_the_one_step(draws):
    one, many = (
        train_cell(
            cell(MUON, 400, 24, steps=steps, batch_sizes=(100.0, np.inf)),
            lambda s: draws(400, 24, s),
        )
        for steps in (1, 3)
    )
    for name in one:
        if "loss" not in name:  # that comes with the gradient of the next step
            np.testing.assert_array_equal(many[name][..., :1], one[name], err_msg=name)


def test_thresholded_needs_the_gradient_at_zero_only(draws, monkeypatch):
    n, d = 2000, 24
    exact = train_cell(cell(MUON, n, d, steps=1), lambda s: draws(n, d, s))
    monkeypatch.delattr(training, "softmax_gradient")
    for n_squared in ("softmax_gradient", "competitor_softmax"):
        monkeypatch.delattr(observation, n_squared)
    this = cell(MUON, n, d, steps=3, gradient="thresholded")
    results = train_cell(this, lambda s: draws(n, d, s))
    assert results["capacity"][0, 0, 0] == exact["capacity"][0, 0, 0]
    assert np.isnan(results["loss"]).all()


@pytest.mark.parametrize("rank", [16, 15, 8])
def test_directions_that_nothing_spans_are_dropped_at_every_step(rank):
    """Outputs of exact rank: a float32 pass leaves noise in the other directions."""
    n, d = 1000, 32
    rng = np.random.default_rng(1)
    V = np.round(32 * rng.standard_normal((n, rank))) @ rng.choice([-1.0, 1.0], (rank, d)) / 512
    U = rng.standard_normal((n, d)) / np.sqrt(d)
    p = oracle.frequencies(n, 1.5)
    run = Run(memory(U.astype(np.float32), V.astype(np.float32)), p, MUON, 1.5, steps=4)
    for state in train(run):
        assert state.observation.measured["null_directions"] == d - rank
        assert state.observation.measured["status"] == Status.PRECISION_LIMITED


def test_a_gradient_of_zero_moves_nothing(draws, monkeypatch):
    """Thresholded and on batches of one there is soon nothing left to learn; no map is asked then."""

    def polar(gradient, context):
        return gradient.with_singular_values(gradient.singular_values / gradient.singular_values[0])

    monkeypatch.setitem(spectral.MAPS, "polar", polar)
    this = cell(MUON, 60, 16, steps=12, batch_sizes=(1.0,), gradient="thresholded")
    results = train_cell(this, lambda s: draws(60, 16, s))
    assert (results["sigma_max"][0, 0] == 0).any()
    assert (results["capacity"][0, 0] >= 1).all()


def test_one_step_recalls_the_same_at_any_rate(draws):
    def counts(scale):
        fast = MUON | {"learning_rate": {"scale": scale, "d_power": 0.0}}
        return train_cell(cell(fast, 300, 16), lambda s: draws(300, 16, s))

    slow, fast = counts(1.0), counts(1e18)
    assert slow["capacity"].item() == fast["capacity"].item() > 0
    assert fast["status"].item() == Status.OK


def test_growing_rates_follow_the_theorem(draws):
    n, d, alpha = 300, 16, 1.5
    U, V = draws(n, d)
    p = oracle.frequencies(n, alpha)
    exponents = [1 / 3, 2 / 3, 1, 4 / 3, 14 / 9]
    expected = oracle.train(
        U, V, lambda t: p, lambda G: G, lambda t: 2.0 * d ** (alpha * exponents[t - 1]), 5
    )
    results = train_cell(cell(GROWING, n, d, alpha, steps=5), lambda s: (U, V))
    assert results["capacity"][0, 0].tolist() == [known.sum() for _, known in expected]


@pytest.mark.slow
def test_a_run_can_be_taken_up_after_any_step(draws):
    n, d = 500, 16
    p = oracle.frequencies(n, 1.5)
    for weights in (None, lambda t: batch(p, 300, d, t)):
        run = Run(memory(*draws(n, d)), p, MUON, 1.5, steps=5, weights=weights)
        states = list(train(run))
        for state in states:
            bare = State.start(run).restored(state.step, state.arrays())
            for again, before in zip(train(run, bare), states[state.step :], strict=True):
                np.testing.assert_array_equal(again.W, before.W)
                np.testing.assert_equal(again.observation.measured, before.observation.measured)


def test_early_stop():
    stop = EarlyStop(window=2, gain=0.1)
    assert not stop(np.array([50, 50]))
    assert stop(np.array([50, 50, 50]))
    assert stop(np.array([100, 50, 109]))
    assert not stop(np.array([100, 50, 110]))
    assert not stop(np.array([100, 130, 80]))  # alternates: 80 is no end
    assert stop(np.array([100, 130, 80, 120]))
    assert stop(np.array([0, 0, 0]))
    assert not stop(np.array([0, 0, 1]))


def test_steps_after_an_early_stop_are_missing(draws):
    stop = {"window": 2, "gain": 0.5}
    this = cell(MUON, 300, 16, steps=30, seeds=(0, 1)) | {"early_stop": stop}
    results = train_cell(this, lambda s: draws(300, 16, s))
    for s in (0, 1):
        counts = results["capacity"][0, s]
        ran = int((counts >= 0).sum())
        assert 3 <= ran < 30
        assert (counts[ran:] == -1).all()
        assert (results["status"][0, s, :ran] <= Status.PRECISION_LIMITED).all()
        assert (results["status"][0, s, ran:] == Status.NOT_RUN).all()
        assert np.isnan(results["recovered_mass"][0, s, ran:]).all()
        assert EarlyStop(**stop)(counts[:ran])
        assert not EarlyStop(**stop)(counts[: ran - 1])


@pytest.mark.parametrize("scale", [1e14, 1e300])
def test_a_diverging_run_says_at_which_step(draws, scale):
    fast = RATE | {"rule": "gradient", "learning_rate": {"scale": scale, "d_power": 4.0}}
    lines = []
    this = cell(fast, 60, 8, steps=4, seeds=(0, 1))
    results = train_cell(this, lambda s: draws(60, 8, s), lines.append)
    status = results["status"][0]
    assert (status[:, -1] == Status.DIVERGED).all()
    assert (results["capacity"][0][status == Status.DIVERGED] == -1).all()
    assert np.isnan(results["logit_noise"][0][status == Status.DIVERGED]).all()
    step = int((status[0] != Status.DIVERGED).sum()) + 1
    assert f"seed 0, batch size inf: diverged at step {step}" in lines


def test_what_was_measured_before_a_divergence_stays(draws):
    fast = {"rule": "sign", "learning_rate": {"scale": 6e14, "d_power": 0.0}}
    lines = []
    results = train_cell(cell(fast, 60, 8, steps=4), lambda s: draws(60, 8, s), lines.append)
    one = train_cell(cell(fast, 60, 8, steps=1), lambda s: draws(60, 8, s))
    assert results["status"][0, 0].tolist() == [one["status"][0, 0, 0], *[Status.DIVERGED] * 3]
    assert one["status"][0, 0, 0] != Status.DIVERGED
    assert results["capacity"][0, 0].tolist() == [one["capacity"][0, 0, 0], -1, -1, -1]
    assert any("diverged at step 2" in line for line in lines)
