"""The page of claims: per claim its statement, its verdict and a table of its lines."""

from __future__ import annotations

import math

import pandas as pd
from jinja2 import Environment, StrictUndefined

from spectral_capacity.analysis.quantities import QUANTITIES

RULE = (
    "A claim holds up to logarithms: d^C (log d)^k looks like the exponent C + k/log d. The allowed "
    "deviation is k/log d at the geometric mean d of the fit, with k written in the claims file, or a "
    "plain tolerance; a claim of “at most” or “at least” allows everything on its other side. "
    "Supported: the measured interval (resampled seeds) lies inside predicted ± allowed. "
    "Contradicted: they do not meet. Inconclusive: anything else. The column finite-size is the same "
    "fit of the parameter-free prediction at the same points: where it agrees with the measurement, the "
    "distance to the asymptotic exponent is due to finite size."
)
SIGNS = {"equal": "±", "at_most": "at most +", "at_least": "at least −"}


def to_html(rows: pd.DataFrame) -> str:
    """A page of its own from rows of :func:`analysis.claims.check`."""
    claims = [group for _, group in rows.groupby("claim", sort=False)]
    return _PAGE.render(claims=claims, rule=RULE, signs=SIGNS, origin=_origin) + "\n"


def _origin(line: pd.Series) -> str:
    """Where the numbers of a claim come from, in a sentence; ``line`` is any of its rows."""
    quantity = line.quantity.replace("_", " ")
    about = QUANTITIES[line.quantity]
    if about.in_samples:
        what = f"exponent of capacity in the {about.grows_with}"
    elif line.statistic == "level":
        what = f"{quantity} at the largest d"
    else:
        what = f"exponent of {quantity} in d"
    if line.fit:
        what += f", fit “{line.fit}”"
    return f"Experiment {line.experiment}; {what}."


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}".replace("-", "−")


def _css_class(verdict: str) -> str:
    return verdict.replace(" ", "-")


_ENVIRONMENT = Environment(
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENVIRONMENT.filters |= {"number": _number, "css_class": _css_class}
_PAGE = _ENVIRONMENT.from_string("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Claims</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
h2 { margin: 2rem 0 0; }
small { color: #555; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #222; font-weight: 600; }
h2 span { font-size: .75em; font-weight: 600; padding: .1em .5em; border-radius: .3em; }
.supported { color: #00509e; } .supported::before { content: "✓ "; }
.contradicted { color: #b03a00; } .contradicted::before { content: "✗ "; }
.inconclusive, .not-measured { color: #555; } .inconclusive::before { content: "? "; }
</style>
</head>
<body>
<h1>Claims of the theory, measured</h1>
<p>{{ rule }}</p>
{% for lines in claims %}
{% set first = lines.iloc[0] %}
{% set verdict = first.claim_verdict %}
<section>
<h2>{{ first.claim }} <span class="{{ verdict | css_class }}">{{ verdict }}</span></h2>
<p>{{ first.statement }} <small>{{ first.source }}</small></p>
{% if first.verdict != "not measured" %}
{% set many_steps = (lines.step != 1).any() %}
<p><small>{{ origin(first) }}</small></p>
<table>
<thead>
<tr><th>optimizer</th><th>α</th><th>κ</th>{% if many_steps %}<th>t</th>{% endif %}
<th>predicted</th><th>allowed</th><th>measured</th><th>interval</th><th>finite-size</th>
<th>verdict</th></tr>
</thead>
<tbody>
{% for line in lines.itertuples() %}
<tr><td>{{ line.optimizer }}</td>
<td>{{ "%g" | format(line.alpha) }}</td>
<td>{{ "%g" | format(line.kappa) }}</td>
{% if many_steps %}
<td>{{ "%g" | format(line.step) }}</td>
{% endif %}
<td>{{ line.predicted | number }}</td>
<td>{{ signs[line.relation] }} {{ line.tolerance | number }}</td>
<td>{{ line.measured | number }}</td>
<td>[{{ line.low | number }}, {{ line.high | number }}]</td>
<td>{{ line.finite_size | number }}</td>
<td class="{{ line.verdict | css_class }}">{{ line.verdict }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
</section>
{% endfor %}
</body>
</html>
""")
