"""Fits as files: NetCDF for programs, a table for people."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from spectral_capacity.results.files import atomic_path
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.results.provenance import attributes

if TYPE_CHECKING:
    import xarray


def write_fits(
    path: str | os.PathLike, table: str | os.PathLike, fits: xarray.Dataset, provenance: Mapping
) -> None:
    """Write :func:`analysis.exponents.fit_exponents` as NetCDF, and its exponents as CSV, a row per fit."""
    variables = {name: (v.dims, v.values, v.attrs) for name, v in fits.variables.items()}
    write_netcdf(path, variables, attributes("Exponents in d, and predictions", provenance))
    frame = fits[[name for name in fits if "quantity" in fits[name].dims]].to_dataframe()
    frame = frame.dropna(subset=["exponent"]).reset_index()
    with atomic_path(table) as temporary:
        frame.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
