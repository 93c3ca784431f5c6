r"""What a memory stores against the learning rate, every rate of a sweep.

**a**, **b**, …: a panel per embedding dimension. Means over the seeds that do not choose, with their range;
crosses: a run diverges. Stars: the rate that tuning seeds chose; open where it is the least or the largest that
was tried. Thick: rates around the best one at which the mean is at least 0.9 of its own; under each panel, how
many decades they are. The learning rate is :math:`\eta = \mathrm{scale} \cdot d^{\,\mathrm{d\_power}}`, before
its schedule.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from annotated_types import doc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatterMathtext, LogLocator, NullFormatter

from spectral_capacity.figures.parts import general, selection
from spectral_capacity.figures.parts.axes import count_axis
from spectral_capacity.figures.parts.below import make_room, rows_under
from spectral_capacity.figures.parts.common import handle
from spectral_capacity.figures.parts.curves import seed_range
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.results.near_best import decades_near_best, near_best, rates_tried
from spectral_capacity.results.schema import RATE_FACTOR, Status
from spectral_capacity.results.swept_rates import (
    MEASURED,
    at_chosen_rates,
    configured_rates,
    reported_seeds,
)

KIND = "memory"
THEME = "Your own"
SHOWS = None
NEEDS = ("sweep",)

STAR = {"linestyle": "", "marker": "*", "markersize": 10, "zorder": 4}
OPEN = {"markerfacecolor": "white"}


def plot(
    grid: xr.Dataset,
    fits: xr.Dataset,
    *,
    finite_size: bool = True,
    y: Annotated[
        Literal["capacity", "robust_prefix", "recovered_mass", "head_recall", "loss"],
        doc("what the vertical axis has"),
    ] = "capacity",
    optimizers: Annotated[list[str] | None, doc("those shown; all by default")] = None,
    d: Annotated[list[int] | None, doc("those shown; all by default")] = None,
    alpha: Annotated[float | None, doc("the one shown; by default the first")] = None,
    batch_size: Annotated[
        int | Literal["population"] | None, doc("the one shown; by default the last")
    ] = None,
    step: Annotated[int | None, doc("the one shown; by default the last")] = None,
) -> Figure:
    """A panel per d, a curve per optimizer over its rates, for the first κ.

    Optimizers without a sweep are single points. ``fits`` and ``finite_size`` play no part. ValueError for what
    the experiment does not have, and where ``y`` was not measured.
    """
    if not grid[y].notnull().any():
        raise ValueError(f"y: {y} was not measured in this experiment")
    wanted: dict[str, Any] = {"optimizer": optimizers, "d": d}
    ones = {"alpha": alpha, "batch_size": batch_size, "step": step}
    wanted |= {dim: None if value is None else [value] for dim, value in ones.items()}
    here = selection.chosen(grid, wanted).isel(alpha=0, batch_size=-1, step=-1, kappa=0)
    best = at_chosen_rates(grid, "loss" if y == "loss" else None).sel(
        {name: here[name] for name in ("optimizer", "d", "alpha", "kappa", "batch_size", "step")}
    )
    tried = rates_tried(here, RATE_FACTOR)
    shown = here.sel(seed=reported_seeds(grid))
    shown = shown.assign({y: shown[y].where(shown.status.isin(MEASURED))})
    figure, panels = panel_grid(here.d.size, 2.2, sharey=True)
    for axes, width in zip(panels, here.d.values.tolist(), strict=True):
        axes.set_title(f"$d$ = {width}")
        _panel(axes, shown.sel(d=width), best.sel(d=width), tried, y)
        if at_left(axes):
            axes.set_ylabel(general.NAMES[y])
    letters(figure)
    minibatches = bool(np.isfinite(here.batch_size))
    dims = ("alpha", "batch_size", "step")
    figure.suptitle(
        ", ".join(selection.text(dim, here[dim].item(), minibatches=minibatches) for dim in dims),
        fontsize="medium",
    )
    names = here.optimizer.values.tolist()
    handles = [handle(label(n, minibatches=minibatches), **optimizer_style(n)) for n in names]
    handles += [*_handles(best, shown), *seed_bars(shown)]
    make_room(figure, legend_below(figure, handles, left_out(grid, here)))
    return figure


def _panel(axes: Axes, runs: xr.Dataset, best: xr.Dataset, tried: xr.DataArray, y: str) -> None:
    """Curves of one d, ``runs`` over (optimizer, rate, seed); under it the decades of each."""
    rows = []
    axes.set_xscale("log")
    if y not in general.SHARES:
        count_axis(axes)
    for name in tried.optimizer.values.tolist():
        style, own = optimizer_style(name), tried.sel(optimizer=name)
        one = runs.sel(optimizer=name).sel({RATE_FACTOR: own}).transpose(RATE_FACTOR, "seed")
        eta = one[RATE_FACTOR] * configured_rates(runs).sel(optimizer=name).item()
        mean, bars = seed_range(one[y].values)
        axes.errorbar(eta, mean, bars, **style, markersize=3, linewidth=0.9, elinewidth=0.7)
        diverged = (one.status == Status.DIVERGED).any("seed").values
        axes.plot(
            eta[diverged],
            np.full(diverged.sum(), 0.02),
            **{"marker": "x", "linestyle": "", "color": style["color"]},
            transform=axes.get_xaxis_transform(),
        )
        of = xr.DataArray(1 / mean if y == "loss" else mean, {RATE_FACTOR: one[RATE_FACTOR]})
        every = xr.ones_like(of, bool)
        near = near_best(of, every, RATE_FACTOR).values
        axes.plot(eta, np.where(near, mean, np.nan), color=style["color"], linewidth=5, alpha=0.3)
        chosen = best.sel(optimizer=name)
        if chosen.learning_rate_factor.notnull() and own.sum() > 1:
            at = (one[RATE_FACTOR] == chosen.learning_rate_factor).values
            axes.plot(eta[at], mean[at], color=style["color"], **_star(chosen.rate_at_edge.item()))
        decades = decades_near_best(of, every, RATE_FACTOR).item()
        if own.sum() > 1:
            known = f"{decades:.1f}" if np.isfinite(decades) else "\N{EN DASH}"
            rows.append((f"{label(name)}: {known}", style))
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axes.xaxis.set_major_formatter("{x:g}" if high < 100 * low else LogFormatterMathtext())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(r"learning rate $\eta$")
    rows_under(axes, rows, "decades near the best")


def _star(at_edge: bool) -> dict[str, Any]:
    return STAR | (OPEN if at_edge else {"markeredgecolor": "white", "mew": 0.5})


def _handles(best: xr.Dataset, shown: xr.Dataset) -> list[Line2D]:
    """What a legend says of stars, thick lines and crosses."""
    found = [handle("chosen by tuning seeds", **_star(False))]
    if best.rate_at_edge.any():
        found.append(handle("the same, at an end of its list", **_star(True)))
    found.append(handle("at least 0.9 of the best mean", linewidth=5, alpha=0.3))
    if (shown.status == Status.DIVERGED).any():
        found.append(handle("a run diverges", linestyle="", marker="x"))
    return found
