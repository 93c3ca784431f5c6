r"""Steps that a memory needs to store some items, against the batch size, each at its best learning rate.

**a**, **b**, …: a panel per embedding dimension. Points: means over the seeds that choose no rate; bars: range
over seeds; a batch at which some seed never comes so far has no point. Lines: :math:`S_{\min}(1 + B_c/B)`,
which turns at :math:`B_c` from "twice the batch, half the steps", grey, to as many steps as the population's
gradient needs. Stars: :math:`B_c`, with its interval over resampled seeds, also under the panel. The population
stands at :math:`\infty`. Steps are interpolated.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import xarray as xr
from annotated_types import doc
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.analysis.steps_to_store import CriticalBatch, at_best_rates, critical_batch
from spectral_capacity.figures.parts import selection
from spectral_capacity.figures.parts.batches import batch_axis
from spectral_capacity.figures.parts.below import make_room, rows_under
from spectral_capacity.figures.parts.common import GUIDE, handle
from spectral_capacity.figures.parts.curves import seed_range
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.results.swept_rates import reported_seeds

KIND = "memory"
THEME = "Batches"
TITLE = "Steps to store"
SHOWS = None
NEEDS = ("sweep", "finite", "2 steps")


def plot(
    grid: xr.Dataset,
    fits: xr.Dataset,
    *,
    finite_size: bool = True,
    items: Annotated[float, doc("how many, as a multiple of d")] = 1.0,
    optimizers: Annotated[list[str] | None, doc("those shown; all by default")] = None,
    d: Annotated[list[int] | None, doc("those shown; all by default")] = None,
) -> Figure:
    """A panel per d, a curve per optimizer over batch sizes, for the first α and κ.

    ``fits`` and ``finite_size`` play no part. ValueError for what the experiment does not have.
    """
    here = selection.chosen(grid, {"optimizer": optimizers, "d": d})
    figure, panels = panel_grid(here.d.size, 2.3, sharey=True)
    for axes, width in zip(panels, here.d.values.tolist(), strict=True):
        target = items * width
        axes.set_title(f"{target:g} items, $d$ = {width}", fontsize=8)
        steps = at_best_rates(here.sel(d=[width]), target).isel(alpha=0, kappa=0, d=0)
        _panel(axes, steps)
        if at_left(axes):
            axes.set_ylabel("steps")
    for axes in panels:  # their common axis is known now
        _halved(axes, here.batch_size.values)
    letters(figure)
    names = here.optimizer.values.tolist()
    handles = [handle(label(n, minibatches=True), **optimizer_style(n)) for n in names]
    handles += [
        handle("twice the batch, half the steps", **GUIDE),
        handle("$B_c$ with its interval over resampled seeds", **STAR),
        *seed_bars(here.sel(seed=reported_seeds(grid))),
    ]
    shown = here.isel(alpha=0, kappa=0)
    make_room(figure, legend_below(figure, handles, left_out(grid, shown)))
    return figure


STAR: dict[str, Any] = {"linestyle": "-", "linewidth": 1.2, "marker": "*", "markersize": 9}
STAR |= {"markeredgecolor": "white", "mew": 0.4}


def _panel(axes: Axes, steps: xr.DataArray) -> None:
    """Points, lines and stars of one d; under it the critical batch sizes."""
    sizes, rows = steps.batch_size.values, []
    infinity = batch_axis(axes, sizes)
    for name in steps.optimizer.values.tolist():
        style = optimizer_style(name)
        values = steps.sel(optimizer=name).transpose("batch_size", "seed").values
        known = np.isfinite(values).all(axis=1)
        if not known.any():
            continue
        mean, bars = seed_range(values[known])
        where = np.where(np.isinf(sizes), infinity, sizes)[known]
        axes.errorbar(where, mean, bars, **style, linestyle="", elinewidth=0.8, markersize=4)
        found = critical_batch(sizes, values)
        _law(axes, found, where, style["color"])
        rows.append((f"{label(name, minibatches=True)}: {_written(found)}", style))
    rows_under(axes, rows, "$B_c$")


def _halved(axes: Axes, sizes: np.ndarray) -> None:
    """A grey line of slope −1 from the top, inside of the panel."""
    low, high = axes.get_ylim()
    finite = np.sort(sizes[np.isfinite(sizes)])
    steps = 0.9 * high * finite[0] / finite
    axes.plot(finite[steps > low], steps[steps > low], **GUIDE | {"linewidth": 0.9})
    axes.set_ylim(low, high)


def _law(axes: Axes, found: CriticalBatch, where: np.ndarray, colour: Any) -> None:
    if not np.isfinite(found.batch_size):
        return
    fine = np.geomspace(where.min(), where.max(), 60)
    axes.plot(fine, found.steps(fine), color=colour, linewidth=0.9)
    if where.min() <= found.batch_size <= where.max():
        at = 2 * found.least_steps
        axes.plot([found.low, found.high], [at, at], color=colour, linewidth=1.2, zorder=5)
        axes.plot(found.batch_size, at, **STAR | {"linestyle": ""}, color=colour, zorder=5)


def _written(found: CriticalBatch) -> str:
    if not np.isfinite(found.batch_size):
        return "\N{EN DASH}"
    text = f"{found.batch_size:,.0f}"
    return text + (f" [{found.low:,.0f}, {found.high:,.0f}]" if np.isfinite(found.low) else "")
