r"""Items stored step by step, each step on a fresh minibatch of B samples, or on the population.

**a**, **b**, …: a panel per optimizer. Darker: larger B. Means over seeds; bands: range over seeds; thin lines,
one by one, where a run has ended. Dotted: expected number of distinct items in the t·B samples so far. Grey:
the slope of :math:`t^{1/\alpha}`. Dash-dotted: the most that any linear memory holds against N competitors, a
share of :math:`d^2`. Crosses: a run diverges there. A count does not say which items are recovered: the figure
curves does, with y: robust_prefix, head_recall or forgotten.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import count_axis, note
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import GUIDE, configuration, frequencies, handle
from spectral_capacity.figures.parts.legends import left_out, legend_below
from spectral_capacity.figures.parts.looks import label
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.selection import styles, text
from spectral_capacity.figures.parts.steps import (
    ceiling_handle,
    ceiling_of_d,
    diverged_handle,
    seed_bands,
    step_axis,
    step_curve,
)
from spectral_capacity.theory.predictions import items_seen

KIND = "memory"
THEME = "Many steps"
SHOWS = "minibatch_steps"
NEEDS = ("population", "2 steps", "finite")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per optimizer, a line per batch size: means over seeds, with bands for their range.

    Where a run on batches stopped early there is no mean any more; the others go on as thin lines.
    With ``finite_size``, dotted in the same colours: the expected number of distinct items among t·B
    samples, about (tB)^(1/α), for frequencies that are a power law; and, dash-dotted, the most that any
    linear memory holds against N competitors. Grey is a piece of t^(1/α), its slope only. The
    largest d, the first α and the first κ; the figure says so where the experiment has more. ``fits`` plays no
    part.
    """
    shown = grid.sortby(["d", "batch_size"]).isel(alpha=0, kappa=0, d=-1)
    alpha, d, n_items = shown.alpha.item(), shown.d.item(), configuration(grid)["n_items"]
    sizes, seen = shown.batch_size.values, []
    looks = styles("batch_size", sizes)
    figure, panels = panel_grid(shown.optimizer.size, 2.6, sharey=True)
    for axes, optimizer in zip(panels, shown.optimizer.values, strict=True):
        count_axis(axes)
        step_axis(axes, shown.step.values, logarithmic=True)
        for size, look in zip(sizes, looks, strict=True):
            one = shown.sel(optimizer=optimizer, batch_size=size)
            step_curve(axes, one, markersize=3, label=text("batch_size", size), **look)
        _slope(axes, shown.step.values, alpha)
        name = label(optimizer, minibatches=True)
        axes.set_title(name if len(panels) > 1 else rf"{name}, $d$ = {d}, $\alpha$ = {alpha:g}")
        if at_left(axes):
            axes.set_ylabel("recovered items")
    if finite_size:
        seen = [ceiling_of_d(axes, d, n_items) for axes in panels]
        panels[0].set_ylim(panels[0].get_ylim())  # of all panels; lines below may leave the axes
        for axes in panels:
            _items_seen(axes, shown, [look["color"] for look in looks])
    if len(panels) > 1:
        figure.suptitle(rf"$d$ = {d}, $\alpha$ = {alpha:g}", fontsize="medium")
    letters(figure)
    handles, _ = panels[0].get_legend_handles_labels()
    handles += seed_bands(grid) + diverged_handle(shown) + [ceiling_handle(n_items)] * any(seen)
    if finite_size and np.isfinite(sizes).any():
        handles.append(handle("distinct items seen", linestyle=":"))
    make_room(figure, legend_below(figure, handles, left_out(grid, shown)))
    return figure


def _items_seen(axes: Axes, grid: xr.Dataset, colours: list) -> None:
    """Expected number of distinct items after every step, a line per finite batch size."""
    p, steps = frequencies(grid, grid.alpha.item()), grid.step.values
    smooth = np.geomspace(steps[0], steps[-1], 60)
    for size, colour in zip(grid.batch_size.values, colours, strict=True):
        if np.isfinite(size):
            axes.plot(smooth, [items_seen(p, t * size) for t in smooth], ":", color=colour)


def _slope(axes: Axes, steps: np.ndarray, alpha: float) -> None:
    """A piece of t^(1/α) under all lines, over the later half of the axis."""
    ends = np.array([steps[-1] ** 0.5, steps[-1]])
    points = np.concatenate([line.get_xydata() for line in axes.lines])
    t, counts = points[(points[:, 0] >= ends[0]) & (points[:, 1] > 0)].T
    if steps.size < 2 or counts.size == 0:
        return
    level = 0.6 * (counts / t ** (1 / alpha)).min() * ends ** (1 / alpha)
    axes.plot(ends, level, **GUIDE)
    middle = ends.prod() ** 0.5, level.prod() ** 0.5
    note(axes, r"$\propto t^{1/\alpha}$", middle, (4, -2), va="top")
