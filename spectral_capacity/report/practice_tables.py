"""Tables of optimizers as they are used: what is kept of a run of sweeps, and what docs/practice.md shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from spectral_capacity.analysis.fitted_steps import fitted_steps
from spectral_capacity.analysis.steps_to_store import at_best_rates, critical_batch
from spectral_capacity.report.claim_lines import Line
from spectral_capacity.results.fits import SHOWN
from spectral_capacity.results.schema import RATE_FACTOR
from spectral_capacity.results.swept_rates import at_chosen_rates, configured_rates

AT = ["optimizer", "alpha", "kappa", "d", "batch_size", "step"]
MEANS = ("capacity", "head_recall", "recovered_mass", "loss")
"""Of the reported seeds, at the rate that tuning seeds chose by the criterion of the configuration."""


def at_rates(experiment: str, grid: xr.Dataset) -> pd.DataFrame:
    """A row per point of a grid of sweeps, at fitted steps: the rate, how wide good ones lie, means there."""
    chosen = at_chosen_rates(grid).sel(step=fitted_steps(grid.sizes["step"]))
    eta = chosen.learning_rate_factor * configured_rates(grid)
    found = {name: chosen[name].astype(float).mean("seed", skipna=False) for name in MEANS}
    found |= {"learning_rate": eta, "at_edge": chosen.rate_at_edge, "decades": chosen.rate_decades}
    table = xr.Dataset(found).broadcast_like(found["capacity"])
    frame = table.to_dataframe(dim_order=AT).reset_index()[[*AT, *found]]
    return frame[frame.capacity.notna()].assign(experiment=experiment)


def critical_batches(experiment: str, grid: xr.Dataset, items: float = 0.75) -> pd.DataFrame:
    """Of each optimizer and d the critical batch size of steps to ``items``·d items, with its interval."""
    rows = []
    for d in grid.d.values.tolist():
        steps = at_best_rates(grid.sel(d=[d]), items * d).isel(alpha=0, kappa=0, d=0)
        for name in steps.optimizer.values.tolist():
            values = steps.sel(optimizer=name).transpose("batch_size", "seed").values
            found = critical_batch(steps.batch_size.values, values)
            rows.append(
                {"experiment": experiment, "optimizer": name, "d": d, "items": items * d}
                | {"batch_size": found.batch_size, "low": found.low, "high": found.high}
                | {"least": steps.batch_size.values.min()}
            )
    return pd.DataFrame(rows)


def exponents(experiment: str, fits: xr.Dataset) -> pd.DataFrame:
    """Fitted powers of d of the count, and intervals over resampled seeds."""
    shown = fits.sel(quantity="capacity", fit=SHOWN)[["exponent", "boot_low", "boot_high"]]
    frame = shown.to_dataframe().reset_index().dropna(subset=["exponent"])
    names = ["optimizer", "alpha", "kappa", "batch_size", "step", *shown.data_vars]
    return frame[names].assign(experiment=experiment)


def keep(
    folder: Path, grids: Mapping[str, xr.Dataset], fits: Mapping[str, xr.Dataset], form: str
) -> None:
    """Write what is kept of those grids that are of sweeps; nothing where none is."""
    swept = {name: grid for name, grid in grids.items() if RATE_FACTOR in grid.dims}
    batched = {n: g for n, g in swept.items() if np.isfinite(g.batch_size).sum() >= 3}
    tables = {
        "rates": [at_rates(name, grid) for name, grid in swept.items()],
        "critical_batches": [critical_batches(name, grid) for name, grid in batched.items()],
        "exponents": [exponents(name, fits[name]) for name in swept],
    }
    for name, parts in tables.items():
        if parts:
            pd.concat(parts).to_csv(folder / f"{name}.csv", index=False, float_format=form)


def optimizers(tables: Mapping[str, pd.DataFrame]) -> tuple[list[str], list[list[str]]]:
    """The practitioners' table, titles and rows, of the experiment ``practice`` after its last step.

    Of each batch size: the exponent over all d; at the largest d items and share of the head, and the chosen
    learning rate with the decades around it that are within 90 %. Critical batch sizes where another experiment
    of the run has the optimizer.
    """
    rates, powers, critical = (
        tables[f"practice/{name}"] for name in ("rates", "exponents", "critical_batches")
    )
    rates, powers = (table[table.experiment == "practice"] for table in (rates, powers))
    rates = rates[(rates.step == rates.step.max()) & (rates.d == rates.d.max())]
    powers = powers[powers.step == powers.step.max()]
    rates = rates.set_index(["optimizer", "batch_size"])
    powers = powers.set_index(["optimizer", "batch_size"])[["exponent", "boot_low", "boot_high"]]
    critical = critical.drop_duplicates("optimizer", keep="last").set_index("optimizer")
    batches = rates.index.unique("batch_size").sort_values()
    titles = ["optimizer"]
    for batch in batches:
        of = f"B = {batch:,.0f}" if math.isfinite(batch) else "population"
        titles += [f"{of}: exponent", "items", "head", "η", "decades"]
    rows = []
    for name in rates.index.unique("optimizer"):
        cells = [name]
        for batch in batches:
            here = rates.loc[name, batch]
            rate = f"{here.learning_rate:.2g}" + (" (last tried)" if here.at_edge else "")
            cells.append(_interval(*powers.loc[name, batch], digits=2))
            cells += [
                f"{here.capacity:.0f}",
                f"{here.head_recall:.2f}",
                rate,
                f"{here.decades:.1f}",
            ]
        known = (
            critical.loc[name, ["batch_size", "low", "high"]] if name in critical.index else None
        )
        rows.append([*cells, "" if known is None else _interval(*known, digits=0)])
    return [*titles, "critical batch"], rows


def _critical(found: pd.Series) -> str:
    if found.high < found.least:
        return f"below {found.least:.0f}"
    return _interval(found.batch_size, found.low, found.high, digits=0)


def _interval(value: float, low: float, high: float, digits: int) -> str:
    if not math.isfinite(value):
        return "–"
    ends = f" [{low:,.{digits}f}, {high:,.{digits}f}]" if math.isfinite(low) else ""
    return f"{value:,.{digits}f}{ends}"


def answers(tables: Mapping[str, pd.DataFrame]) -> tuple[list[str], list[list[str]]]:
    """Titles and rows of every claim of the run: what was measured of each of its lines, and the verdict."""
    claims = tables["practice/claims"]
    rows = []
    for _, group in claims.groupby("claim", sort=False):
        for row in group.to_dict("records"):
            line = Line.of(row)
            where = [
                line.coordinate(name, sentence=True)
                for name in ("optimizer", "against", "batch_size", "step")
            ]
            measured = _interval(line.measured, line.low, line.high, digits=2)
            rows.append(
                [
                    row["claim"],
                    ", ".join(w for w in where if w != "–"),
                    measured,
                    line.allowed,
                    line.verdict,
                ]
            )
    return ["claim", "of", "measured", "claimed", "verdict"], rows
