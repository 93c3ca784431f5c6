"""The claims held against what was measured; :mod:`analysis.verdicts` has the rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import xarray as xr

from spectral_capacity.analysis import fit_claims, recall_claims, run_claims
from spectral_capacity.analysis.claims_file import Claim, FitClaim, RecallClaim, RunClaim
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
    "reason",
]
"""What a line is about, as far as it says something of it; empty elsewhere. ``p``: of a measurement so far
beyond what is allowed, if the claim is true, adjusted for all lines of the claim. ``reason``: why it was not
measured. ``seeds``: runs behind it.
``fitted``: d's behind an exponent in d. ``largest_d``: the largest that was measured. ``log_powers`` and
``note`` are the claim's; the first is empty where it has a plain tolerance."""

LINES = {
    FitClaim: fit_claims.lines,
    RunClaim: run_claims.lines,
    RecallClaim: recall_claims.lines,
}
"""By the kind of claim: from (claim, what its experiment measured) to rows, none where that is not there."""


def check(
    claims: Sequence[Claim],
    fits: Mapping[str, xr.Dataset],
    grids: Mapping[str, xr.Dataset] | None = None,
) -> pd.DataFrame:
    """One row per claim and line: predicted, measured, interval, band, verdicts.

    ``fits`` of :func:`fit_exponents` and ``grids``, by experiment; claims about fits are held against the ones,
    all others against the others. An optimizer of a claim that its experiment does not have is a row with the
    verdict "not measured" and the reason, which does not count for the claim if others were measured; so is a
    claim without any measurement.
    """
    if not claims:
        return pd.DataFrame(columns=COLUMNS)
    found = []
    for claim in claims:
        measured = fits if isinstance(claim, FitClaim) else grids or {}
        found.append(_check_one(claim, measured.get(claim.experiment)))
    return pd.concat(found)


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
    rows = [] if measured is None else [*LINES[type(claim)](claim, measured)]
    rows += _not_measured(claim, measured, bool(rows))
    frame = pd.DataFrame([about | row for row in rows])
    if "p" in frame:
        frame["p"] = holm(frame.p.where(frame.verdict != TOO_SMALL).tolist())
        luck = (frame.verdict == CONTRADICTED) & (frame.p > LEVEL)
        frame["verdict"] = frame.verdict.where(~luck, INCONCLUSIVE)
    known = frame[frame.verdict != NOT_MEASURED]
    if claim.statistic == "asymptote" and len(known):
        alike = known.groupby(["optimizer", "kappa", "step"], sort=False)
        frame["verdict"] = pd.concat(
            [_together(lines) for _, lines in alike] + [frame.verdict.drop(known.index)]
        )
    of_measured = frame.verdict[known.index]
    frame["claim_verdict"] = overall(of_measured) if len(known) else NOT_MEASURED
    return frame.reindex(columns=COLUMNS)


def _not_measured(
    claim: Claim, measured: xr.Dataset | None, any_line: bool
) -> Iterator[dict[str, str]]:
    """Rows for optimizers that the experiment does not have, or one for a claim of which nothing is known."""
    verdict = {"verdict": NOT_MEASURED}
    if measured is None:
        yield verdict | {"reason": f"the experiment {claim.experiment} was not run"}
        return
    known, missing = measured.optimizer.values.tolist(), []
    for role, names in claim.roles.items():
        missing += [(role, name) for name in names if name not in known]
    for role, name in missing:
        reason = f"{name} is not among the optimizers of {claim.experiment}"
        yield verdict | {role: name, "reason": reason}
    if not missing and not any_line:
        reason = f"{claim.experiment} has no {claim.quantity} where the claim speaks of it"
        yield verdict | {"reason": reason}
