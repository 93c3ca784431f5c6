"""Learning rates that change: optax's schedules, and runs that go on to their end."""

import numpy as np
import optax
import pytest

from spectral_capacity import measure
from spectral_capacity.config.messages import ConfigError
from spectral_capacity.results.schema import Status
from spectral_capacity.theory.learning_rates import rate_at

POLAR = {"rule": "spectral", "map": {"name": "polar"}}
T, W = 12, 4


def shares(schedule, warmup=0):
    rate = {"scale": 3.0, "d_power": 0.5, "schedule": schedule, "warmup": warmup}
    return [rate_at(rate, 16, 1.5, t, T) / 12 for t in range(1, T + 1)]


@pytest.mark.parametrize(
    ("schedule", "of_optax"),
    [
        ("constant", optax.constant_schedule(1.0)),
        ("linear", optax.linear_schedule(1.0, 0.0, T)),
        ("cosine", optax.cosine_decay_schedule(1.0, T)),
    ],
)
def test_schedules_are_those_of_optax(schedule, of_optax):
    np.testing.assert_allclose(shares(schedule), [of_optax(t) for t in range(T)], atol=1e-7)


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_a_warm_up_rises_to_where_the_schedule_begins(schedule):
    found = shares(schedule, W)
    np.testing.assert_allclose(found[:W], [0.25, 0.5, 0.75, 1.0])
    assert found[W] == 1
    rest = optax.linear_schedule(1.0, 0.0, T - W)
    if schedule == "linear":
        np.testing.assert_allclose(found[W:], [rest(t) for t in range(T - W)], atol=1e-7)


def test_each_step_is_made_at_its_rate():
    """Of gradients at zero, which thresholding keeps: W is their sum, so its norm that of the rates."""
    sizes = {"n_items": 300, "d": 8, "alpha": 1.5, "seeds": 1, "steps": 3, "loss": {}}
    flat, falling = (
        measure({"m": POLAR | {"learning_rate": {"scale": 1e-6, "schedule": s}}}, **sizes)
        for s in ("constant", "linear")
    )
    ratio = (falling.logit_noise / flat.logit_noise).values.ravel()
    np.testing.assert_allclose(ratio, [1, (1 + 2 / 3) / 2, (1 + 2 / 3 + 1 / 3) / 3], rtol=1e-4)


def test_a_rate_that_decays_is_not_stopped_early():
    stop = {"early_stop": {"window": 1, "gain": 0.9}, "steps": 4}
    rates = {
        s: POLAR | {"learning_rate": {"d_power": 0.5, "schedule": s}}
        for s in ("constant", "cosine")
    }
    grid = measure(rates, n_items=200, d=16, alpha=1.5, seeds=1, **stop)
    assert (grid.status.sel(optimizer="constant", step=4) == Status.NOT_RUN).all()
    assert (grid.status.sel(optimizer="cosine") == Status.OK).all()


def test_a_warm_up_without_an_end_is_refused():
    rate = {"learning_rate": {"warmup": 5}}
    with pytest.raises(ConfigError, match="'m' has a warmup of 5 steps; there are 4"):
        measure({"m": POLAR | rate}, n_items=200, d=16, alpha=1.5, seeds=1, steps=4)
