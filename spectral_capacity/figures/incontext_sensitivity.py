r"""What transformers recall in context against the learning rate, every rate that was tried.

**a**, **b**, …: a panel per width :math:`d` of the model, a curve per optimizer. Points: runs; lines: medians;
crosses: a run diverges. Stars: the rate that a run chose that is not shown; open where it is the least or the
largest that was tried. Thick: rates around the best one at which the median is at least 0.9 of its own; under
each panel, how many decades they are. Grey lines: the frequency of the most frequent output (ID); :math:`1/K`,
a copy of any of the :math:`K` pairs of the context (OOD); :math:`1/|V|`, a guess (OOD, memory recall).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from annotated_types import doc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from spectral_capacity.analysis.chosen_rates import at_chosen_rates
from spectral_capacity.figures.parts import incontext
from spectral_capacity.figures.parts.below import make_room, rows_under
from spectral_capacity.figures.parts.common import handle
from spectral_capacity.figures.parts.legends import left_out, legend_below
from spectral_capacity.figures.parts.looks import label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.selection import chosen
from spectral_capacity.incontext.measured import TUNING
from spectral_capacity.results.near_best import decades_near_best, near_best, rates_tried
from spectral_capacity.results.schema import Status

KIND = "incontext"
THEME = "In-context recall"
TITLE = "In-context sensitivity"
SHOWS = "incontext"
NEEDS = ()


def plot(
    grid: xr.Dataset,
    fits: None,
    *,
    finite_size: bool = True,
    y: Annotated[
        Literal["accuracy_ood", "accuracy_id", "memory_recall"], doc("what is shown")
    ] = "accuracy_ood",
    d: Annotated[list[int] | None, doc("those shown; all by default")] = None,
    iteration: Annotated[
        int | None, doc("the one shown; by default 1024, or else the last")
    ] = None,
    batch_size: Annotated[
        int | None, doc("the one shown; by default 256, or else the largest")
    ] = None,
) -> Figure:
    """A panel per d, a curve per optimizer over its rates, at the first exponents of the configuration.

    ``fits`` and ``finite_size`` play no part. ValueError for what the experiment does not have.
    """
    time = incontext.picked(grid, "iteration", iteration, paper=1024)
    size = incontext.picked(grid, "batch_size", batch_size, paper=256)
    here = incontext.first_laws(chosen(grid, {"d": d}).sel(batch_size=size)).sortby("learning_rate")
    at_best, tried = at_chosen_rates(here, y, time), rates_tried(here)
    runs = here.sel(iteration=time, seed=here.seed != TUNING)
    value = runs[y].where(runs.status == Status.OK)
    runs = runs.assign(value=value, at_edge=xr.zeros_like(tried))
    levels = incontext.baseline_levels(here, y)
    figure, panels = panel_grid(runs.d.size, 2.2, sharey=True)
    for axes, width in zip(panels, runs.d.values, strict=True):
        axes.set_title(f"$d$ = {width}")
        _panel(axes, runs.sel(d=width), at_best.sel(d=width), tried)
        incontext.baselines(axes, levels)
        if at_left(axes):
            axes.set_ylabel(incontext.NAMES[y])
    figure.suptitle(f"$B$ = {size:,}, iteration {time:,}", fontsize="medium")
    letters(figure)
    names = here.optimizer.values.tolist()
    handles = [handle(label(n, minibatches=True), **optimizer_style(n)) for n in names]
    handles += incontext.run_handles(runs) + _handles(at_best) + incontext.baseline_handles(levels)
    make_room(figure, legend_below(figure, handles, left_out(grid, runs)))
    return figure


def _panel(axes: Axes, runs: xr.Dataset, at_best: xr.Dataset, tried: xr.DataArray) -> None:
    """Curves of one d, ``runs`` over (optimizer, learning_rate, seed); under it the decades of each."""
    rows = []
    for name in tried.optimizer.values[tried.any("learning_rate")].tolist():
        style, own = optimizer_style(name), tried.sel(optimizer=name)
        one, best = runs.sel(optimizer=name, learning_rate=own), at_best.sel(optimizer=name)
        one = one.transpose("learning_rate", "seed")
        rates = one.learning_rate
        incontext.curve(axes, rates.values, one, **style)
        median = xr.DataArray(incontext.medians(one.value.values), rates.coords)
        near = near_best(median, own.sel(learning_rate=rates))
        axes.plot(rates, median.where(near), color=style["color"], linewidth=5, alpha=0.3)
        if best.learning_rate.notnull():
            there = one.value.sel(learning_rate=best.learning_rate).dropna("seed")
            level = there.median() if there.size else 0.0
            axes.plot(best.learning_rate, level, color=style["color"], **_star(best.at_edge.item()))
        decades = decades_near_best(median, own.sel(learning_rate=rates)).item()
        known = f"{decades:.1f}" if np.isfinite(decades) else "\N{EN DASH}"
        rows.append((f"{label(name, minibatches=True)}: {known}", style))
    axes.set_xscale("log")
    axes.set_xlim(tried.learning_rate.min() / 1.5, 1.5 * tried.learning_rate.max())
    axes.xaxis.set_major_locator(LogLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("learning rate")
    incontext.share_axis(axes)
    rows_under(axes, rows, "decades near the best")


def _star(at_edge: bool) -> dict[str, Any]:
    style = {"linestyle": "", "marker": "*", "markersize": 10, "zorder": 4}
    return style | (incontext.OPEN if at_edge else {"markeredgecolor": "white", "mew": 0.5})


def _handles(at_best: xr.Dataset) -> list[Line2D]:
    """What a legend says of stars and of thick lines."""
    found = [handle("chosen by a run of its own", **_star(False))]
    if (at_best.at_edge & at_best.learning_rate.notnull()).any():
        found.append(handle("the same, at an end of its list", **_star(True)))
    return [*found, handle("at least 0.9 of the best median", linewidth=5, alpha=0.3)]
