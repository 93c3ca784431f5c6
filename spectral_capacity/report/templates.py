"""What the pages share: verdicts, tables of a claim's lines, small pictures of where a measurement lies."""

from __future__ import annotations

import math
from collections.abc import Mapping

from jinja2 import DictLoader, Environment, StrictUndefined, Template

from spectral_capacity.analysis.verdicts import (
    MIN_FITTED,
    MIN_LARGEST_D,
    MIN_SEEDS_OF_A_MEDIAN,
)
from spectral_capacity.report import text
from spectral_capacity.report.claim_lines import ALLOWED, Line
from spectral_capacity.report.results import SIGNS
from spectral_capacity.report.style import STYLE
from spectral_capacity.report.words import commit, number
from spectral_capacity.results.provenance import to_json

PARTS = """\
{% macro head(title, provenance=none) %}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
{% if provenance %}
<meta name="provenance" content="{{ provenance | json }}">
{% endif %}
<link rel="icon" href="data:,">
<style>
{{ style | safe }}
</style>
</head>
{% endmacro %}

{% macro made_with(made) %}
Made by spectral-capacity {{ made.versions.spectral_capacity }}, code <code>{{ made.get("code", "–") }}</code>,
commit {{ commits([made.git_revision]) }}.
{%- endmacro %}

{% macro commits(revisions) %}
{% for revision in revisions %}<span title="{{ revision }}">{{ revision | commit }}</span>
{{- "; " if not loop.last }}{% else %}–{% endfor %}
{%- endmacro %}

{% macro reader(file) %}
<code>python -m spectral_capacity.results.read_provenance {{ file }}</code>
{%- endmacro %}

{% macro plural(number, word) %}
{{ number }} {{ word }}{{ "s" if number != 1 }}
{%- endmacro %}

{% macro verdict(name) %}
<span class="verdict {{ name | replace(" ", "-") }}">
{#- #}<span aria-hidden="true">{{ signs[name] }} </span>{{ name }}</span>
{%- endmacro %}

{% macro interval(line, digits) %}
{% if line.low == line.low %}
[{{ line.low | number(digits) }},\N{NO-BREAK SPACE}{{ line.high | number(digits) }}]
{%- endif %}
{% endmacro %}

{% macro strip(line) %}
{% set at = line | drawn %}
<svg class="strip" width="126" height="16" viewBox="-63 -8 126 16" aria-hidden="true" focusable="false">
<rect x="{{ at.lower }}" y="-6" width="{{ at.upper - at.lower }}" height="12" fill="#cfe0f1"/>
<path d="M0 -8V8" stroke="#57606a"/>
{% if at.low is not none %}
<path d="M{{ at.low }} 0H{{ at.high }}" stroke="#1f2328" stroke-width="2"/>
{% endif %}
{% if at.measured is not none %}
<circle cx="{{ at.measured }}" r="3.5" fill="#1f2328"/>
{% endif %}
{% if at.right %}
<path d="M63 0l-7 -5v10z" fill="#1f2328"/>
{% endif %}
{% if at.left %}
<path d="M-63 0l7 -5v10z" fill="#1f2328"/>
{% endif %}
</svg>
{%- endmacro %}

{% macro origin(result) %}
{% set line = result.lines[0] %}
{{ result.source | inline }}. Experiment {{ line.experiment }}; {{ line.what | inline }}
{%- if line.over %}, {{ line.over }}{% endif %}
{%- if result.everywhere %}; {{ result.everywhere | inline }}{% endif %}.
{% endmacro %}

{% macro lines_of(result) %}
<div class="scroll" tabindex="0" role="region" aria-label="Measurements of {{ result.id }}">
<table class="numbers">
<thead><tr>{% for heading in result.columns.values() %}<th scope="col">{{ heading }}</th>{% endfor %}

<th scope="col">predicted</th><th scope="col">allowed</th><th scope="col">measured</th>
<th scope="col">interval</th>
{% if result.has_predictions %}<th scope="col" class="wrap">prediction without a fit parameter</th>{% endif %}

{% if "d" not in result.columns %}<th scope="col">largest d</th>{% endif %}

<th scope="col">verdict</th></tr></thead>
<tbody>
{% for line in result.lines %}
<tr>{% for name in result.columns %}<td>{{ line.coordinate(name) }}</td>{% endfor %}

<td>{{ side[line.relation] }} {{ line.predicted | number(3) }}</td>
<td>{{ allowed[line.relation] }} {{ line.tolerance | number(3) }}
{%- if line.logarithms %} = {{ line.logarithms }}{% endif %}</td>
<td>{{ line.measured | number(3) }}</td><td>{{ interval(line, 3) | trim or "–" }}</td>
{% if result.has_predictions %}<td>{{ line.finite_size | number(3) }}</td>{% endif %}

{% if "d" not in result.columns %}<td>{{ "%g" | format(line.largest_d) }}</td>{% endif %}

<td>{{ verdict(line.verdict) }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% if result.missing %}<p class="soft">{{ missing(result) }}</p>{% endif %}
{% endmacro %}

{% macro missing(result) %}
{% if result.missing %}Not measured: {{ result.missing | join("; ") }}.{% endif %}
{% endmacro %}

{% macro reason(result) %}
{{ result.deciding.side }}{% if result.note %} {{ result.note | inline }}{% endif %}
{% endmacro %}

{% macro rule() %}
<ul>
<li>{{ verdict("supported") }}: the measured interval lies inside what is allowed.</li>
<li>{{ verdict("contradicted") }}: the whole interval lies outside what is allowed.</li>
<li>{{ verdict("inconclusive") }}: anything else, or no interval.</li>
<li>{{ verdict("too small") }}: an exponent over fewer than {{ min_fitted }} values of d, or no d of
{{ min_largest_d }} or more. Such a run decides nothing, whatever it measured.</li>
</ul>
<p>A claim about several measurements is supported only when all of them are, and contradicted when one is. “At
most” and “at least” allow everything on their other side. Theorems hold up to logarithms: around a dimension
{{ "d" | math(",") }} {{ "d^C (\\\\log\\\\, d)^k" | math }} looks like the exponent
{{ "C + k/\\\\log\\\\, d" | math(".") }} Where a claim leaves {{ "k" | math }} of them open, mostly one,
{{ "k/\\\\log\\\\, d" | math }} is allowed, at the geometric mean of the fitted d's.</p>
<p>Intervals are percentiles over resampled seeds, 95&nbsp;% unless the configuration says otherwise, and too
narrow where seeds are few: in simulations a nominal 95&nbsp;% held the truth in 76&nbsp;% of cases with 2 seeds
and in 90&nbsp;% with 4. Where one optimizer is held against another, the median over seeds of their difference
or ratio is measured; its interval is of order statistics, from {{ min_seeds }} seeds on.</p>
{% endmacro %}
"""


def template(name: str, source: str, **pieces: str) -> Template:
    """A page, which has the parts as ``parts``, and may include ``pieces`` by their names."""
    written = {name: source} | pieces
    sources = {name: f'{{% import "parts" as parts %}}\n{text}' for name, text in written.items()}
    sources["parts"] = PARTS
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "json": to_json,
        "commit": commit,
        "drawn": drawn,
        "rst": text.to_html,
        "inline": text.inline,
        "title": lambda title: text.inline(title, links=False),
        "plain": text.plain,
        "math": lambda latex, stop="": text.inline(f":math:`{latex}`{stop}"),
    }
    environment.globals |= {
        "allowed": ALLOWED,
        "side": {"equal": "", "at_most": "at most", "at_least": "at least"},
        "signs": SIGNS,
        "style": STYLE,
        "min_fitted": MIN_FITTED,
        "min_largest_d": MIN_LARGEST_D,
        "min_seeds": MIN_SEEDS_OF_A_MEDIAN,
    }
    return environment.get_template(name)


UNIT, WIDEST = 20.0, 3.0
"""Pixels for what is allowed, and how many times that a strip shows on each side."""


def drawn(line: Line) -> Mapping[str, float | bool | None]:
    """A strip of a line in pixels: the band that is allowed around 0, the interval cut at the strip's ends.

    ``measured`` is None beyond them; ``left`` and ``right`` tell whether anything lies beyond.
    """

    def pixels(position: float) -> float | None:
        if math.isnan(position):
            return None
        return round(UNIT * min(max(position, -WIDEST), WIDEST), 1)

    measured = line.position(line.measured)
    shown = [measured, line.position(line.low), line.position(line.high)]
    return {
        "lower": UNIT * (-WIDEST if line.relation == "at_most" else -1),
        "upper": UNIT * (WIDEST if line.relation == "at_least" else 1),
        "low": pixels(line.position(line.low)),
        "high": pixels(line.position(line.high)),
        "measured": pixels(measured) if abs(measured) <= WIDEST else None,
        "left": min(shown) < -WIDEST,
        "right": max(shown) > WIDEST,
    }
