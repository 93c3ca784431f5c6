"""The page of claims: per claim its statement, its verdict and a table of its lines."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from spectral_capacity.report.results import results
from spectral_capacity.report.templates import template
from spectral_capacity.report.text import plain
from spectral_capacity.results.files import atomic_path
from spectral_capacity.results.made_from import Datasets, made_from
from spectral_capacity.results.provenance import record

PACKAGES = ("jinja2", "numpy", "pandas", "xarray")
"""Behind the table and the page."""


def write(
    rows: pd.DataFrame,
    csv: str | os.PathLike,
    page: str | os.PathLike,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Rows of :func:`analysis.claims.check` as a table for programs and a page for people.

    Statements of the table are plain text. provenance: of both, held by the page.
    """
    with atomic_path(csv) as temporary:
        table = rows.assign(statement=rows.statement.map(plain))
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    with atomic_path(page) as temporary:
        temporary.write_text(to_html(rows, provenance), encoding="utf-8")


def checked_with(
    experiments: Sequence[str],
    claims: str | os.PathLike,
    code: str,
    fits: Datasets,
    grids: Datasets = None,
) -> dict[str, Any]:
    """Provenance of a table of claims: of what, the digest of the file of claims, that of the fits, and of
    grids that claims were held against themselves."""
    digest = hashlib.sha256(Path(claims).read_bytes()).hexdigest()
    settings = {"experiments": [*experiments], "claims_sha256": digest}
    made = record(settings, code=code, packages=PACKAGES)
    return made | made_from(fits=fits) | (made_from(grids=grids) if grids else {})


def to_html(rows: pd.DataFrame, provenance: Mapping[str, Any] | None = None) -> str:
    """A page of its own from rows of :func:`analysis.claims.check`."""
    found = results(rows.to_dict("records"))
    page = template("claims", PAGE).render(results=found, provenance=provenance)
    return page.strip() + "\n"


PAGE = """\
{{ parts.head("Claims", provenance) }}
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
<p class="soft">{{ result.source | inline }}. {{ parts.missing(result) }}</p>
{% endif %}
</section>
{% endfor %}
{% if provenance %}
<p class="soft">{{ parts.made_with(provenance) }} The file holds the provenance of all fits behind it:
{{ parts.reader("claims.html") }} prints it.</p>
{% endif %}
</main>
</body>
</html>
"""
