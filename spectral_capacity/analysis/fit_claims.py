"""Claims about fits: exponents in d, and values at the largest d, of a linear memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import xarray as xr

from spectral_capacity.analysis.claims_file import FitClaim
from spectral_capacity.analysis.quantities import QUANTITIES
from spectral_capacity.analysis.verdicts import TOO_SMALL, band, decides, verdict
from spectral_capacity.theory.exponents import muon_exponent


def lines(claim: FitClaim, fits: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Rows of a claim: every optimizer, step, α and κ that has a measurement and a prediction.

    ``fits``: of :func:`analysis.exponents.fit_exponents`.
    """
    if claim.quantity not in fits.quantity or math.inf not in fits.batch_size:
        return
    for optimizer in claim.optimizers:
        if optimizer in fits.optimizer:
            for step in _steps(claim, fits):
                yield from _lines(claim, fits, optimizer, step)


def _steps(claim: FitClaim, fits: xr.Dataset) -> list[int]:
    """The steps of a claim that were fitted."""
    fitted = fits.step.values.tolist()
    return fitted[-1:] if claim.steps == "last" else [t for t in claim.steps if t in fitted]


def _lines(
    claim: FitClaim, fits: xr.Dataset, optimizer: str, step: int
) -> Iterator[dict[str, Any]]:
    """Rows of a claim about one optimizer: every α and κ that has a measurement and a prediction."""
    lines = fits.sel(quantity=claim.quantity, optimizer=optimizer, batch_size=math.inf, step=step)
    # An exponent of the information line is one number, whatever the fit in d.
    fit = claim.fit or "ols"
    for alpha in lines.alpha.values.tolist():
        for kappa in lines.kappa.values.tolist():
            line = lines.sel(alpha=alpha, kappa=kappa)
            measured_d = line.d.values[line.mean_capacity.notnull().values]
            if measured_d.size == 0:
                continue
            if claim.statistic == "level":
                names = ("level", "level_low", "level_high")
            else:
                line, names = line.sel(fit=fit), ("exponent", "boot_low", "boot_high")
            measured, low, high = (line[name].item() for name in names)
            predicted = _predicted(claim, line, alpha, kappa, step)
            exponent_in_d = (
                claim.statistic == "exponent" and not QUANTITIES[claim.quantity].in_samples
            )
            fitted = line.points.item() if exponent_in_d else math.nan
            largest_d = measured_d.max().item()
            decided = decides(fitted, largest_d)
            if math.isnan(predicted) or (decided and math.isnan(measured)):
                continue
            tolerance = claim.tolerance
            if tolerance is None:
                tolerance = claim.log_powers / line.log_d.item()
            ends = band(claim.relation, predicted, tolerance)
            yield {
                "optimizer": optimizer,
                "fit": claim.fit or "",
                "alpha": alpha,
                "kappa": kappa,
                "step": step,
                "predicted": predicted,
                "measured": measured,
                "low": low,
                "high": high,
                "finite_size": math.nan if claim.statistic == "level" else line.finite_size.item(),
                "tolerance": tolerance,
                "verdict": verdict(low, high, *ends) if decided else TOO_SMALL,
                "fitted": fitted,
                "largest_d": largest_d,
                "log_powers": math.nan if claim.log_powers is None else claim.log_powers,
            }


def _predicted(claim: FitClaim, line: xr.Dataset, alpha: float, kappa: float, step: int) -> float:
    if claim.quantity == "capacity_to_isotropic" and kappa == 0:
        return math.nan  # one by definition
    if claim.predicted == "theory":
        return line.theory.item()
    if claim.predicted == "muon":
        return muon_exponent(alpha, kappa, step) if alpha > 1 else math.nan
    return float(claim.predicted)
