"""Curves of capacity against the batch size: the break of each, and its exponent in d."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Real

from spectral_capacity.analysis.asymptotes import asymptote_row, continued_exponent
from spectral_capacity.analysis.critical_batch import Break, fit_break
from spectral_capacity.analysis.fit_rows import LineData, exponent_rows
from spectral_capacity.analysis.information_line import FRACTION, information_exponent
from spectral_capacity.analysis.quantities import asymptotic_exponent
from spectral_capacity.analysis.resampling import line_generator
from spectral_capacity.analysis.settings import FitSettings
from spectral_capacity.analysis.tables import STATISTICS
from spectral_capacity.theory.predictions import critical_batch_size

CURVE = ("optimizer", "alpha", "kappa", "step")
"""Curves against the batch size have these coordinates, one for each d."""

MIN_BATCH_SIZES = 4
"""Finite ones that a grid must have."""


@dataclass(frozen=True)
class Curve:
    """Counts against the m batch sizes, at each of k d's after one step, and where they break.

    at: coordinates, all of :data:`CURVE`. breaks: one for each d. expected: critical batch sizes without a
    fit parameter.
    """

    at: Mapping[str, Any]
    d: Real[np.ndarray, " k"]
    batch_sizes: Real[np.ndarray, " m"]
    counts: Real[np.ndarray, "k m s"]
    breaks: Sequence[Break]
    expected: Float[np.ndarray, " k"]

    @property
    def critical(self) -> Float[np.ndarray, " k"]:
        """Critical batch sizes, NaN where there is no break."""
        return np.array([one.critical_batch_size for one in self.breaks])


def fit_curves(
    grid: xr.Dataset, predicted: xr.DataArray, settings: FitSettings
) -> tuple[list[dict], list[dict], list[dict]]:
    """Rows of :data:`BREAKS` for every curve at each d, of :data:`STATISTICS` for their exponents, and of
    :data:`ASYMPTOTES` for that of the critical batch size.

    ``predicted`` are the parameter-free capacities over (*LINE, d). The exponents stand at ``batch_size``
    inf: ``critical_batch_size``, its exponent in d, for every fit that is not of counts; ``information``,
    the exponent of capacity in B below the break, and at the last of many steps ``information_steps``,
    that in t at a fixed B while tB is below the break of the first step, both under the fit ``ols`` only.
    A grid without the population or with fewer than four finite batch sizes gives nothing, nor does a
    table of counts. At α ≤ 1 the information line is not (tB)^(1/α): breaks are NaN there.

    Breaks of later steps are those of the same two asymptotes, at a fixed t. At a constant learning rate
    and small d small batches overwrite what earlier ones stored, long before the population's plateau:
    then there is no line to break, and what is found says little. So ``information_steps`` asks the
    break of the first step only.
    """
    sizes = grid.batch_size.values
    few = np.isfinite(sizes).sum() < MIN_BATCH_SIZES
    if few or not np.isinf(sizes).any() or settings.frequencies:
        return [], [], []
    breaks, exponents, asymptotes = [], [], []
    runs = CURVE[:-1]
    for where in np.ndindex(tuple(grid.sizes[dim] for dim in runs)):
        run = dict(zip(runs, where, strict=True))
        at = {dim: grid[dim].values[i].item() for dim, i in run.items()}
        of_run = grid.capacity.isel(run)
        curves = list(_curves(of_run, predicted.isel(run), at, settings))
        breaks += [row for curve in curves for row in _break_rows(curve)]
        if at["alpha"] <= 1:
            continue
        for curve in curves:
            line, key = _critical_line(curve, settings)
            exponents += [key | row for row in exponent_rows(line, settings)]
            # B* = (P/a)^α, and a does not depend on d.
            continued = at["alpha"] * continued_exponent("capacity", key, settings)
            asymptotes.append(key | asymptote_row(key["quantity"], line, continued, settings))
            exponents.append(_batch_size_row(curve, settings))
        if len(curves) > 1:
            exponents.append(_steps_row(curves, of_run, settings))
    return breaks, exponents, asymptotes


def _curves(
    capacity: xr.DataArray, predicted: xr.DataArray, run: Mapping[str, Any], settings: FitSettings
) -> Iterator[Curve]:
    """The curve after each step of a run, with its breaks."""
    d, sizes = capacity.d.values, capacity.batch_size.values
    for step in capacity.step.values.tolist():
        at = {**run, "step": step}
        counts = capacity.sel(step=step).transpose("d", "batch_size", "seed").values
        if at["alpha"] <= 1:
            nothing = Break(np.full(settings.bootstrap, np.nan), 0)
            yield Curve(at, d, sizes, counts, [nothing] * d.size, np.full(d.size, np.nan))
            continue
        breaks = []
        for each, of_one_d in zip(d.tolist(), counts, strict=True):
            resampling = _resampling("critical_batch_size", at | {"d": each}, settings)
            breaks.append(fit_break(sizes, of_one_d, at["alpha"], **resampling))
        p = settings.item_frequencies(at["alpha"])
        of_population = predicted.sel(batch_size=math.inf, step=step).values
        expected = [critical_batch_size(p, expected) for expected in of_population.tolist()]
        yield Curve(at, d, sizes, counts, breaks, np.array(expected))


def _break_rows(curve: Curve) -> Iterator[dict]:
    for d, found, expected in zip(curve.d.tolist(), curve.breaks, curve.expected, strict=True):
        yield {
            **curve.at,
            "d": d,
            "critical_batch_size": found.critical_batch_size,
            "critical_batch_size_low": found.low,
            "critical_batch_size_high": found.high,
            "predicted_critical_batch_size": expected,
            "plateau": found.plateau,
            "information_constant": found.information_constant,
            "sharpness": found.sharpness,
            "rms_residual": found.rms_residual,
        }


def _critical_line(curve: Curve, settings: FitSettings) -> tuple[LineData, dict]:
    """B* against d, and what its rows are called."""
    key = {"quantity": "critical_batch_size", **curve.at, "batch_size": math.inf}
    resampled = np.exp(np.stack([one.resampled for one in curve.breaks], axis=1))
    known = np.isfinite(curve.critical)
    line = LineData(
        d=curve.d,
        mean=curve.critical,
        resampled=resampled if np.isfinite(resampled[:, known]).any() else None,
        theory=asymptotic_exponent("critical_batch_size", settings, key),
        predicted=curve.expected,
    )
    return line, key


def _batch_size_row(curve: Curve, settings: FitSettings) -> dict:
    """The exponent of capacity in B at a fixed step."""
    small = curve.batch_sizes <= curve.critical[:, None] / FRACTION
    samples = curve.at["step"] * curve.batch_sizes[None]
    counts, small = curve.counts[:, None], small[:, None]
    return _information_row("information", samples, counts, small, curve.at, settings)


def _steps_row(curves: Sequence[Curve], capacity: xr.DataArray, settings: FitSettings) -> dict:
    """The exponent of capacity in t at fixed B, of the curves of all steps and their counts."""
    first, last = curves[0], curves[-1]
    samples = first.batch_sizes[:, None] * capacity.step.values
    counts = capacity.transpose("d", "batch_size", "step", "seed").values
    small = samples <= first.critical[:, None, None] / FRACTION
    return _information_row("information_steps", samples, counts, small, last.at, settings)


def _information_row(
    quantity: str,
    samples: np.ndarray,
    counts: np.ndarray,
    small: np.ndarray,
    at: Mapping[str, Any],
    settings: FitSettings,
) -> dict:
    """An exponent of capacity in the number of samples; arrays as in :func:`information_exponent`."""
    key = {"quantity": quantity, "fit": "ols", **at, "batch_size": math.inf}
    p = settings.item_frequencies(at["alpha"])
    found = information_exponent(samples, counts, small, p, **_resampling(quantity, at, settings))
    row = {
        "exponent": found.slope,
        "boot_low": found.low,
        "boot_high": found.high,
        "theory": asymptotic_exponent(quantity, settings, key),
        "finite_size": found.finite_size,
        "points": found.points,
    }
    return dict.fromkeys(STATISTICS, math.nan) | key | row


def _resampling(quantity: str, at: Mapping[str, Any], settings: FitSettings) -> dict[str, Any]:
    """What a fit of whole curves needs to resample their seeds."""
    rng = line_generator(settings.root_seed, quantity, at)
    return {"bootstrap": settings.bootstrap, "confidence": settings.confidence, "rng": rng}
