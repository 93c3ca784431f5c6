"""The theory's claims held against the fits, with a verdict whose rule is written down.

A claim predicts an exponent C "up to logarithms": d^C (log d)^k looks, around d̃, like the exponent
C + k/log d̃. So a claim allows ``log_powers`` k, and its band is C ± k/log d̃, d̃ the geometric mean of
the d's fitted. Against it stands the interval of the measured exponent over resampled seeds:

- **supported**: the interval lies inside the band;
- **contradicted**: the interval and the band do not meet;
- **inconclusive**: anything else, or no interval (one seed, too few d's).

A claim about several α is contradicted when any of its rows is, supported when all are.
"""

from __future__ import annotations

import html
import math
import os
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import xarray as xr

from spectral_capacity.artefacts import atomic_path
from spectral_capacity.claimsfile import Claim, read_claims

__all__ = ["Claim", "check", "overall", "read_claims", "to_html", "verdict", "write"]

SUPPORTED, INCONCLUSIVE, CONTRADICTED = "supported", "inconclusive", "contradicted"
NOT_MEASURED = "not measured"


def verdict(low: float, high: float, predicted: float, tolerance: float) -> str:
    """The rule: where the interval [low, high] lies against predicted ± tolerance."""
    if any(map(math.isnan, (low, high, predicted, tolerance))):
        return INCONCLUSIVE
    if predicted - tolerance <= low and high <= predicted + tolerance:
        return SUPPORTED
    if high < predicted - tolerance or low > predicted + tolerance:
        return CONTRADICTED
    return INCONCLUSIVE


def check(claims: Sequence[Claim], fits: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """One row per claim and line: predicted, measured, interval, band, verdicts.

    ``fits`` are results of :func:`regression.fit_exponents` by experiment. A claim about an experiment or an
    optimizer that was not run is one row with the verdict "not measured".
    """
    return pd.concat([_check_one(claim, fits.get(claim.experiment)) for claim in claims])


def _check_one(claim: Claim, fits: xr.Dataset | None) -> pd.DataFrame:
    about = {"claim": claim.id, "statement": claim.statement, "source": claim.source}
    missing = about | {"verdict": NOT_MEASURED, "claim_verdict": NOT_MEASURED}
    if fits is None or claim.optimizer not in fits.optimizer:
        return pd.DataFrame([missing], columns=COLUMNS)
    point = {"quantity": claim.quantity, "fit": claim.fit, "optimizer": claim.optimizer}
    lines = fits.sel({**point, "batch_size": math.inf, "step": 1})
    rows = []
    for index in lines.theory.stack(line=("alpha", "kappa")).dropna("line").line.values:
        line = lines.sel(alpha=index[0], kappa=index[1])
        tolerance = claim.log_powers / line.log_d.item()
        low, high = line.boot_low.item(), line.boot_high.item()
        predicted = line.theory.item()
        rows.append(
            about
            | {"experiment": claim.experiment, "optimizer": claim.optimizer}
            | {"quantity": claim.quantity, "fit": claim.fit, "alpha": index[0], "kappa": index[1]}
            | {"predicted": predicted, "measured": line.exponent.item(), "low": low, "high": high}
            | {"finite_size": line.finite_size.item(), "tolerance": tolerance}
            | {"verdict": verdict(low, high, predicted, tolerance)}
        )
    if not rows:  # the theory says nothing of the α and κ that were run
        return pd.DataFrame([missing], columns=COLUMNS)
    frame = pd.DataFrame(rows)
    frame["claim_verdict"] = overall(frame.verdict)
    return frame[COLUMNS]


def overall(verdicts: Iterable[str]) -> str:
    """One verdict for several lines of a claim."""
    if CONTRADICTED in set(verdicts):
        return CONTRADICTED
    return SUPPORTED if set(verdicts) == {SUPPORTED} else INCONCLUSIVE


COLUMNS = [
    "claim",
    "statement",
    "source",
    "experiment",
    "optimizer",
    "quantity",
    "fit",
    "alpha",
    "kappa",
    "predicted",
    "measured",
    "low",
    "high",
    "finite_size",
    "tolerance",
    "verdict",
    "claim_verdict",
]


def write(rows: pd.DataFrame, csv: str | os.PathLike, page: str | os.PathLike) -> None:
    """The rows as a table for programs and a page for people."""
    with atomic_path(csv) as temporary:
        rows.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    with atomic_path(page) as temporary:
        temporary.write_text(to_html(rows), encoding="utf-8")


def to_html(rows: pd.DataFrame) -> str:
    """A page of its own: per claim its statement, its verdict and a table of its lines."""
    sections = []
    for (claim,), group in rows.groupby(["claim"], sort=False):
        first = group.iloc[0]
        sections.append(
            f"<section><h2>{_text(claim)} <span class='{_css(first.claim_verdict)}'>"
            f"{_text(first.claim_verdict)}</span></h2>"
            f"<p>{_text(first.statement)} <small>{_text(first.source)}</small></p>"
        )
        if first.verdict != NOT_MEASURED:
            sections.append(
                f"<p><small>Experiment {_text(first.experiment)}, optimizer "
                f"{_text(first.optimizer)}, fit “{_text(first.fit)}” of "
                f"{_text(first.quantity.replace('_', ' '))}.</small></p>"
            )
            sections.append(_table(group))
        sections.append("</section>")
    return _PAGE.format(rule=_RULE, body="\n".join(sections))


def _table(group: pd.DataFrame) -> str:
    head = ["α", "κ", "predicted", "allowed", "measured", "interval", "finite-size", "verdict"]
    lines = []
    for row in group.itertuples():
        cells = [
            f"{row.alpha:g}",
            f"{row.kappa:g}",
            _number(row.predicted),
            f"± {_number(row.tolerance)}",
            _number(row.measured),
            f"[{_number(row.low)}, {_number(row.high)}]",
            _number(row.finite_size),
        ]
        mark = f"<td class='{_css(row.verdict)}'>{row.verdict}</td>"
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + mark + "</tr>")
    header = "".join(f"<th>{name}</th>" for name in head)
    return f"<table><thead><tr>{header}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}".replace("-", "−")


def _text(value: object) -> str:
    return html.escape(str(value))


def _css(value: str) -> str:
    return value.replace(" ", "-")


_RULE = (
    "A claim holds up to logarithms: d^C (log d)^k looks like the exponent C + k/log d. The allowed "
    "deviation is k/log d at the geometric mean d of the fit, with k written in the claims file. "
    "Supported: the measured interval (resampled seeds) lies inside predicted ± allowed. "
    "Contradicted: they do not meet. Inconclusive: anything else. The column finite-size is the same "
    "fit of the parameter-free prediction at the same d's: where it agrees with the measurement, the "
    "distance to the asymptotic exponent is due to finite d."
)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Claims</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }}
h2 {{ margin: 2rem 0 0; }}
small {{ color: #555; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #ddd; }}
th {{ border-bottom: 2px solid #222; font-weight: 600; }}
h2 span {{ font-size: .75em; font-weight: 600; padding: .1em .5em; border-radius: .3em; }}
.supported {{ color: #00509e; }} .supported::before {{ content: "✓ "; }}
.contradicted {{ color: #b03a00; }} .contradicted::before {{ content: "✗ "; }}
.inconclusive, .not-measured {{ color: #555; }} .inconclusive::before {{ content: "? "; }}
</style>
</head>
<body>
<h1>Claims of the theory, measured</h1>
<p>{rule}</p>
{body}
</body>
</html>
"""
