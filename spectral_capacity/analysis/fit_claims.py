"""Claims about fits: exponents in d, and values at the largest d, of a linear memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import t as student_t

from spectral_capacity.analysis.asymptotes import held
from spectral_capacity.analysis.claims_file import FitClaim
from spectral_capacity.analysis.quantities import QUANTITIES
from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    MIN_LARGEST_D,
    TOO_SMALL,
    agrees,
    band,
    decides,
    p_value,
    verdict,
)
from spectral_capacity.results.fits import SHOWN
from spectral_capacity.theory.exponents import muon_exponent

FEWEST_ALPHAS = 3
"""Behind a slope in 1/α."""


def lines(claim: FitClaim, fits: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Rows of a claim: every optimizer, step, α and κ that has a measurement and a prediction.

    ``fits``: of :func:`analysis.exponents.fit_exponents`.
    """
    if claim.quantity not in fits.quantity:
        return
    batches = [float(b) for b in claim.batch_sizes or [math.inf] if b in fits.batch_size]
    optimizers = [name for name in claim.optimizers if name in fits.optimizer]
    for optimizer, batch, step in product(optimizers, batches, _steps(claim, fits)):
        yield from _lines(claim, fits, optimizer, batch, step)


def _steps(claim: FitClaim, fits: xr.Dataset) -> list[int]:
    """The steps of a claim that were fitted."""
    fitted = fits.step.values.tolist()
    return fitted[-1:] if claim.steps == "last" else [t for t in claim.steps if t in fitted]


def _lines(
    claim: FitClaim, fits: xr.Dataset, optimizer: str, batch_size: float, step: int
) -> Iterator[dict[str, Any]]:
    """Rows of a claim about one optimizer: every α and κ that has a measurement and a prediction."""
    lines = fits.sel(quantity=claim.quantity, optimizer=optimizer, batch_size=batch_size, step=step)
    if claim.statistic == "alpha_slope":
        for kappa in lines.kappa.values.tolist():
            yield from _alpha_slope(claim, lines.sel(kappa=kappa))
        return
    for alpha, kappa in product(lines.alpha.values.tolist(), lines.kappa.values.tolist()):
        line = lines.sel(alpha=alpha, kappa=kappa)
        measured_d = line.d.values[line.mean_capacity.notnull().values]
        predicted = _predicted(claim, line.isel(fit=0), alpha, kappa, step)
        if measured_d.size == 0 or math.isnan(predicted):
            continue
        about = {"optimizer": optimizer, "alpha": alpha, "kappa": kappa, "step": step}
        about |= {"predicted": predicted, "largest_d": measured_d.max().item()}
        about |= {"batch_size": batch_size} if math.isfinite(batch_size) else {}
        about["seeds"] = int(line.seeds.sel(d=measured_d).min())
        row = about | READ[claim.statistic](claim, line, predicted)
        least = max(claim.from_d or 0, MIN_LARGEST_D)
        if not decides(row.get("fitted", math.nan), row["largest_d"], row["seeds"], least):
            yield row | {"verdict": TOO_SMALL}
        elif not math.isnan(row["measured"]):
            yield row


def _exponent(claim: FitClaim, line: xr.Dataset, predicted: float) -> dict[str, Any]:
    """What is measured of an exponent, with what is allowed and the verdict."""
    # An exponent of the information line is one number, whatever the fit in d.
    line = line.sel(fit=claim.fit or SHOWN)
    tolerance = claim.tolerance
    if tolerance is None:
        tolerance = claim.log_powers / line.log_d.item()
    in_d = not QUANTITIES[claim.quantity].in_samples
    numbers = {
        "measured": line.exponent.item(),
        "low": line.boot_low.item(),
        "high": line.boot_high.item(),
        "error": line.boot_error.item(),
        "fit": claim.fit or "",
        "fitted": line.points.item() if in_d else math.nan,
        "finite_size": line.finite_size.item(),
        "log_powers": math.nan if claim.log_powers is None else claim.log_powers,
    }
    return _judged(claim, line, predicted, numbers, tolerance)


def _level(claim: FitClaim, line: xr.Dataset, predicted: float) -> dict[str, Any]:
    """The same of a value at the largest d."""
    names = {"measured": "level", "low": "level_low", "high": "level_high", "error": "level_error"}
    numbers = {name: line[variable].item() for name, variable in names.items()}
    return _judged(claim, line, predicted, numbers, claim.tolerance)


def _asymptote(claim: FitClaim, line: xr.Dataset, predicted: float) -> dict[str, Any]:
    """The same of an exponent in the limit: that of the prediction there, and the trend of measured over it."""
    continued = line.continued.item()
    names = {"measured": "trend", "low": "trend_low", "high": "trend_high"}
    numbers = {name: continued + line[variable].item() for name, variable in names.items()}
    numbers |= {"error": line.trend_error.item(), "finite_size": continued}
    points = held(claim.quantity, line.d.values, line[f"predicted_{claim.quantity}"].values)
    numbers["fitted"] = float((points & line.mean_capacity.notnull().values).sum())
    return _judged(claim, line, predicted, numbers, claim.tolerance)


def _alpha_slope(claim: FitClaim, lines: xr.Dataset) -> Iterator[dict[str, Any]]:
    """A row for the slope in 1/α of asymptotes (:func:`_asymptote`), by least squares over all α's."""
    known = lines.isel(alpha=np.flatnonzero(np.isfinite(lines.continued + lines.trend)))
    if known.alpha.size < FEWEST_ALPHAS:
        return
    X = np.stack([np.ones(known.alpha.size), 1 / known.alpha.values], axis=1)
    weights = np.linalg.pinv(X)[1]  # of each α's exponent in the slope
    continued = float(weights @ known.continued.values)
    error = float(np.sqrt(weights**2 @ known.trend_error.values**2))
    measured = continued + float(weights @ known.trend.values)
    numbers = {"measured": measured, "error": error, "finite_size": continued}
    seeds, largest_d = known.seeds.values, known.d.values.max().item()
    freedom = float(seeds[seeds > 0].min() - 1) * known.alpha.size
    reach = float(student_t.ppf(0.975, freedom)) * error if freedom > 0 else math.nan
    numbers |= {"low": measured - reach, "high": measured + reach}
    row = {
        "optimizer": known.optimizer.item(),
        "kappa": known.kappa.item(),
        "step": known.step.item(),
        "predicted": float(claim.predicted),
        "largest_d": largest_d,
        "seeds": int(seeds[seeds > 0].min()),
    } | _judged(claim, known, float(claim.predicted), numbers, claim.tolerance)
    too_small = not decides(math.nan, largest_d, row["seeds"])
    yield row | ({"verdict": TOO_SMALL} if too_small else {})


READ = {"exponent": _exponent, "level": _level, "asymptote": _asymptote}
"""By statistic, what reads a row from a line of the fits."""


def _judged(
    claim: FitClaim, line: xr.Dataset, predicted: float, numbers: dict[str, Any], tolerance: float
) -> dict[str, Any]:
    """A row with its verdict, were it the only one of its claim, and its p-value."""
    measured, low, high = (numbers[name] for name in ("measured", "low", "high"))
    ends = band(claim.relation, predicted, tolerance)
    seeds, fitted = line.seeds.values[line.seeds.values > 0], numbers.get("fitted", math.nan)
    freedom = float(seeds.min() - 1) * (1 if math.isnan(fitted) else max(fitted, 1))
    found, p = verdict(low, high, *ends), p_value(measured, numbers["error"], *ends, freedom)
    if claim.statistic in ("asymptote", "alpha_slope"):
        continued = numbers["finite_size"]
        if not math.isnan(continued) and not agrees(continued, claim.relation, predicted):
            found, p = CONTRADICTED, math.nan  # whatever was measured: luck has no part in it
    return numbers | {"tolerance": tolerance, "verdict": found, "p": p, "freedom": freedom}


def _predicted(claim: FitClaim, line: xr.Dataset, alpha: float, kappa: float, step: int) -> float:
    if claim.quantity == "capacity_to_isotropic" and kappa == 0:
        return math.nan  # one by definition
    if claim.predicted == "theory":
        return line.theory.item()
    if claim.predicted == "muon":
        return muon_exponent(alpha, kappa, step) if alpha > 1 else math.nan
    return float(claim.predicted)
