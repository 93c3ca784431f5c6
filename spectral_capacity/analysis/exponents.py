"""Exponents: how a measured quantity grows with d, and how its exponent depends on α.

Every fit is a straight line in log–log coordinates, made by statsmodels. What differs is which points and
weights it uses; see :data:`FITS`. Intervals come twice: from the regression (does a line fit?) and
from resampling seeds (how far do the draws move it?). Neither knows of finite-size curvature, so
every fit stands beside the same fit of the parameter-free prediction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from spectral_capacity.analysis.asymptotes import asymptote_row, continued_exponent
from spectral_capacity.analysis.batch_curves import CURVE, fit_curves
from spectral_capacity.analysis.fit_rows import (
    FITS,
    LineData,
    exponent_rows,
    level_row,
    local_rows,
)
from spectral_capacity.analysis.fitted_steps import at_fitted_steps
from spectral_capacity.analysis.lines import fit_line
from spectral_capacity.analysis.predicted_counts import predictions
from spectral_capacity.analysis.quantities import (
    LINE,
    QUANTITIES,
    asymptotic_exponent,
)
from spectral_capacity.analysis.resampling import line_generator, resampled_means
from spectral_capacity.analysis.settings import FitSettings
from spectral_capacity.analysis.tables import (
    ASYMPTOTES,
    BREAKS,
    LEVELS,
    LOCAL,
    STATISTICS,
    to_dataset,
)
from spectral_capacity.results.fits import SHOWN
from spectral_capacity.results.schema import Status
from spectral_capacity.results.swept_rates import at_chosen_rates


def fit_exponents(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.Dataset:
    """All fits of a grid.

    ``settings``: what :class:`FitSettings` has. Returns :data:`STATISTICS` over (quantity, fit, *LINE),
    :data:`LEVELS` and :data:`ASYMPTOTES` over (quantity, *LINE), :data:`LOCAL` over (*LINE, interval),
    :data:`BREAKS` over (*CURVE, d), the mean and the predicted capacity over (*LINE, d), and the fit
    C(α) = c1 + c2/α. Only quantities that the grid has. Two d's make an exponent, three an error; what cannot
    be had is NaN. Learning rates of sweeps are those that tuning seeds chose, seeds the others
    (:func:`results.swept_rates.at_chosen_rates`).

    Of the grid's steps 1 … T only :func:`fitted_steps` are here. A run of the population that stopped
    early counts with its last capacity (:func:`at_fitted_steps`), or with its peak where that is
    the quantity. A point is missing when any of its seeds is: which runs diverge is not left to chance, so
    the mean of the others is not that of all.
    """
    settings = FitSettings.of(settings)
    grid = at_fitted_steps(at_chosen_rates(grid).sortby("d"))
    predicted = predictions(grid, settings)
    grid = grid.assign(predicted_capacity=predicted.capacity)
    exponents, levels, asymptotes, local = [], [], [], []
    for key, line in _lines(grid, predicted, settings):
        exponents += [key | row for row in exponent_rows(line, settings)]
        levels.append(key | level_row(line, settings))
        if key["quantity"] in predicted:
            continued = continued_exponent(key["quantity"], key, settings)
            asymptotes.append(key | asymptote_row(key["quantity"], line, continued, settings))
        if key["quantity"] == "capacity":
            local += [key | row for row in local_rows(line, settings)]
    breaks, of_curves, of_breaks = fit_curves(grid, predicted.capacity, settings)
    exponents, asymptotes = exponents + of_curves, asymptotes + of_breaks

    present = {row["quantity"] for row in exponents}
    order = {dim: grid[dim].values for dim in (*LINE, "d")} | {"fit": [*FITS]}
    order["quantity"] = [name for name in QUANTITIES if name in present]
    fits = _points(grid, predicted).assign_coords(_optimizer_coordinates(grid, settings))
    tables = [
        (breaks, (*CURVE, "d"), BREAKS),
        (exponents, ("quantity", "fit", *LINE), STATISTICS),
        (levels, ("quantity", *LINE), LEVELS),
        (asymptotes, ("quantity", *LINE), ASYMPTOTES),
        (local, (*LINE, "interval"), LOCAL),
    ]
    for rows, keys, names in tables if breaks else tables[1:]:
        new = to_dataset(rows, keys, names, order)
        fits = fits.merge(new, join="exact", compat="no_conflicts")
    return _described(fits.merge(_alpha_fit(fits, settings.confidence)))


def _lines(
    grid: xr.Dataset, predicted: xr.Dataset, settings: FitSettings
) -> Iterator[tuple[dict[str, Any], LineData]]:
    """Every quantity of a point on every line, with its name and the coordinates of the line."""
    for name, quantity in QUANTITIES.items():
        values = None if quantity.whole_curve else quantity.values(grid, settings)
        if values is None:
            continue
        counts = name == "capacity"
        for where in np.ndindex(tuple(grid.sizes[dim] for dim in LINE)):
            line = dict(zip(LINE, where, strict=True))
            at = {dim: grid[dim].values[i].item() for dim, i in line.items()}
            sample = values.isel(line).transpose("d", "seed").values.astype(float)
            resampled, average = None, quantity.average
            if sample.shape[1] > 1:
                rng = line_generator(settings.root_seed, name, at)
                resampled = resampled_means(sample, settings.bootstrap, rng, average)
            yield (
                {"quantity": name} | at,
                LineData(
                    d=grid.d.values,
                    mean=average(sample, axis=1),
                    resampled=resampled,
                    theory=asymptotic_exponent(name, settings, at),
                    predicted=predicted[name].isel(line).values if name in predicted else None,
                    counts=sample if counts else None,
                ),
            )


def _points(grid: xr.Dataset, predicted: xr.Dataset) -> xr.Dataset:
    """What is known of single points, over (*LINE, d): capacities, and how many of their runs ended early."""
    stopped = grid.stopped
    points = {
        "mean_capacity": (
            grid.capacity.mean("seed", skipna=False),
            "capacity, mean over seeds; of a population run that stopped early its last one",
        ),
        **{f"predicted_{name}": (p, p.long_name) for name, p in predicted.items()},
        "seeds": (grid.capacity.notnull().sum("seed"), "seeds that were measured"),
        "stopped": (
            stopped.sum("seed"),
            "seeds that stopped early and count with their last capacity",
        ),
        "flagged": (
            ((grid.status != Status.OK) & ~stopped).sum("seed"),
            "other seeds whose status is not ok",
        ),
    }
    over_lines = {name: values.transpose(*LINE, "d") for name, (values, _) in points.items()}
    for name, (_, text) in points.items():
        over_lines[name].attrs = {"long_name": text}
    return xr.Dataset(over_lines)


def _optimizer_coordinates(grid: xr.Dataset, settings: FitSettings) -> dict[str, tuple]:
    """The theory that applies to each optimizer, and the numbers among its options."""
    names = grid.optimizer.values
    theories = [settings.theory[name] for name in names]
    found = {"family": ("optimizer", theories, {"long_name": "theory that applies"})}
    options = [settings.options[name] for name in names]
    for option in sorted({key for each in options for key in each}):
        values = [float(each.get(option, math.nan)) for each in options]
        about = {"long_name": f"option {option} of the optimizer", "units": "1"}
        found[f"option_{option}"] = ("optimizer", values, about)
    return found


def _alpha_fit(fits: xr.Dataset, confidence: float) -> xr.Dataset:
    """c1, c2 of C(α) = c1 + c2/α with standard errors, for each line without its alpha."""
    rest = [dim for dim in LINE if dim != "alpha"]
    exponents = fits.exponent.sel(quantity="capacity", fit=SHOWN).transpose(*rest, "alpha")
    values = np.full((3, *exponents.shape[:-1]), np.nan)
    for where in np.ndindex(exponents.shape[:-1]):
        C = exponents.values[where]
        use = np.isfinite(C)
        X = np.stack([np.ones(use.sum()), 1 / fits.alpha.values[use]], axis=1)
        line = fit_line(X, C[use], None, confidence)
        values[(slice(None), *where)] = line.intercept, line.slope, line.stderr
    text = (
        "{} of C(alpha) = c1 + c2 / alpha, ordinary least squares of the exponents of fit " + SHOWN
    )
    return xr.Dataset(
        {
            name: (rest, value, {"long_name": text.format(name.replace("_", ", "))})
            for name, value in zip(("c1", "c2", "c2_stderr"), values, strict=True)
        },
        coords={dim: fits[dim] for dim in rest},
    )


def _described(fits: xr.Dataset) -> xr.Dataset:
    """The fits with units, and what the names among their coordinates mean."""
    long_names = {name: quantity.long_name for name, quantity in QUANTITIES.items()}
    for coordinate, meanings in {"fit": FITS, "quantity": long_names}.items():
        known = [f"{name}: {meanings[name]}" for name in fits[coordinate].values]
        fits[coordinate].attrs = {"meanings": "; ".join(known)}
    fits["interval"].attrs = {"long_name": "geometric mean of the two d's", "units": "1"}
    for variable in fits.data_vars.values():
        variable.attrs["units"] = "1"
    return fits
