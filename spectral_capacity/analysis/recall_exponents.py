"""How many outputs transformers recall against their width: counts, and the power fitted to them."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from jaxtyping import Float, Real

from spectral_capacity.analysis.lines import fit_line, slopes
from spectral_capacity.analysis.resampling import line_generator, percentiles, resampled_means
from spectral_capacity.theory.exponents import gradient_exponent, muon_exponent

RESAMPLES, CONFIDENCE = 2000, 0.95
THEORY = {"muon": muon_exponent, "sgd": gradient_exponent}
"""By rule, the exponent after one step on many samples (:mod:`theory.exponents`)."""


def fitted_power(
    d: Real[np.ndarray, " m"], counts: Float[np.ndarray, "m s"], rule: str, alpha: float
) -> xr.Dataset:
    """``exponent`` of the mean counts in d by least squares, ``boot_low`` and ``boot_high`` over resampled
    seeds, and ``theory``, that of one step of the rule, NaN where it has none.

    NaN where any run is missing or a mean is zero. Seeds are resampled independently at each d.
    """
    theory = THEORY[rule](alpha) if rule in THEORY and alpha > 1 else math.nan
    found = {"exponent": math.nan, "boot_low": math.nan, "boot_high": math.nan, "theory": theory}
    if np.isfinite(counts).all() and (counts.mean(axis=1) > 0).all() and d.size > 1:
        X = np.stack([np.ones(d.size), np.log(d)], axis=1)
        found["exponent"] = fit_line(X, np.log(counts.mean(axis=1))).slope
        if counts.shape[1] > 1:
            rng = line_generator(0, "recalled", {"rule": rule, "alpha": alpha})
            resampled = slopes(X, resampled_means(counts, RESAMPLES, rng), None)
            found["boot_low"], found["boot_high"] = percentiles(resampled, CONFIDENCE)
    return xr.Dataset(found)
