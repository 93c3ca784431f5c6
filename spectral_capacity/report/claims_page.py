"""The page of claims: per claim its statement, its verdict and a table of its lines."""

from __future__ import annotations

import os

import pandas as pd

from spectral_capacity.report.results import results
from spectral_capacity.report.templates import template
from spectral_capacity.report.text import plain
from spectral_capacity.results.files import atomic_path


def write(rows: pd.DataFrame, csv: str | os.PathLike, page: str | os.PathLike) -> None:
    """Rows of :func:`analysis.claims.check` as a table for programs and a page for people.

    Statements of the table are plain text.
    """
    with atomic_path(csv) as temporary:
        table = rows.assign(statement=rows.statement.map(plain))
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    with atomic_path(page) as temporary:
        temporary.write_text(to_html(rows), encoding="utf-8")


def to_html(rows: pd.DataFrame) -> str:
    """A page of its own from rows of :func:`analysis.claims.check`."""
    found = results(rows.to_dict("records"))
    return template("claims", PAGE).render(results=found).strip() + "\n"


PAGE = """\
{{ parts.head("Claims") }}
<body>
<main>
<h1>Claims of the theory, measured</h1>
{{ parts.rule() }}
{% for result in results %}
<section id="{{ result.slug }}">
<h2>{{ result.id }} {{ parts.verdict(result.verdict) }}</h2>
{{ result.statement | rst }}
{% if result.lines %}
{% if result.verdict in ("contradicted", "inconclusive") %}
<p>{{ parts.reason(result) }}</p>
{% endif %}
<p class="soft">{{ parts.origin(result) }}</p>
{{ parts.lines_of(result) }}
{% else %}
<p class="soft">{{ result.source | inline }}</p>
{% endif %}
</section>
{% endfor %}
</main>
</body>
</html>
"""
