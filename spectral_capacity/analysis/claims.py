"""The theory's claims held against the fits, with a verdict whose rule is written down.

A claim predicts an exponent C "up to logarithms": d^C (log d)^k looks, around d̃, like the exponent
C + k/log d̃. So a claim allows ``log_powers`` k, and its band is C ± k/log d̃, d̃ the geometric mean of
the d's fitted; or a plain ``tolerance``. A claim of "at most" or "at least" has a band that is open on one
side. Against it stands the interval of the measured value over resampled seeds:

- **supported**: the interval lies inside the band;
- **contradicted**: the interval and the band do not meet;
- **inconclusive**: anything else, or no interval (one seed, too few d's).

A claim about several lines is contradicted when any of its rows is, supported when all are.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import xarray as xr

from spectral_capacity.analysis.claims_file import Claim
from spectral_capacity.analysis.claims_page import to_html
from spectral_capacity.results.files import atomic_path
from spectral_capacity.theory.exponents import muon_exponent

SUPPORTED, INCONCLUSIVE, CONTRADICTED = "supported", "inconclusive", "contradicted"
NOT_MEASURED = "not measured"

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
]


def verdict(low: float, high: float, lower: float, upper: float) -> str:
    """The rule: where the interval [low, high] lies against the band [lower, upper]."""
    if any(map(math.isnan, (low, high, lower, upper))):
        return INCONCLUSIVE
    if lower <= low and high <= upper:
        return SUPPORTED
    return CONTRADICTED if high < lower or low > upper else INCONCLUSIVE


def band(relation: str, predicted: float, tolerance: float) -> tuple[float, float]:
    """What a claim allows: both sides of its prediction, or all of one."""
    lower = -math.inf if relation == "at_most" else predicted - tolerance
    upper = math.inf if relation == "at_least" else predicted + tolerance
    return lower, upper


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
            if claim.statistic == "level":
                names = ("level", "level_low", "level_high")
            else:
                line, names = line.sel(fit=fit), ("exponent", "boot_low", "boot_high")
            measured, low, high = (line[name].item() for name in names)
            predicted = _predicted(claim, line, alpha, kappa, step)
            if math.isnan(predicted) or math.isnan(measured):
                continue
            tolerance = claim.tolerance
            if tolerance is None:
                tolerance = claim.log_powers / line.log_d.item()
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
                "verdict": verdict(low, high, *band(claim.relation, predicted, tolerance)),
            }


def _predicted(claim: Claim, line: xr.Dataset, alpha: float, kappa: float, step: int) -> float:
    if claim.quantity == "capacity_to_isotropic" and kappa == 0:
        return math.nan  # one by definition
    if claim.predicted == "theory":
        return line.theory.item()
    if claim.predicted == "muon":
        return muon_exponent(alpha, kappa, step) if alpha > 1 else math.nan
    return float(claim.predicted)


def overall(verdicts: Iterable[str]) -> str:
    """One verdict for several lines of a claim."""
    if CONTRADICTED in set(verdicts):
        return CONTRADICTED
    return SUPPORTED if set(verdicts) == {SUPPORTED} else INCONCLUSIVE


def write(rows: pd.DataFrame, csv: str | os.PathLike, page: str | os.PathLike) -> None:
    """The rows as a table for programs and a page for people."""
    with atomic_path(csv) as temporary:
        rows.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    with atomic_path(page) as temporary:
        temporary.write_text(to_html(rows), encoding="utf-8")
