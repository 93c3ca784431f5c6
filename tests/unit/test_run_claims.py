"""Claims about runs of a memory: what each measured, or one optimizer against another, seed by seed."""

import json
import math

import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError

from spectral_capacity.analysis.claims import check
from spectral_capacity.analysis.claims_file import RunClaim, read_claims
from spectral_capacity.analysis.run_claims import mean_interval
from spectral_capacity.analysis.run_quantities import depth, swing
from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_MEASURED,
    SUPPORTED,
    TOO_SMALL,
)
from spectral_capacity.report.claims_page import to_html
from spectral_capacity.results.schema import RATE_FACTOR, Status

CLAIM = {
    "id": "A",
    "statement": "One stores twice as much as the other.",
    "source": "a test",
    "experiment": "made",
    "statistic": "ratio",
    "optimizer": "one",
    "against": "other",
    "quantity": "capacity",
    "predicted": 2.0,
    "tolerance": 0.2,
}
ALONE = {"against": None, "quantity": "loss", "predicted": -0.5}
SEEDS, D, STEPS, BATCHES = 5, (32, 64, 128), 8, (16.0, 64.0, 256.0, math.inf)


def grid(**variables):
    """Each: value(optimizer, d, B, seed, t) with a little luck of the seed, which both optimizers share."""
    names = ["one", "other"]
    coordinates = {"optimizer": names, "alpha": [1.5], "kappa": [0.0], "d": [*D]}
    coordinates |= {
        "batch_size": [*BATCHES],
        "seed": [*range(SEEDS)],
        "step": [*range(1, STEPS + 1)],
    }
    shape = [len(values) for values in coordinates.values()]
    made = xr.Dataset(coords=coordinates)
    luck = np.random.default_rng(0).normal(size=SEEDS)
    for name, value in variables.items():
        values = np.zeros(shape)
        for i, _, _, j, k, s, t in np.ndindex(*shape):
            of = value(names[i], D[j], BATCHES[k], t + 1)
            values[i, 0, 0, j, k, s, t] = of * math.exp(
                0.3 * luck[s] + 0.01 * luck[(s + i) % SEEDS]
            )
        made[name] = ([*coordinates], values)
    made["status"] = ([*coordinates], np.full(shape, Status.OK, np.int8))
    return made


def swept(grid, factors, value):
    """A grid of a sweep by loss, of which the first seed chooses; value(optimizer, d, factor) multiplies it."""
    rates = [_at(grid, factor, value) for factor in factors]
    made = xr.concat(rates, xr.DataArray(factors, dims=RATE_FACTOR, name=RATE_FACTOR))
    made["status"] = xr.zeros_like(made.loss, dtype=np.int8)
    sweep = {"factors": factors, "by": "loss", "step": None, "tuning_seeds": 1}
    rate = {"scale": 1.0, "d_power": 0.5, "schedule": "constant", "sweep": sweep}
    definitions = {name: {"learning_rate": rate} for name in ("one", "other")}
    return made.assign_attrs(provenance=json.dumps({"configuration": {"definitions": definitions}}))


def _at(grid, factor, value):
    scale = [[value(name, d, factor) for d in D] for name in ("one", "other")]
    scaled = grid.loss * xr.DataArray(scale, {"optimizer": ["one", "other"], "d": [*D]})
    return grid.drop_vars("status").assign(loss=scaled)


def judged(measured, **changes):
    return check([RunClaim(**CLAIM | changes)], {}, {"made": measured})


def test_a_ratio_is_seed_by_seed():
    rows = judged(grid(capacity=lambda o, d, B, t: d * (2 if o == "one" else 1)))
    assert rows.verdict.tolist() == [SUPPORTED]
    np.testing.assert_allclose(rows.measured, 2.0, rtol=0.02)  # luck of a seed is thirty times that
    assert (rows.against.item(), rows.step.item(), rows.seeds.item()) == ("other", STEPS, SEEDS)
    assert rows.largest_d.item() == D[-1]
    assert "÷ that of the other optimizer" in to_html(rows)
    rows = judged(grid(capacity=lambda o, d, B, t: d * (3 if o == "one" else 1)))
    assert rows.verdict.tolist() == [CONTRADICTED]


def test_a_count_of_zero_decides_nothing():
    rows = judged(grid(capacity=lambda o, d, B, t: d if o == "one" else 0))
    assert rows.verdict.tolist() == [INCONCLUSIVE]


def test_rows_are_of_every_batch_and_step_that_is_asked_for():
    made = grid(capacity=lambda o, d, B, t: d * t * (2 if o == "one" else 1))
    rows = judged(made, batch_sizes=[16, 17, "population"], steps=[1, 8, 9])
    assert rows[["batch_size", "step"]].fillna(0).values.tolist() == [
        [16, 1],
        [16, 8],
        [0, 1],
        [0, 8],
    ]


EXPONENTS = {
    "of a ratio in d": (
        {"statistic": "ratio_exponent", "predicted": 0.25},
        lambda o, d, B, t: d ** (1.5 if o == "one" else 1.25),
    ),
    "of one in d": (
        {"statistic": "exponent_of_runs", "against": None, "predicted": 1.5},
        lambda o, d, B, t: d ** (1.5 if o == "one" else 1.25),
    ),
    "in the number of steps": (
        {"statistic": "step_exponent", "against": None, "predicted": 0.75},
        lambda o, d, B, t: d * t**0.75,
    ),
}


@pytest.mark.parametrize("case", EXPONENTS)
def test_exponents_of_known_laws(case):
    changes, value = EXPONENTS[case]
    rows = judged(grid(capacity=value), tolerance=0.02, **changes)
    assert rows.verdict.tolist() == [SUPPORTED]
    wrong = judged(
        grid(capacity=value), **changes | {"predicted": changes["predicted"] + 0.1}, tolerance=0.02
    )
    assert wrong.verdict.tolist() == [CONTRADICTED]


def test_the_best_rate_of_each_seed_lies_between_those_that_were_tried():
    """A loss whose logarithm is a parabola about 0.3·d^(1/4): with η = factor·√d its exponent is 3/4."""
    plain = grid(loss=lambda o, d, B, t: 1.0, capacity=lambda o, d, B, t: 1.0)
    best = lambda d: 0.3 * d**0.25  # noqa: E731
    made = swept(plain, [0.25, 0.5, 1, 2, 4], lambda o, d, f: math.exp(math.log(f / best(d)) ** 2))
    changes = ALONE | {"statistic": "rate_exponent", "predicted": 0.75, "tolerance": 1e-6}
    rows = judged(made, **changes)
    assert rows.measured.tolist() == pytest.approx([0.75])
    assert rows.seeds.tolist() == [SEEDS - 1]
    at_the_edge = swept(plain, [0.25, 0.5], lambda o, d, f: 1 / f)
    assert judged(at_the_edge, **changes).verdict.tolist() == [INCONCLUSIVE]


def test_a_critical_batch_size_against_another():
    """Steps to 2d items: S_min (1 + B_c/B), with B_c of the one four times that of the other."""
    critical = {"one": 60.0, "other": 15.0}

    def capacity(o, d, B, t):
        return 2 * d * t / (2 * (1 + critical[o] / B))

    plain = grid(loss=lambda o, d, B, t: 1.0, capacity=capacity)
    plain["capacity"] = plain.capacity / plain.capacity.isel(d=0, step=0, batch_size=-1) * 32
    made = swept(plain.isel(step=slice(8)), [0.5, 1.0, 2.0], lambda o, d, f: 1.0)
    rows = judged(made, statistic="critical_batch_ratio", items=2.0, predicted=4.0)
    assert rows.measured.tolist() == pytest.approx([4.0], rel=0.02)


def test_the_swing_and_the_depth_of_what_is_known():
    made = grid(capacity=lambda o, d, B, t: 10 + 2 * (t % 2) * (o == "one"))
    made["capacity"] = made.capacity.round()
    found = swing(made).isel(step=0, seed=0, d=0, batch_size=0).squeeze()
    counts = made.capacity.isel(seed=0, d=0, batch_size=0, step=slice(4, None)).squeeze()
    expected = np.abs(np.diff(counts.values, axis=-1)).mean(-1) / counts.values.mean(-1)
    np.testing.assert_allclose(found, expected)
    assert depth(xr.DataArray(3.4445**5), xr.DataArray(1.0)) == pytest.approx(5.0)


def test_few_seeds_are_too_small_and_missing_ones_are_told():
    made = grid(capacity=lambda o, d, B, t: d * (2 if o == "one" else 1))
    for few in (1, 3):
        assert judged(made.isel(seed=slice(few))).verdict.tolist() == [TOO_SMALL]
    assert judged(made.isel(d=[0])).verdict.tolist() == [TOO_SMALL]
    rows = judged(made, against="absent")
    assert rows.verdict.tolist() == [NOT_MEASURED]
    assert "absent is not among" in rows.reason.item()


def test_rates_that_were_not_swept_have_no_best_one():
    made = grid(capacity=lambda o, d, B, t: d)
    for statistic in (
        {"statistic": "critical_batch_ratio"},
        ALONE | {"statistic": "rate_exponent"},
    ):
        assert judged(made, **statistic).verdict.tolist() == [NOT_MEASURED]


def test_intervals_hold_the_mean_as_often_as_they_say():
    draws = np.random.default_rng(0).normal(size=(2000, 4))
    held = [low <= 0 <= high for low, high in map(mean_interval, draws)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


REFUSED = {
    "two are compared": ({"against": None}, "ratio needs another optimizer: against"),
    "one is not": (ALONE | {"statistic": "step_exponent", "against": "x"}, "no against"),
    "not with itself": ({"against": ["one"]}, "'one' against itself"),
    "an unknown quantity": ({"quantity": "luck"}, "'luck' is not known; allowed: capacity"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused(case):
    changes, message = REFUSED[case]
    with pytest.raises(ValidationError, match=message):
        RunClaim(**CLAIM | changes)


def test_a_file_may_have_them(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text(json.dumps([CLAIM]))
    (claim,) = read_claims(path)
    assert isinstance(claim, RunClaim)
