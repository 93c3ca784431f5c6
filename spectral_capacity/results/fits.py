"""Fits as files: NetCDF for programs, a table for people."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from spectral_capacity.results.files import atomic_path
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.results.provenance import attributes

if TYPE_CHECKING:
    import pandas
    import xarray

PACKAGES = ("numpy", "scipy", "statsmodels", "pandas", "xarray", "netCDF4")
"""Behind the numbers of a fit."""

SHOWN = "ols"
"""The fit behind every exponent that a figure or a page shows, with the interval over resampled seeds; claims
about exponents at finite d are held against it too. So an exponent is the same number wherever it stands."""

AT_EACH_D = "at d"
"""In the column ``fit`` of the table: no fit, but the value at one d, in the columns of the level."""


def write_fits(
    path: str | os.PathLike, table: str | os.PathLike, fits: xarray.Dataset, provenance: Mapping
) -> None:
    """Write :func:`analysis.exponents.fit_exponents` as NetCDF, and what people read of it as CSV.

    The table has a row per fit; below them, where the experiment has minibatches, the critical batch size at
    each d with its interval, and as ``finite_size`` what is predicted of it without a fit parameter.
    """
    variables = {name: (v.dims, v.values, v.attrs) for name, v in fits.variables.items()}
    write_netcdf(path, variables, attributes("Exponents in d, and predictions", provenance))
    frame = _to_table(fits)
    with atomic_path(table) as temporary:
        frame.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def _to_table(fits: xarray.Dataset) -> pandas.DataFrame:
    import pandas

    frame = fits[[name for name in fits if "quantity" in fits[name].dims]].to_dataframe()
    frame = frame.dropna(subset=["exponent"]).reset_index()
    frame.insert(frame.columns.get_loc("step") + 1, "d", pandas.NA)
    # A quantity whose name is that of a variable over d has a value at each of them.
    quantities = [name for name in fits.quantity.values.tolist() if name in fits]
    rows = [_at_each_d(fits, quantity) for quantity in quantities]
    return pandas.concat([frame, *rows], ignore_index=True)


def _at_each_d(fits: xarray.Dataset, quantity: str) -> pandas.DataFrame:
    names = {
        quantity: "level",
        f"{quantity}_low": "level_low",
        f"{quantity}_high": "level_high",
        f"predicted_{quantity}": "finite_size",
    }
    frame = fits[[*names]].rename(names).to_dataframe().dropna(subset=["level"]).reset_index()
    return frame.assign(quantity=quantity, fit=AT_EACH_D, batch_size=math.inf)
