"""Exponents: how a measured quantity grows with d, and how its exponent depends on α.

Every fit is a straight line in log–log coordinates, made by statsmodels. What differs is which points and
weights it uses; see :data:`FITS`. Intervals come twice: from the regression (does a line fit?) and
from resampling seeds (how far do the draws move it?). Neither knows of finite-size curvature, so
every fit stands beside the same fit of the parameter-free prediction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from spectral_capacity.analysis.batch_curves import fit_curves
from spectral_capacity.analysis.fit_rows import (
    COUNTS_ONLY,
    FITS,
    STATISTICS,
    fit_row,
    stream,
    tails,
)
from spectral_capacity.analysis.fitted_steps import at_fitted_steps
from spectral_capacity.analysis.lines import fit_line, local_exponents, resampled_means
from spectral_capacity.analysis.quantities import (
    LINE,
    LONG_NAMES,
    QUANTITIES,
    asymptotic,
    predicted_capacity,
)
from spectral_capacity.results.schema import Status

LEVELS = {
    "level": "value at the largest d, mean over seeds",
    "level_low": "lower end of its interval over resampled seeds",
    "level_high": "upper end of its interval over resampled seeds",
}

LOCAL = {
    "local_exponent": "exponent between neighbouring d's",
    "local_exponent_low": "lower end of its interval over resampled seeds",
    "local_exponent_high": "upper end of its interval over resampled seeds",
}


def fit_exponents(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.Dataset:
    """All fits of a grid.

    ``settings``: ``largest, bootstrap, confidence`` of the configuration's ``fits``, ``n_items``,
    ``frequencies`` (a table's file, or None), ``root_seed`` for the resampling, for each optimizer
    ``theory``, one of ``muon``, ``gradient``, ``newton``, ``none``, the ``schedules`` of its learning
    rate, ``constant`` or ``growing``, and its numeric ``options``. Returns :data:`STATISTICS` over
    (quantity, fit, *LINE), :data:`LEVELS` over (quantity, *LINE), :data:`LOCAL` over (*LINE, interval), the
    mean and the predicted capacity over (*LINE, d), and the fit C(α) = c1 + c2/α. Only quantities that
    the grid has. Two d's make an exponent, three an error; what cannot be had is NaN.

    Of the grid's steps 1 … T only :func:`fitted_steps` are here. A run of the population that stopped
    early counts with its last capacity (:func:`at_fitted_steps`), or with its peak where that is
    the quantity. A point is missing when any of its
    seeds is: which runs diverge is not left to chance, so the mean of the others is not that of all.
    """
    grid = at_fitted_steps(grid.sortby("d"))
    fits = xr.Dataset(
        {
            "mean_capacity": _over_lines(grid.capacity.mean("seed", skipna=False)),
            "predicted_capacity": predicted_capacity(grid, settings),
        }
    )
    text = "capacity, mean over seeds; of a population run that stopped early its last one"
    fits["mean_capacity"].attrs = {"long_name": text}
    fits["stopped"] = _over_lines(grid.stopped.sum("seed"))
    fits["stopped"].attrs = {
        "long_name": "seeds that stopped early and count with their last capacity"
    }
    fits["flagged"] = _over_lines(((grid.status != Status.OK) & ~grid.stopped).sum("seed"))
    fits["flagged"].attrs = {"long_name": "other seeds whose status is not ok"}
    fits = fits.assign_coords(_optimizer_coordinates(grid.optimizer.values, settings))
    rows, levels, local = [], [], []
    available = {name: q.values(grid, settings) for name, q in QUANTITIES.items()}
    for quantity, values in available.items():
        if values is None:
            continue
        for where in np.ndindex(tuple(grid.sizes[dim] for dim in LINE)):
            line = dict(zip(LINE, where, strict=True))
            at = {dim: grid[dim].values[i].item() for dim, i in line.items()}
            sample = values.isel(line).transpose("d", "seed").values.astype(float)
            several = sample.shape[1] > 1
            resampled = resampled_means(
                sample, settings["bootstrap"], stream(settings, quantity, at)
            )
            key = {"quantity": quantity} | at
            levels.append(key | _level(sample, resampled, settings))
            expected = None
            if quantity == "capacity":
                expected = fits.predicted_capacity.isel(line).values
                local.append(at | {"interval": _local(grid.d.values, sample, resampled, settings)})
            theory = asymptotic(quantity, settings, at)
            for fit in FITS if quantity == "capacity" else FITS.keys() - COUNTS_ONLY:
                row = fit_row(
                    fit,
                    grid.d.values,
                    sample.mean(axis=1),
                    resampled if several else None,
                    settings,
                    sample,
                    expected,
                )
                z = (row["exponent"] - theory) / (row["stderr"] or math.nan)
                rows.append({"fit": fit} | key | row | {"theory": theory, "z": z})
    curves, curve_rows = fit_curves(grid, fits.predicted_capacity, settings)
    rows += curve_rows
    fits = fits.merge(curves)
    present = {row["quantity"] for row in rows}
    order = {dim: grid[dim].values for dim in LINE} | {"fit": [*FITS]}
    order["quantity"] = [name for name in LONG_NAMES if name in present]
    fits = _attach(fits, rows, ["quantity", "fit", *LINE], STATISTICS, order)
    fits = _attach(fits, levels, ["quantity", *LINE], LEVELS, order)
    local = [line | entry for line in local for entry in line.pop("interval")]
    fits = _attach(fits, local, [*LINE, "interval"], LOCAL, order)
    meanings = {"fit": FITS, "quantity": LONG_NAMES}
    for coordinate, texts in meanings.items():
        known = [f"{name}: {texts[name]}" for name in fits[coordinate].values]
        fits[coordinate].attrs = {"meanings": "; ".join(known)}
    fits["interval"].attrs = {"long_name": "geometric mean of the two d's", "units": "1"}
    fits = fits.merge(_alpha_fit(fits, settings))
    for variable in fits.data_vars.values():
        variable.attrs["units"] = "1"
    return fits


def _optimizer_coordinates(names, settings):
    """The theory that applies to each optimizer, and the numbers among its options."""
    families = [settings["theory"][name] for name in names]
    found = {"family": ("optimizer", families, {"long_name": "theory that applies"})}
    options = [settings["options"][name] for name in names]
    for option in sorted({key for each in options for key in each}):
        values = [float(each.get(option, math.nan)) for each in options]
        about = {"long_name": f"option {option} of the optimizer", "units": "1"}
        found[f"option_{option}"] = ("optimizer", values, about)
    return found


def _attach(fits, rows, keys, names, order):
    """Add rows as variables over their keys, in the order of the grid and of the tables above."""
    new = pd.DataFrame(rows, columns=[*keys, *names]).set_index(keys).to_xarray()
    new = new.reindex({dim: order[dim] for dim in keys if dim in order})
    for name, text in names.items():
        new[name].attrs = {"long_name": text}
    return fits.merge(new, join="exact", compat="no_conflicts")


def _over_lines(array: xr.DataArray) -> xr.DataArray:
    return array.transpose(*LINE, "d")


def _level(sample, resampled, settings):
    """One row of :data:`LEVELS`."""
    row = dict.fromkeys(LEVELS, math.nan)
    row["level"] = sample[-1].mean()
    if sample.shape[1] > 1 and np.isfinite(row["level"]):
        row["level_low"], row["level_high"] = np.quantile(resampled[:, -1], tails(settings))
    return row


def _local(d, sample, resampled, settings):
    """Rows of :data:`LOCAL`, one per pair of neighbouring d's."""
    exponents = local_exponents(d, sample.mean(axis=1))
    spread = local_exponents(d, resampled)
    seen = np.isfinite(spread).all(axis=0) & (sample.shape[1] > 1)
    low, high = np.where(seen, np.quantile(np.nan_to_num(spread), tails(settings), axis=0), np.nan)
    middle = np.sqrt(d[1:] * d[:-1])
    return [
        dict(zip(("interval", *LOCAL), map(float, entry), strict=True))
        for entry in zip(middle, exponents, low, high, strict=True)
    ]


def _alpha_fit(fits: xr.Dataset, settings: Mapping[str, Any]) -> xr.Dataset:
    """c1, c2 of C(α) = c1 + c2/α with standard errors, for each line without its alpha."""
    rest = [dim for dim in LINE if dim != "alpha"]
    exponents = fits.exponent.sel(quantity="capacity", fit="ols").transpose(*rest, "alpha")
    values = np.full((3, *exponents.shape[:-1]), np.nan)
    for where in np.ndindex(exponents.shape[:-1]):
        C = exponents.values[where]
        use = np.isfinite(C)
        X = np.stack([np.ones(use.sum()), 1 / fits.alpha.values[use]], axis=1)
        line = fit_line(X, C[use], None, settings["confidence"])
        values[(slice(None), *where)] = line.intercept, line.slope, line.stderr
    text = "{} of C(alpha) = c1 + c2 / alpha, ordinary least squares of the exponents of fit ols"
    return xr.Dataset(
        {
            name: (rest, value, {"long_name": text.format(name.replace("_", ", "))})
            for name, value in zip(("c1", "c2", "c2_stderr"), values, strict=True)
        },
        coords={dim: fits[dim] for dim in rest},
    )
