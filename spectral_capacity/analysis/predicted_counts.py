"""Parameter-free counts for the points of a grid."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from spectral_capacity.analysis.quantities import LINE
from spectral_capacity.analysis.settings import FitSettings
from spectral_capacity.theory import predictions


def predicted_capacity(grid: xr.Dataset, settings: FitSettings) -> xr.DataArray:
    """Parameter-free counts over (*LINE, d) after the first step; NaN where there are none.

    They are of Gaussian embeddings: a user's own have none. Nor has any later step.
    """
    first = grid[["signal_slope", "logit_noise"]].sel(step=[1])
    mean = first.mean("seed").transpose(*LINE, "d")
    predicted = xr.full_like(mean.signal_slope, np.nan)
    if not settings.own_embeddings:
        for where in np.ndindex(predicted.shape):
            slope, noise = mean.signal_slope[where], mean.logit_noise[where]
            predicted[where] = _of_a_point(slope, noise.item(), settings)
    predicted = predicted.reindex(step=grid.step)
    predicted.attrs = {"long_name": "capacity predicted without a fit parameter"}
    return predicted


def _of_a_point(slope: xr.DataArray, noise: float, settings: FitSettings) -> float:
    """The prediction at the coordinates of ``slope``, a scalar."""
    at = {name: coordinate.item() for name, coordinate in slope.coords.items()}
    p = settings.item_frequencies(at["alpha"])
    population = math.isinf(at["batch_size"])
    if settings.theory[at["optimizer"]] == "gradient":
        isotropic = at["kappa"] == 0
        return predictions.gradient_capacity(p, at["d"]) if isotropic and population else math.nan
    if not (math.isfinite(slope.item()) and noise > 0):
        return math.nan
    if population:
        return predictions.response_capacity(p, slope.item(), noise)
    return predictions.batch_capacity(p, at["d"], slope.item(), noise, at["batch_size"])
