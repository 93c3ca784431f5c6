"""The theory's claims held against the fits; :mod:`analysis.verdicts` has the rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import xarray as xr

from spectral_capacity.analysis.claims_file import Claim
from spectral_capacity.analysis.quantities import QUANTITIES
from spectral_capacity.analysis.verdicts import (
    NOT_MEASURED,
    TOO_SMALL,
    band,
    decides,
    overall,
    verdict,
)
from spectral_capacity.theory.exponents import muon_exponent

COLUMNS = [
    "claim",
    "statement",
    "source",
    "experiment",
    "optimizer",
    "quantity",
    "statistic",
    "fit",
    "relation",
    "alpha",
    "kappa",
    "step",
    "predicted",
    "measured",
    "low",
    "high",
    "finite_size",
    "tolerance",
    "verdict",
    "claim_verdict",
    "fitted",
    "largest_d",
    "log_powers",
    "note",
]
"""``fitted``: d's behind an exponent in d. ``largest_d``: the largest that was measured. ``log_powers`` and
``note`` are the claim's; the first is NaN where it has a plain tolerance."""


def check(claims: Sequence[Claim], fits: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """One row per claim and line: predicted, measured, interval, band, verdicts.

    ``fits`` are results of :func:`fit_exponents` by experiment. A claim about an experiment, an
    optimizer or steps that were not run is one row with the verdict "not measured".
    """
    if not claims:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat([_check_one(claim, fits.get(claim.experiment)) for claim in claims])


def _check_one(claim: Claim, fits: xr.Dataset | None) -> pd.DataFrame:
    about = {"claim": claim.id, "statement": claim.statement, "source": claim.source}
    powers = math.nan if claim.log_powers is None else claim.log_powers
    about |= {"log_powers": powers, "note": claim.note or ""}
    rows = []
    if fits is not None and claim.quantity in fits.quantity and math.inf in fits.batch_size:
        for optimizer in claim.optimizers:
            if optimizer in fits.optimizer:
                for step in _steps(claim, fits):
                    rows += [about | row for row in _lines(claim, fits, optimizer, step)]
    if not rows:  # nobody ran it, or the theory says nothing of the α and κ that were run
        missing = about | {"verdict": NOT_MEASURED, "claim_verdict": NOT_MEASURED}
        return pd.DataFrame([missing], columns=COLUMNS)
    frame = pd.DataFrame(rows)
    frame["claim_verdict"] = overall(frame.verdict)
    return frame[COLUMNS]


def _steps(claim: Claim, fits: xr.Dataset) -> list[int]:
    """The steps of a claim that were fitted."""
    fitted = fits.step.values.tolist()
    return fitted[-1:] if claim.steps == "last" else [t for t in claim.steps if t in fitted]


def _lines(claim: Claim, fits: xr.Dataset, optimizer: str, step: int) -> Iterable[dict]:
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
                "experiment": claim.experiment,
                "optimizer": optimizer,
                "quantity": claim.quantity,
                "statistic": claim.statistic,
                "fit": claim.fit or "",
                "relation": claim.relation,
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
            }


def _predicted(claim: Claim, line: xr.Dataset, alpha: float, kappa: float, step: int) -> float:
    if claim.quantity == "capacity_to_isotropic" and kappa == 0:
        return math.nan  # one by definition
    if claim.predicted == "theory":
        return line.theory.item()
    if claim.predicted == "muon":
        return muon_exponent(alpha, kappa, step) if alpha > 1 else math.nan
    return float(claim.predicted)
