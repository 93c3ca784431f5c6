"""Fits of an experiment with minibatches: critical batch sizes, in NetCDF and in the table."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.results.fits import write_fits
from tests.unit.test_fits import SETTINGS, D, grid

D = D[1:4]


@pytest.fixture(scope="module")
def fits():
    """Of counts on a line of B^(1/α) up to B* = d², where they turn into a plateau."""
    sizes = np.append(4.0 ** np.arange(1, 12), np.inf)
    d, alpha, seeds = D, 1.5, 3
    noise = np.exp(0.02 * np.random.default_rng(0).standard_normal((d.size, 1, seeds)))
    plateau = 0.5 * d[:, None, None] ** (4 / 3) * noise
    counts = plateau * (1 + (d[:, None, None] ** 2.0 / sizes[:, None]) ** 2) ** (-1 / (2 * alpha))
    one = grid(lambda o, a, d: plateau[:, 0], d=d)
    data = xr.concat([one.assign_coords(batch_size=[B]) for B in sizes], "batch_size")
    data["capacity"][:] = counts[None, None, None, :, :, :, None]
    return fit_exponents(data, SETTINGS | {"bootstrap": 100})


def test_critical_batch_sizes_and_their_exponent(fits):
    np.testing.assert_allclose(fits.critical_batch_size.values.ravel(), D**2.0, rtol=0.2)
    line = fits.sel(quantity="critical_batch_size", fit="ols", batch_size=np.inf).squeeze()
    # The noise of a seed is that of its whole curve: it moves plateau and line, not the break.
    for name in ("exponent", "boot_low", "boot_high", "theory"):
        assert line[name].item() == pytest.approx(2.0, abs=1e-3), name
    information = fits.sel(quantity="information", fit="ols", batch_size=np.inf).squeeze()
    assert information.exponent.item() == pytest.approx(2 / 3, abs=0.03)
    assert information.theory.item() == pytest.approx(2 / 3)
    assert np.isnan(fits.theory.sel(quantity="capacity", batch_size=16.0)).all()


def test_the_table_has_the_critical_batch_size_at_each_d(fits, tmp_path):
    write_fits(tmp_path / "x.nc", tmp_path / "x.csv", fits, {})
    table = pd.read_csv(tmp_path / "x.csv")
    at_d = table[(table.quantity == "critical_batch_size") & (table.fit == "at d")]
    assert at_d.d.tolist() == D.tolist()
    np.testing.assert_allclose(at_d.level, fits.critical_batch_size.values.ravel(), rtol=1e-5)
    assert (at_d.level_low <= at_d.level).all()
    assert (at_d.level <= at_d.level_high).all()
    assert at_d.exponent.isna().all()
    assert table[table.fit != "at d"].d.isna().all()
