"""Capacity relative to the exact polar map's."""

from __future__ import annotations

import numpy as np
import xarray as xr

from spectral_capacity.analysis.iterations import ratio_to_polar


def ratios_to_polar(grid: xr.Dataset, fits: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Of the counts over (alpha, d, optimizer, seed), each of its own seed, and of the predictions, without.

    At the population batch, the last step and the first κ; d ascends. ValueError unless exactly one
    optimizer is the polar map.
    """
    counts, predicted = (
        ratio_to_polar(values.sortby("d").sel(batch_size=np.inf).isel(kappa=0, step=-1), fits)
        for values in (grid.capacity, fits.predicted_capacity)
    )
    dims = ("alpha", "d", "optimizer")
    return counts.transpose(*dims, "seed"), predicted.transpose(*dims)
