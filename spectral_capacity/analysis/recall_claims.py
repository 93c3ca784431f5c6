"""Claims about transformers: one optimizer against others, seed by seed, each at its chosen learning rate.

Recall is learnt suddenly, so values over seeds have two humps, where a mean with an error bar says little. What
is measured is the median over seeds of a difference or a ratio between two runs of the same seed, which
have the same model at first and the same batches. Its interval is made of order statistics, which assume
nothing of the distribution.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from spectral_capacity.analysis.chosen_rates import at_chosen_rates
from spectral_capacity.analysis.claims_file import RecallClaim
from spectral_capacity.analysis.verdicts import MIN_SEEDS_OF_A_MEDIAN, TOO_SMALL, band, verdict
from spectral_capacity.results.near_best import SHARE
from spectral_capacity.results.schema import Status

LEARNT = 0.5
"""From this share on an optimizer counts as having learnt to recall."""


def lines(claim: RecallClaim, grid: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Rows of a claim: every optimizer that it is held against, laws and width.

    ``grid``: of :mod:`incontext.measured`. Differences are at its largest batch size. See :data:`STATISTICS`.
    """
    names = grid.optimizer.values
    others = [name for name in claim.against if name in names]
    if claim.optimizer not in names or not others:
        return
    iteration = {"first": grid.iteration.min(), "last": grid.iteration.max()}[
        claim.iteration
    ].item()
    runs = at_chosen_rates(grid, claim.quantity, iteration)
    ran = (runs.status != Status.NOT_RUN).any(["seed", "d", "batch_size"])
    values = runs.value.sortby("batch_size").where(ran)
    for other in others:
        pair = values.sel(optimizer=claim.optimizer), values.sel(optimizer=other)
        measured = STATISTICS[claim.statistic](*pair)
        if claim.widths == "mean":
            measured = measured.mean("d", skipna=False).expand_dims(d=[math.nan])
        about = {"optimizer": claim.optimizer, "against": other, "iteration": iteration}
        if claim.statistic != "saturating_batch":
            about["batch_size"] = values.batch_size.values[-1].item()
        about["largest_d"] = grid.d.max().item()
        for at, seeds in _points(measured):
            yield about | at | _line(claim, seeds)


def _points(measured: xr.DataArray) -> Iterator[tuple[dict[str, float], np.ndarray]]:
    """Laws, width and the values of all seeds, of the points at which any seed has one."""
    dims = ("alpha_triggers", "alpha_outputs", "d")
    flat = measured.stack(point=dims).transpose("point", "seed")
    for at, seeds in zip(flat.point.values, flat.values, strict=True):
        if np.isfinite(seeds).any():
            yield dict(zip(dims, map(float, at), strict=True)), seeds


def _line(claim: RecallClaim, seeds: Float[np.ndarray, " s"]) -> dict[str, Any]:
    low, high = median_interval(seeds)
    ends = band(claim.relation, claim.predicted, claim.tolerance)
    enough = seeds.size >= MIN_SEEDS_OF_A_MEDIAN
    return {
        "predicted": claim.predicted,
        "tolerance": claim.tolerance,
        "measured": float(np.median(seeds)),
        "low": low,
        "high": high,
        "seeds": seeds.size,
        "verdict": verdict(low, high, *ends) if enough else TOO_SMALL,
    }


def median_interval(
    values: Float[np.ndarray, " s"], confidence: float = 0.95
) -> tuple[float, float]:
    """Order statistics between which the median of the distribution lies, with this probability at least.

    NaN of too few values, below six for 95 %, and where one is missing.
    """
    from scipy.stats import quantile_test

    if np.isnan(values).any():
        return math.nan, math.nan
    interval = quantile_test(values, p=0.5).confidence_interval(confidence)
    return float(interval.low), float(interval.high)


def advantage(one: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """How much more the one has, at the largest batch size."""
    return (one - other).isel(batch_size=-1, drop=True)


def kept(one: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """How much less the one loses than the other from uniform laws to others, at the largest batch size.

    At widths at which both have learnt under uniform laws, by their medians: elsewhere there is nothing to
    lose.
    """
    one, other = (values.isel(batch_size=-1, drop=True) for values in (one, other))
    if not (0 in one.alpha_triggers and 0 in one.alpha_outputs):
        return xr.full_like(one, math.nan)
    uniform = {"alpha_triggers": 0.0, "alpha_outputs": 0.0}
    both = True
    for values in (one, other):
        both = both & (values.sel(uniform, drop=True).median("seed", skipna=False) >= LEARNT)
    changes = [values - values.sel(uniform, drop=True) for values in (one, other)]
    elsewhere = (one.alpha_triggers != 0) | (one.alpha_outputs != 0)
    return (changes[0] - changes[1]).where(both & elsewhere)


def saturating_batch(one: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """The one's :func:`saturating_batch_size` relative to the other's.

    If the other has none below the largest, that one stands for it: then the ratio is less in truth. If
    the one has none the ratio is not known, unless the other has one: then it is more in truth. NaN, for all
    seeds, where that of any is not known.
    """
    sizes, of_other = saturating_batch_size(one), saturating_batch_size(other)
    largest = one.batch_size.max().item()
    known = np.isfinite(sizes) | np.isfinite(of_other)
    return (sizes.fillna(largest) / of_other.fillna(largest)).where(known.all("seed"))


def saturating_batch_size(values: xr.DataArray) -> xr.DataArray:
    """From which batch size on a run has :data:`near_best.SHARE` of its best of any batch size.

    NaN if that is the largest only, as the best may lie beyond, and if nothing is learnt at any.
    """
    good = values >= SHARE * values.max("batch_size")
    from_here = good.isel(batch_size=slice(None, None, -1)).cumprod("batch_size").astype(bool)
    sizes = xr.where(from_here, from_here.batch_size, math.inf).min("batch_size")
    known = (values.max("batch_size") >= LEARNT) & (sizes < values.batch_size.max())
    return sizes.where(known)


STATISTICS = {"advantage": advantage, "kept": kept, "saturating_batch": saturating_batch}
"""By name in the file of claims: of the values of two optimizers, over laws, d, batch size and seed, what is
compared, over laws, d and seed."""
