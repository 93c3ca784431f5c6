"""``python -m spectral_capacity.report.findings`` (``make findings``): the numbers of the pages of findings.

What finished runs have found is kept in small tables, ``data/findings/NAME/claims.csv`` and ``points.csv``, so
that a reader can look numbers up without a run. Pages have their tables between a comment that names one of
:data:`TABLES` and ``<!-- end -->``; these are written from the kept ones, and from nothing else.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from spectral_capacity.analysis.fitted_steps import at_fitted_steps
from spectral_capacity.analysis.quantities import LINE, PREDICTED
from spectral_capacity.analysis.verdicts import NOT_MEASURED
from spectral_capacity.report import practice_tables
from spectral_capacity.report.findings_tables import RUNS, TABLES, Kept
from spectral_capacity.results.reading import open_by_name, open_grid
from spectral_capacity.results.swept_rates import at_chosen_rates

KEPT = Path("data/findings")
PAGES = ("docs/findings.md", "docs/theory.md", "docs/practice.md")

DIGITS = 5
"""Significant ones that are kept: more than any interval here."""

TEXT = ("statement", "source", "note", "reason")
"""Columns of a table of claims that are not kept: data/claims.yaml has them."""


def keep(results: Path, name: str) -> None:
    """Write the tables of a finished run to :data:`KEPT`, that of claims where some are about it."""
    folder = KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    claims = pd.read_csv(results / "claims.csv").drop(columns=[*TEXT])
    if (claims.verdict != NOT_MEASURED).any():
        claims.to_csv(folder / "claims.csv", index=False, float_format=f"%.{DIGITS}g")
    fits = open_by_name(sorted((results / "fits").glob("*.nc")))
    grids = {experiment: open_grid(results / "grids" / f"{experiment}.nc") for experiment in fits}
    found = [points(experiment, grids[experiment], fits[experiment]) for experiment in fits]
    pd.concat(found).to_csv(folder / "points.csv", index=False, float_format=f"%.{DIGITS}g")
    practice_tables.keep(folder, grids, fits, f"%.{DIGITS}g")


def points(experiment: str, grid: xr.Dataset, fits: xr.Dataset) -> pd.DataFrame:
    """A row per point of a grid that was fitted: mean over seeds, its standard error, and what is predicted.

    Of the capacity, that of a run which stopped early its last one as in fits, and of every other quantity of
    :data:`analysis.quantities.PREDICTED`.
    """
    shown = at_fitted_steps(at_chosen_rates(grid).sortby("d"))
    columns = {"seeds": shown.capacity.notnull().sum("seed")}
    for name in [name for name in PREDICTED if name in grid]:
        values = shown[name].astype(float)
        columns[name] = values.mean("seed", skipna=False)
        error = values.std("seed", ddof=1, skipna=False) / np.sqrt(values.seed.size)
        columns[f"{name}_error"] = error if values.seed.size > 1 else xr.full_like(error, np.nan)
        columns[f"predicted_{name}"] = fits[f"predicted_{name}"]
    columns = {name: column.transpose(*LINE, "d") for name, column in columns.items()}
    frame = xr.Dataset(columns).to_dataframe(dim_order=(*LINE, "d")).reset_index()
    frame.insert(0, "experiment", experiment)
    return frame[frame.capacity.notna()]


def kept() -> dict[str, pd.DataFrame]:
    """All tables that are kept."""
    return {
        f"{path.parent.name}/{path.stem}": pd.read_csv(path)
        for path in sorted(KEPT.glob("*/*.csv"))
    }


def written(page: str, tables: Kept) -> str:
    """The page with its tables. Raises ValueError for a table that is not known."""

    def table(found: re.Match) -> str:
        name = found["name"]
        if name not in TABLES:
            raise ValueError(f"table {name!r} is not known; allowed: {', '.join(TABLES)}")
        return f"<!-- table: {name} -->\n{TABLES[name](tables)}\n<!-- end -->"

    marks = r"<!-- table: (?P<name>[a-z ]+) -->\n.*?<!-- end -->"
    return re.sub(marks, table, page, flags=re.DOTALL)


def main() -> None:
    """Keep what runs have found that are finished here, and write all pages."""
    for name, results in RUNS.items():
        if (Path(results) / "claims.csv").is_file():
            keep(Path(results), name)
    tables = kept()
    for page in map(Path, PAGES):
        page.write_text(written(page.read_text(), tables))


if __name__ == "__main__":
    main()
