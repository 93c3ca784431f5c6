"""``fit`` of a grid that was measured before: selections of it, its table, its settings."""

import numpy as np
import pytest
import xarray as xr

from spectral_capacity import fit, measure
from spectral_capacity.config.messages import ConfigError
from tests.unit.test_measuring import POLAR, SMALL


def test_a_table_that_has_changed_since_the_grid_was_measured(tmp_path):
    """Also where the exponent of its tail has not."""
    table = tmp_path / "counts.csv"
    counts = 10**6 // np.arange(1, 201)
    table.write_text("count\n" + "\n".join(map(str, counts)) + "\n")
    frequencies = {"file": str(table), "tail_from": 50}
    grid = measure({"polar": POLAR}, **SMALL | {"alpha": None, "frequencies": frequencies})
    fits = fit(grid)
    counts[:20] *= 50
    table.write_text("# moved\ncount\n" + "\n".join(map(str, counts)) + "\n")
    with pytest.raises(ValueError, match=r"counts\.csv: has changed since the grid was measured"):
        fit(grid)
    counts[:20] //= 50
    table.write_text("# as before\ncount\n" + "\n".join(map(str, counts)) + "\n")
    xr.testing.assert_identical(fit(grid), fits)


def test_a_selection_of_a_grid_is_fitted_as_what_it_is_of():
    grid = measure({"gd": {"rule": "gradient"}}, **SMALL | {"d": [8, 16], "alpha": [1.5, 2.0]})
    for selection in (grid.isel(alpha=0), grid.sel(alpha=1.5).squeeze()):
        xr.testing.assert_identical(fit(selection), fit(grid.sel(alpha=[1.5])))
    one_d = grid.isel(alpha=0, d=0)
    xr.testing.assert_identical(fit(one_d), fit(grid.isel(alpha=[0], d=[0])))
    with pytest.raises(ValueError, match=r"no coordinate 'alpha'.*grid\.sel\(alpha=\[…\]\)"):
        fit(grid.isel(alpha=0, drop=True))


def test_a_fit_needs_the_steps_from_the_first_on():
    grid = measure({"gd": {"rule": "gradient"}}, steps=3, **SMALL)
    assert fit(grid.isel(step=0)).step.values.tolist() == [1]
    assert fit(grid.sel(step=slice(2))).step.values.tolist() == [1, 2]
    for steps in (3, [1, 3]):
        with pytest.raises(
            ValueError, match=r"has the steps .*3\]; a fit needs all from the first"
        ):
            fit(grid.sel(step=steps))


def test_settings_of_a_fit():
    grid = measure({"gd": {"rule": "gradient"}}, **SMALL | {"d": [8, 16, 32], "seeds": 3})
    wide, narrow = (fit(grid, confidence=c).ci_high.sum().item() for c in (0.99, 0.5))
    assert wide > narrow
    with pytest.raises(ConfigError, match="bootstrap: 3: must be greater than or equal to 100"):
        fit(grid, bootstrap=3)
    with pytest.raises(ValueError, match="no grid of measure"):
        fit(grid.assign_attrs(provenance="{}"))
    with pytest.raises(ValueError, match="no grid of measure"):
        fit(xr.Dataset())
