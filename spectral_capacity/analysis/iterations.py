"""How many Newton–Schulz iterations a memory needs to store nearly as much as the exact polar map's.

An iteration multiplies a small singular value by the polynomial's slope a at zero, so lifting the bulk of a
gradient, d^(−α), to one takes k = α·ln d / ln a + constant iterations.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float, Real

from spectral_capacity.analysis.ratios import relative_to
from spectral_capacity.analysis.resampling import percentiles, rescaled
from spectral_capacity.theory.newton_schulz import coefficients as polynomials


class Iteration(NamedTuple):
    """What Newton–Schulz optimizers of different depths have in common."""

    coefficients: str
    precision: str = "float64"
    safety: float = 1.0

    def __str__(self) -> str:
        """The options that are not the defaults."""
        safety = f"safety {self.safety:g}" if self.safety > 1 else ""
        precision = self.precision if self.precision != "float64" else ""
        parts = [self.coefficients.replace("_", " "), precision, safety]
        return ", ".join(part for part in parts if part)

    @property
    def slope_at_zero(self) -> float:
        """Slope at zero of each polynomial; NaN when it changes from one iteration to the next."""
        if self.coefficients == "polar_express":
            return math.nan
        return polynomials(self.coefficients, 2, self.safety)[0][0]


COLUMNS = (
    *Iteration._fields,
    *("alpha", "d", "required", "low", "high", "finite_size", "predicted"),
)


def ratio_to_polar(values: xr.DataArray, fits: xr.Dataset) -> xr.DataArray:
    """``values``, over optimizers, relative to those of the polar map; NaN where that has none.

    Of counts with their seeds it is a ratio of each seed. ValueError unless one optimizer is the polar map.
    """
    polar = fits.optimizer.values[(fits.family == "muon").values]
    if polar.size != 1:
        raise ValueError(
            f"one optimizer with the polar map is needed, to compare with; not {polar}"
        )
    return relative_to(values, optimizer=polar[0])


def newton_schulz_depths(grid: xr.Dataset) -> dict[Iteration, dict[int, str]]:
    """Newton–Schulz optimizers of a grid: {what they share: {iterations: name}}, ascending."""
    definitions = json.loads(grid.attrs["provenance"])["configuration"]["definitions"]
    found: defaultdict[Iteration, dict[int, str]] = defaultdict(dict)
    for name in grid.optimizer.values.tolist():
        options = definitions[name].get("map") or {}
        if options.get("name") == "newton_schulz":
            shared = {key: options[key] for key in Iteration._fields if key in options}
            found[Iteration(**shared)][options["iterations"]] = name
    return {iteration: dict(sorted(names.items())) for iteration, names in found.items()}


def required_iterations(
    iterations: Real[np.ndarray, " m"],
    ratio: Float[np.ndarray, " m"],
    level: float = 0.95,
    dip: float = 0.0,
) -> float:
    """Iterations at which ``ratio`` comes to ``level`` for good, linearly between two depths.

    The depth that counts is the first one at ``level`` or above after which no ratio lies below
    ``level − dip``. ``iterations`` ascend. Infinite when there is none; the first depth when that is it
    already, then only an upper bound. Depths whose ratio is NaN are left out, NaN when none is left.

    ``dip``: polynomials that never settle, as ``jordan``, leave singular values between 0.7 and 1.2
    that move with each iteration, and counts with them, by several percent of a full ratio. With 0 such
    a dip at some larger depth decides; with more than the size of dips, the rise does.
    """
    known = np.isfinite(ratio)
    k, r = iterations[known], ratio[known]
    if k.size == 0:
        return math.nan
    least_after = np.minimum.accumulate(r[::-1])[::-1]
    reached = np.flatnonzero((r >= level) & (least_after >= level - dip))
    if reached.size == 0:
        return math.inf
    i = reached[0]
    if i == 0:
        return float(k[0])
    share = (level - r[i - 1]) / (r[i] - r[i - 1])
    return float(k[i - 1] + share * (k[i] - k[i - 1]))


def depth_table(
    grid: xr.Dataset,
    fits: xr.Dataset,
    level: float = 0.95,
    dip: float = 0.05,
    confidence: float = 0.95,
    resamples: int = 1000,
) -> pd.DataFrame:
    """Required iterations, a row for each (:class:`Iteration`, alpha, d): :data:`COLUMNS`.

    ``required``: of the mean over seeds of each seed's ratio. ``low``, ``high``: its interval over seeds
    drawn with replacement, whole curves at once, ratios spread by √(S/(S−1)) around their mean; NaN
    with one seed. ``finite_size``: of the ratio of the parameter-free predictions. ``predicted``:
    α·ln d / ln a + constant, the constant being the mean of what is left of the finite ``required`` of these
    iterations; NaN for coefficients that change from one iteration to the next. The population batch, the
    last step and the first κ.
    """
    here = {"batch_size": np.inf}
    counts = grid.capacity.sortby("d").sel(here).isel(kappa=0, step=-1)
    ratios = ratio_to_polar(counts, fits)
    expected = ratio_to_polar(fits.predicted_capacity.sel(here).isel(kappa=0, step=-1), fits)
    rows = []
    for iteration, by_depth in newton_schulz_depths(grid).items():
        k, names = np.array(list(by_depth)), list(by_depth.values())
        for alpha in counts.alpha.values.tolist():
            for d in counts.d.values.tolist():
                at = {"optimizer": names, "alpha": alpha, "d": d}
                sample = ratios.sel(at).transpose("optimizer", "seed").values
                required = required_iterations(k, sample.mean(axis=1), level, dip)
                resampled = _resampled_iterations(k, sample, level, dip, resamples)
                # Infinite depths are among them.
                ends = percentiles(resampled, confidence, method="inverted_cdf")
                finite_size = required_iterations(k, expected.sel(at).values, level, dip)
                rows.append((*iteration, alpha, d, required, *ends, finite_size, math.nan))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for shared, these in table.groupby(list(Iteration._fields)).groups.items():
        one = table.loc[these]
        law = one.alpha * np.log(one.d) / math.log(Iteration(*shared).slope_at_zero)
        left = (one.required - law)[np.isfinite(one.required)]
        table.loc[these, "predicted"] = law + left.mean()
    return table


def _resampled_iterations(k, sample, level, dip, resamples):
    """:func:`required_iterations` of resampled seeds, the same ones at each depth; NaN with one seed."""
    seeds = sample.shape[1]
    if seeds == 1 or np.isnan(sample).all():
        return np.full(resamples, np.nan)
    picks = np.random.default_rng(0).integers(seeds, size=(resamples, seeds))
    means = rescaled(sample[:, picks].mean(axis=2).T, sample.mean(axis=1), seeds)
    return np.array([required_iterations(k, one, level, dip) for one in means])
