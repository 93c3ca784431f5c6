"""Fits of runs of many steps."""

import math
from collections import defaultdict

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.analysis.fitted_steps import fitted_steps
from spectral_capacity.memory.measured import DIMENSIONS
from spectral_capacity.results.schema import Status
from spectral_capacity.theory.exponents import gradient_exponent, muon_exponent
from spectral_capacity.theory.predictions import ceiling
from tests.unit.test_fits import CONSTANT, SETTINGS, D, grid

FAST = SETTINGS | {"bootstrap": 100}
GROWING = FAST | {"learning_rates": defaultdict(lambda: CONSTANT | {"schedule": "growing"})}


def run(capacity, steps, seeds=3, noise=0.0, sizes=(np.inf,), **axes):
    """A grid with capacity(optimizer, alpha, d, B, t) items, arrays of d, B and t, and noise of the seeds."""
    one = grid(lambda o, a, d: np.ones((d.size, seeds)), **axes)
    new = {"batch_size": list(sizes), "step": np.arange(1, steps + 1)}
    g = one.isel(batch_size=0, step=0, drop=True).expand_dims(new).transpose(*tuple(DIMENSIONS))
    g = g.map(lambda variable: variable.copy(deep=True))
    b, t = (xr.DataArray(g[dim].values, {dim: g[dim]}, (dim,)) for dim in ("batch_size", "step"))
    d = g.d.astype(float)
    values = [
        xr.concat([capacity(o, a, d, b, t) for a in g.alpha.values.tolist()], g.alpha)
        for o in g.optimizer.values.tolist()
    ]
    mean = xr.concat(values, g.optimizer).broadcast_like(g.capacity).transpose(*tuple(DIMENSIONS))
    spread = np.random.default_rng(0).standard_normal((d.size, seeds))[:, None, :, None]
    g["capacity"] = mean * np.exp(noise * spread)
    return g


def muon(optimizer, alpha, d, b, t):
    exponents = [muon_exponent(alpha, steps=int(step)) for step in t]
    return 2 * d ** xr.DataArray(exponents, t.coords)


def stop(g, after, status=Status.NOT_RUN, **where):
    """Make runs end: nothing measured after a step."""
    rest = where | {"step": slice(after, None)}
    g.capacity[rest] = np.nan
    g.status[rest] = status
    return g


def line(fits, quantity="capacity", fit="ols", **where):
    return fits.sel(quantity=quantity, fit=fit, batch_size=np.inf, **where).squeeze()


def test_which_steps_are_fitted():
    assert fitted_steps(1) == [1]
    assert fitted_steps(2) == [1, 2]
    assert fitted_steps(3) == [1, 2, 3]
    assert fitted_steps(10) == [1, 2, 3, 4, 8, 10]
    assert fitted_steps(500) == [1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 500]


def test_exponents_of_every_step():
    fits = fit_exponents(run(muon, 5, alphas=(1.5, 2.0), d=D[:3]), FAST)
    assert fits.step.values.tolist() == [1, 2, 3, 4, 5]
    for alpha in (1.5, 2.0):
        expected = [muon_exponent(alpha, steps=t) for t in range(1, 6)]
        one = line(fits, alpha=alpha)
        np.testing.assert_allclose(one.exponent, expected)
        np.testing.assert_allclose(one.theory, expected)
    # Theorems on gradients are about the first step.
    bulk = line(fits, "bulk_singular_value", alpha=1.5).theory
    np.testing.assert_array_equal(bulk, [-1.5, *[np.nan] * 4])


def test_a_long_run_is_fitted_at_few_of_its_steps():
    g = run(muon, 500, seeds=2, d=D[:2])
    fits = fit_exponents(g, FAST)
    assert fits.step.values.tolist() == fitted_steps(500)
    np.testing.assert_allclose(
        fits.mean_capacity.sel(step=256).squeeze(), g.capacity.sel(step=256).mean("seed").squeeze()
    )


def test_which_learning_rates_theorems_of_many_steps_are_about():
    names = {"gd": "gradient", "muon": "muon", "newton": "newton", "map": "none"}
    g = run(muon, 3, optimizers=tuple(names), d=D[:2])
    settings = {"theory": names, "options": {name: {} for name in names}}
    constant, growing = (
        line(fit_exponents(g, s | settings)).theory.transpose("optimizer", "step").values
        for s in (FAST, GROWING)
    )
    gd, m = ([e(1.5, steps=t) for t in (1, 2, 3)] for e in (gradient_exponent, muon_exponent))
    nan = math.nan
    no_theory = [[4 / 3, nan, nan], [nan] * 3]
    np.testing.assert_allclose(constant, [[gd[0], nan, nan], m, *no_theory])
    np.testing.assert_allclose(growing, [gd, [m[0], nan, nan], *no_theory])


def test_a_run_that_stopped_counts_with_its_last_capacity():
    g = stop(run(lambda o, a, d, b, t: d * t, 10), 6, seed=0)
    fits = fit_exponents(g, FAST)
    mean = fits.mean_capacity.squeeze().transpose("step", "d")
    np.testing.assert_allclose(mean.sel(step=4), 4 * D)
    np.testing.assert_allclose(mean.sel(step=8), (6 + 8 + 8) / 3 * D)
    np.testing.assert_allclose(mean.sel(step=10), (6 + 10 + 10) / 3 * D)
    assert fits.stopped.squeeze().isel(d=0).values.tolist() == [0, 0, 0, 0, 1, 1]
    assert (fits.flagged == 0).all()


def test_a_run_that_diverged_leaves_its_point_out():
    g = stop(run(muon, 8), 2, Status.DIVERGED, seed=0, d=1)
    fits = fit_exponents(g, FAST)
    points = line(fits).points.values
    np.testing.assert_array_equal(points, [5, 5, 4, 4, 4])
    np.testing.assert_allclose(line(fits).exponent, line(fits).theory)
    assert np.isfinite(line(fits).boot_low).all()
    assert fits.mean_capacity.isel(d=1).squeeze().isnull().values.tolist() == [0, 0, 1, 1, 1]
    assert fits.flagged.isel(d=1).squeeze().values.tolist() == [0, 0, 1, 1, 1]


def test_runs_on_batches_do_not_count_as_ended():
    g = stop(run(lambda o, a, d, b, t: d * t, 4, sizes=(16.0, np.inf)), 3, seed=0)
    mean = fit_exponents(g, FAST).mean_capacity.sel(step=4).squeeze()
    assert mean.sel(batch_size=16).isnull().all()
    np.testing.assert_allclose(mean.sel(batch_size=np.inf), (3 + 4 + 4) / 3 * D)


def test_nothing_is_left_when_all_diverged():
    g = stop(run(muon, 4), 0, Status.DIVERGED)
    fits = fit_exponents(g, FAST).sel(quantity="capacity")
    assert fits.exponent.isnull().all()
    assert fits.level.isnull().all()
    assert (fits.flagged == 3).all()


def test_the_peak_of_a_run():
    share = 0.7
    limit = xr.DataArray([ceiling(SETTINGS["n_items"], int(d)) for d in D], {"d": D})
    g = run(lambda o, a, d, b, t: share * limit * (t / 20).clip(max=1.0), 40, noise=0.01)
    fits = fit_exponents(stop(g, 25), FAST)
    peak = line(fits, "peak_capacity", fit="largest")
    assert peak.exponent.isel(step=-1).item() == pytest.approx(2, abs=0.05)
    assert peak.theory.isel(step=-1).item() == 2
    assert peak.exponent.isel(step=slice(-1)).isnull().all()
    level = line(fits, "peak_to_ceiling").level
    assert level.isel(step=-1).item() == pytest.approx(share, rel=0.03)
    one = fit_exponents(run(muon, 1), FAST)
    assert not {"peak_capacity", "peak_to_ceiling"} & set(one.quantity.values)
    growing = line(fit_exponents(g, GROWING), "peak_capacity").isel(step=-1)
    assert growing.theory.item() == 2  # of what memories hold, at any rate


def test_the_loss_of_a_step_stands_where_no_learning_rates_were_tried():
    g = run(muon, 3)
    g["loss"] = 5 * g.capacity**-0.5
    bound = line(fit_exponents(g, FAST), "loss_over_bound")
    np.testing.assert_allclose(bound.exponent, 0, atol=1e-9)
    np.testing.assert_allclose(bound.level, 5)
    np.testing.assert_array_equal(bound.theory, 0)
    g["best_loss"] = 0.5 * g.loss.where(g.step == 1)
    bound = line(fit_exponents(g, FAST), "loss_over_bound")
    np.testing.assert_allclose(bound.level, [2.5, 5, 5])


SIZES = (*4.0 ** np.arange(1, 8), np.inf)


def batches(per_step):
    """Items seen, 1.2 (t^per_step · B)^(1/α), up to a plateau that grows with the steps."""

    def capacity(optimizer, alpha, d, b, t):
        seen = 1.2 * (t**per_step * b) ** (1 / alpha)
        return np.minimum(seen, 0.3 * d ** (4 / 3) * t**0.5)

    return capacity


@pytest.mark.parametrize("per_step", [1.0, 0.5])
def test_capacity_against_the_number_of_samples(per_step):
    g = run(batches(per_step), 4, seeds=2, sizes=SIZES, noise=0.05, d=D[1:3])
    fits = fit_exponents(g, FAST)
    at_a_step = line(fits, "information")
    np.testing.assert_allclose(at_a_step.exponent, 2 / 3, atol=1e-6)
    np.testing.assert_allclose(at_a_step.theory, 2 / 3)
    over_steps = line(fits, "information_steps")
    assert over_steps.exponent.isel(step=slice(-1)).isnull().all()
    last = over_steps.isel(step=-1)
    for name in ("exponent", "boot_low", "boot_high"):  # a seed's noise moves its curves as a whole
        assert last[name].item() == pytest.approx(per_step * 2 / 3, abs=1e-6), name
    assert last.theory.item() == pytest.approx(2 / 3)
    assert last.finite_size.item() == pytest.approx(2 / 3, abs=0.1)
    assert last.points.item() > 15
    critical = fits.critical_batch_size.squeeze().transpose("step", "d").values
    t = fits.step.values[:, None]
    expected = (0.25 * D[1:3] ** (4 / 3)) ** 1.5 * t ** (0.75 - per_step)
    np.testing.assert_allclose(critical, expected, rtol=0.25)
