"""Curves of capacity against the batch size: the break of each, and its exponent in d."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from spectral_capacity.regression.criticalbatch import fit_break, information_exponent
from spectral_capacity.regression.quantities import asymptotic, frequencies_of
from spectral_capacity.regression.rows import COUNTS_ONLY, FITS, STATISTICS, fit_row, stream
from spectral_capacity.theory import critical_batch_size

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
    """Breaks of every curve over (*CURVE, d), and rows of :data:`rows.STATISTICS` for their exponents.

    ``predicted`` are the parameter-free capacities over (*LINE, d). The rows stand at ``batch_size`` inf:
    ``critical_batch_size``, its exponent in d, for every fit that is not of counts; and ``information``,
    the exponent of capacity in B below the break, under the fit ``ols`` only. A grid without the
    population or with fewer than four finite batch sizes gives nothing, nor does a law whose information
    line is not B^(1/α): α ≤ 1, or a table of counts.
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
        counts = grid.capacity.isel(curve).transpose("d", "batch_size", "seed").values.astype(float)
        breaks = [
            fit_break(
                sizes,
                of_one_d,
                at["alpha"],
                bootstrap=settings["bootstrap"],
                confidence=settings["confidence"],
                rng=stream(settings, "critical_batch_size", at | {"d": int(d)}),
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
        rows += _rows(grid.d.values, sizes, counts, breaks, expected, at, settings)
    dims = (*CURVE, "d")
    data = {name: (dims, found[name], {"long_name": text}) for name, text in BREAKS.items()}
    return xr.Dataset(data, {dim: grid[dim] for dim in dims}), rows


def _rows(d, sizes, counts, breaks, expected, at, settings):
    line = at | {"batch_size": math.inf}
    theory = {
        quantity: asymptotic(quantity, settings["theory"][at["optimizer"]], line)
        for quantity in ("critical_batch_size", "information")
    }
    critical = np.array([one.critical_batch_size for one in breaks])
    resampled = np.exp(np.stack([one.resampled for one in breaks], axis=1))
    known = np.isfinite(critical)
    several = known.any() and np.isfinite(resampled[:, known]).any()
    for fit in FITS.keys() - COUNTS_ONLY:
        spread = resampled if several else None
        row = fit_row(fit, d, critical, spread, settings, expected=expected)
        row |= {"theory": theory["critical_batch_size"]}
        row["z"] = (row["exponent"] - row["theory"]) / row["stderr"]
        yield {"quantity": "critical_batch_size", "fit": fit} | line | row
    slope = information_exponent(
        sizes,
        counts,
        critical,
        bootstrap=settings["bootstrap"],
        confidence=settings["confidence"],
        rng=stream(settings, "information", at),
    )
    row = dict.fromkeys(STATISTICS, math.nan) | {"theory": theory["information"]}
    row |= {"exponent": slope.slope, "boot_low": slope.low, "boot_high": slope.high}
    row |= {
        "points": slope.points,
        "log_d": float(np.log(d[known]).mean()) if known.any() else math.nan,
    }
    yield {"quantity": "information", "fit": "ols"} | line | row
