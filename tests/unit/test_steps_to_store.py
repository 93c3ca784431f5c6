"""Steps to a number of items, and the batch size from which on more samples save no steps."""

import json

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.steps_to_store import (
    CriticalBatch,
    at_best_rates,
    critical_batch,
    steps_needed,
)
from spectral_capacity.memory.measured import SWEPT_SCHEMA
from spectral_capacity.results.schema import RATE_FACTOR, Status

SIZES = np.array([16.0, 64.0, 256.0, 1024.0, 4096.0, np.inf])


@pytest.mark.parametrize(
    ("counts", "items", "expected"),
    [
        ([4.0, 8.0, 12.0], 8, 2.0),
        ([4.0, 8.0, 12.0], 9, 2.25),
        ([4.0, 8.0, 12.0], 2, 0.5),
        ([4.0, 8.0, 12.0], 13, np.nan),
        ([4.0, 20.0, 3.0, 30.0], 10, 1.375),
        ([np.nan, np.nan], 1, np.nan),
        ([0.0, np.nan, 9.0], 5, np.nan),
    ],
)
def test_the_first_time_is_interpolated(counts, items, expected):
    counts = xr.DataArray(counts, dims="step")
    np.testing.assert_equal(steps_needed(counts, items).item(), expected)


def test_a_known_law_is_found_and_its_interval_holds_it():
    rng, held = np.random.default_rng(0), 0
    for _ in range(40):
        noise = np.exp(0.1 * rng.standard_normal((SIZES.size, 6)))
        steps = 3 * (1 + 500 / SIZES)[:, None] * noise
        found = critical_batch(SIZES, steps, resamples=100)
        assert found.batch_size == pytest.approx(500, rel=0.4)
        held += found.low <= 500 <= found.high
    assert held >= 34
    exact = critical_batch(SIZES, 3 * (1 + 500 / SIZES)[:, None])
    assert exact.batch_size == pytest.approx(500, rel=1e-3)
    assert exact.least_steps == pytest.approx(3, rel=1e-3)
    assert np.isnan(exact.low)
    np.testing.assert_allclose(exact.steps(SIZES), 3 * (1 + 500 / SIZES), rtol=1e-3)


def test_batches_that_never_come_so_far_are_left_out():
    steps = 3 * (1 + 500 / SIZES)[:, None] * np.ones(4)
    steps[0, 2] = np.nan
    assert critical_batch(SIZES, steps).batch_size == pytest.approx(500, rel=1e-3)
    steps[1:4, 0] = np.nan
    assert np.isnan(critical_batch(SIZES, steps).batch_size)
    assert np.isnan(CriticalBatch().steps(SIZES)).all()


def test_each_batch_is_at_the_rate_at_which_tuning_seeds_are_fastest():
    sizes = {"optimizer": ["muon"], "alpha": [1.5], "kappa": [0.0], "d": [64]}
    sizes |= {
        "batch_size": [8.0, np.inf],
        RATE_FACTOR: [0.5, 1.0],
        "seed": range(3),
        "step": [1, 2, 3, 4],
    }
    coords = {dim: list(sizes[dim]) for dim in SWEPT_SCHEMA.dimensions}
    speed = xr.DataArray([[1.0, 2.0], [4.0, 3.0]], dims=("batch_size", RATE_FACTOR))
    seeds = xr.DataArray([1.0, 1.1, 1.2], dims="seed")
    steps = xr.DataArray([1.0, 2.0, 3.0, 4.0], dims="step")
    capacity = xr.zeros_like(xr.DataArray(0.0, coords, tuple(coords))) + speed * seeds * steps
    grid = xr.Dataset({"capacity": capacity, "status": xr.zeros_like(capacity, np.int8)}, coords)
    sweep = {"factors": [0.5, 1.0], "by": "capacity", "step": None, "tuning_seeds": 1}
    made = {"configuration": {"definitions": {"muon": {"learning_rate": {"sweep": sweep}}}}}
    grid.attrs["provenance"] = json.dumps(made)
    found = at_best_rates(grid, 4.0).squeeze()
    assert found.seed.values.tolist() == [1, 2]
    np.testing.assert_allclose(found.sel(batch_size=8.0), [4 / 2.2, 4 / 2.4])
    np.testing.assert_allclose(found.sel(batch_size=np.inf), [4 / 4.4, 4 / 4.8])
    grid.status.loc[{"batch_size": 8.0, RATE_FACTOR: 1.0, "seed": 0}] = Status.DIVERGED
    found = at_best_rates(grid, 4.0).squeeze()
    np.testing.assert_allclose(found.sel(batch_size=8.0), [4 / 1.1, 4 / 1.2])
    assert at_best_rates(grid, 1000.0).isnull().all()
