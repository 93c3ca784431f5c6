"""Curves of capacity against the batch size: the break of each, and its exponent in d."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from spectral_capacity.analysis.critical_batch import fit_break
from spectral_capacity.analysis.fit_rows import COUNTS_ONLY, FITS, STATISTICS, fit_row, stream
from spectral_capacity.analysis.information_line import FRACTION, information_exponent
from spectral_capacity.analysis.quantities import asymptotic, frequencies_of
from spectral_capacity.theory.predictions import critical_batch_size

CURVE = ("optimizer", "alpha", "kappa", "step")
"""Curves against the batch size have these coordinates, one for each d."""

BREAKS = {
    "critical_batch_size": "batch size where the information line meets the plateau",
    "critical_batch_size_low": "lower end of its interval over resampled seeds",
    "critical_batch_size_high": "upper end of its interval over resampled seeds",
    "predicted_critical_batch_size": "batch that holds as many items as the predicted capacity",
    "plateau": "capacity that the curve tends to",
    "information_constant": "a of the information line a B^(1/alpha)",
    "sharpness": "sharpness of the turn between line and plateau",
    "rms_residual": "root mean square of log(counts / model) at finite batch sizes",
}


def fit_curves(
    grid: xr.Dataset, predicted: xr.DataArray, settings: Mapping[str, Any]
) -> tuple[xr.Dataset, list[dict]]:
    """Breaks of every curve over (*CURVE, d), and rows of :data:`STATISTICS` for their exponents.

    ``predicted`` are the parameter-free capacities over (*LINE, d). The rows stand at ``batch_size`` inf:
    ``critical_batch_size``, its exponent in d, for every fit that is not of counts; ``information``, the
    exponent of capacity in B below the break, and at the last of many steps ``information_steps``, that
    in t at a fixed B while tB is below the break of the first step, both under the fit ``ols`` only. A
    grid without the population or with fewer than four finite batch sizes gives nothing, nor does a law
    whose information line is not (tB)^(1/α): α ≤ 1, or a table of counts.

    Breaks of later steps are those of the same two asymptotes, at a fixed t. At a constant learning rate
    and small d small batches overwrite what earlier ones stored, long before the population's plateau:
    then there is no line to break, and what is found says little. So ``information_steps`` asks the
    break of the first step only.
    """
    sizes = grid.batch_size.values
    if not np.isinf(sizes).any() or np.isfinite(sizes).sum() < 4 or settings["frequencies"]:
        return xr.Dataset(), []
    shape = tuple(grid.sizes[dim] for dim in (*CURVE, "d"))
    found = {name: np.full(shape, np.nan) for name in BREAKS}
    rows = []
    for where in np.ndindex(shape[:-1]):
        curve = dict(zip(CURVE, where, strict=True))
        at = {dim: grid[dim].values[i].item() for dim, i in curve.items()}
        if at["alpha"] <= 1:
            continue
        counts = grid.capacity.isel(curve).transpose("d", "batch_size", "seed").values
        breaks = [
            fit_break(
                sizes,
                of_one_d,
                at["alpha"],
                rng=stream(settings, "critical_batch_size", at | {"d": int(d)}),
                **_resampling(settings),
            )
            for d, of_one_d in zip(grid.d.values, counts, strict=True)
        ]
        p = frequencies_of(settings, at["alpha"])
        capacities = predicted.isel(curve).sel(batch_size=math.inf).values
        expected = np.array([critical_batch_size(p, n) for n in capacities.tolist()])
        found["predicted_critical_batch_size"][where] = expected
        for name in found.keys() - {"predicted_critical_batch_size"}:
            attribute = name.removeprefix("critical_batch_size_")
            found[name][where] = [getattr(one, attribute) for one in breaks]
        critical = found["critical_batch_size"][where]
        rows += _break_rows(grid.d.values, critical, breaks, expected, at, settings)
        small = sizes <= critical[:, None] / FRACTION
        samples = at["step"] * sizes[None]
        rows.append(
            _information_row("information", samples, counts[:, None], small[:, None], at, settings)
        )
    if grid.sizes["step"] > 1:
        rows += _steps_rows(grid, found["critical_batch_size"], settings)
    dims = (*CURVE, "d")
    data = {name: (dims, found[name], {"long_name": text}) for name, text in BREAKS.items()}
    return xr.Dataset(data, {dim: grid[dim] for dim in dims}), rows


def _resampling(settings):
    return {key: settings[key] for key in ("bootstrap", "confidence")}


def _break_rows(d, critical, breaks, expected, at, settings):
    """The exponent of B* in d, one row per fit."""
    line = at | {"batch_size": math.inf}
    theory = asymptotic("critical_batch_size", settings, line)
    resampled = np.exp(np.stack([one.resampled for one in breaks], axis=1))
    known = np.isfinite(critical)
    several = known.any() and np.isfinite(resampled[:, known]).any()
    for fit in FITS.keys() - COUNTS_ONLY:
        spread = resampled if several else None
        row = fit_row(fit, d, critical, spread, settings, expected=expected)
        row |= {"theory": theory, "z": (row["exponent"] - theory) / (row["stderr"] or math.nan)}
        yield {"quantity": "critical_batch_size", "fit": fit} | line | row


def _steps_rows(grid, critical, settings):
    """The exponent of capacity in t, for every curve without its step; ``critical`` are over (*CURVE, d)."""
    sizes, steps = grid.batch_size.values, grid.step.values
    for where in np.ndindex(critical.shape[:-2]):
        curve = dict(zip(CURVE[:-1], where, strict=True))
        at = {dim: grid[dim].values[i].item() for dim, i in curve.items()}
        if at["alpha"] <= 1:
            continue
        counts = grid.capacity.isel(curve).transpose("d", "batch_size", "step", "seed").values
        samples = sizes[:, None] * steps
        small = samples <= critical[where][0][:, None, None] / FRACTION
        at |= {"step": steps[-1].item()}
        yield _information_row("information_steps", samples, counts, small, at, settings)


def _information_row(quantity, samples, counts, small, at, settings):
    """An exponent of capacity in the number of samples; see :func:`information_exponent`."""
    line = at | {"batch_size": math.inf}
    found = information_exponent(
        samples,
        counts,
        small,
        frequencies_of(settings, at["alpha"]),
        rng=stream(settings, quantity, at),
        **_resampling(settings),
    )
    row = dict.fromkeys(STATISTICS, math.nan) | {"theory": asymptotic(quantity, settings, line)}
    row |= {"exponent": found.slope, "boot_low": found.low, "boot_high": found.high}
    row |= {"finite_size": found.finite_size, "points": found.points}
    return {"quantity": quantity, "fit": "ols"} | line | row
