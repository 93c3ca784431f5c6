"""The claims held against what was measured; :mod:`analysis.verdicts` has the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from spectral_capacity.analysis import fit_claims, recall_claims
from spectral_capacity.analysis.claims_file import Claim, FitClaim, RecallClaim
from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    LEVEL,
    NOT_MEASURED,
    TOO_SMALL,
    holm,
    overall,
    pooled,
)

COLUMNS = [
    "claim",
    "statement",
    "source",
    "experiment",
    "optimizer",
    "against",
    "quantity",
    "statistic",
    "fit",
    "relation",
    "alpha",
    "kappa",
    "step",
    "alpha_triggers",
    "alpha_outputs",
    "d",
    "batch_size",
    "iteration",
    "predicted",
    "measured",
    "low",
    "high",
    "finite_size",
    "tolerance",
    "verdict",
    "claim_verdict",
    "p",
    "seeds",
    "fitted",
    "largest_d",
    "log_powers",
    "note",
]
"""What a line is about, as far as it says something of it; empty elsewhere. ``p``: of a measurement so far
beyond what is allowed, if the claim is true, adjusted for all lines of the claim. ``seeds``: runs behind it.
``fitted``: d's behind an exponent in d. ``largest_d``: the largest that was measured. ``log_powers`` and
``note`` are the claim's; the first is empty where it has a plain tolerance."""

LINES = {FitClaim: fit_claims.lines, RecallClaim: recall_claims.lines}
"""By the kind of claim: from (claim, what its experiment measured) to rows, none where that is not there."""


def check(claims: Sequence[Claim], measured: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """One row per claim and line: predicted, measured, interval, band, verdicts.

    ``measured`` by experiment: results of :func:`fit_exponents` of a memory, the grid of transformers. A claim
    about an experiment, an optimizer or steps that were not run is one row with the verdict "not measured".
    """
    if not claims:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat([_check_one(claim, measured.get(claim.experiment)) for claim in claims])


def _together(rows: pd.DataFrame) -> pd.Series:
    """Verdicts of lines that differ in α alone: of those that do not contradict the claim, their mean's."""
    judged = rows[rows.verdict != TOO_SMALL]
    if judged.empty:
        return rows.verdict
    first = judged.iloc[0]
    found = pooled(
        (judged.measured - judged.predicted).to_numpy(float),
        judged.error.to_numpy(float),
        float(judged.freedom.sum()),
        first.relation,
        first.tolerance,
    )
    return rows.verdict.where(rows.verdict.isin([TOO_SMALL, CONTRADICTED]), found)


def _check_one(claim: Claim, measured: xr.Dataset | None) -> pd.DataFrame:
    about = {"claim": claim.id, "note": claim.note or ""}
    about |= claim.model_dump(include={"statement", "source", "experiment", "quantity"})
    about |= claim.model_dump(include={"statistic", "relation"})
    rows = [] if measured is None else [about | row for row in LINES[type(claim)](claim, measured)]
    if not rows:  # nobody ran it, or the theory says nothing of the α and κ that were run
        missing = {"claim": claim.id, "statement": claim.statement, "source": claim.source}
        missing |= {
            "note": claim.note or "",
            "verdict": NOT_MEASURED,
            "claim_verdict": NOT_MEASURED,
        }
        return pd.DataFrame([missing], columns=COLUMNS)
    frame = pd.DataFrame(rows)
    if "p" in frame:
        frame["p"] = holm(frame.p.where(frame.verdict != TOO_SMALL).tolist())
        luck = (frame.verdict == CONTRADICTED) & (frame.p > LEVEL)
        frame["verdict"] = frame.verdict.where(~luck, INCONCLUSIVE)
    if claim.statistic == "asymptote":
        alike = frame.groupby(["optimizer", "kappa", "step"], sort=False)
        frame["verdict"] = pd.concat([_together(lines) for _, lines in alike])
    frame["claim_verdict"] = overall(frame.verdict)
    return frame.reindex(columns=COLUMNS)
