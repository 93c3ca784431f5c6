r"""Items stored by Muon step by step, each step on a fresh minibatch of B samples, or on the population.

Darker: larger B. Means over seeds; bands: range over seeds; thin lines, one by one, where a run has ended.
Dotted: expected number of distinct items in the t·B samples so far. Grey: d\ :sup:`2`, the slope of
t\ :sup:`1/α` and, dash-dotted, the most that any linear memory holds against N competitors.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import note, room_above
from spectral_capacity.figures.parts.common import (
    COLUMN,
    GUIDE,
    configuration,
    first_muon,
    frequencies,
    handle,
    plt,
)
from spectral_capacity.figures.parts.looks import label, shades
from spectral_capacity.figures.parts.steps import (
    diverged_handle,
    limits_of_d,
    step_axis,
    step_curve,
)
from spectral_capacity.theory.predictions import items_seen

KIND = "memory"
THEME = "Many steps"
SHOWS = "minibatch_steps"
NEEDS = ("population", "muon", "2 steps", "finite")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A line per batch size, darker for larger ones and the population: means, bands for the seeds' range.

    Where a run on batches stopped early there is no mean any more; the others go on as thin lines.
    With ``finite_size``, dotted in the same colours: the expected number of distinct items among t·B
    samples, about (tB)^(1/α), for frequencies that are a power law; and, dash-dotted, the most that any
    linear memory holds against N competitors. Grey are d² and a piece of t^(1/α), its slope only. The
    first exact Muon, the largest d, the first α and the first κ.
    """
    grid = grid.sel(optimizer=first_muon(fits)).sortby(["d", "batch_size"])
    grid = grid.isel(alpha=0, kappa=0, d=-1)
    alpha, d, steps = grid.alpha.item(), grid.d.item(), grid.step.values
    sizes = grid.batch_size.values
    colours = shades(sizes.size)[::-1]
    figure, axes = plt.subplots(figsize=(COLUMN, 3.3))
    axes.set_yscale("log")
    step_axis(axes, steps, logarithmic=True)
    for size, colour in zip(sizes, colours, strict=True):
        name = f"{size:,.0f}" if np.isfinite(size) else "population"
        style = {"marker": ".", "markersize": 3, "color": colour, "label": name}
        step_curve(axes, grid.sel(batch_size=size), **style)
    _slope(axes, steps, alpha)
    limits_of_d(axes, d, configuration(grid)["n_items"], finite_size=finite_size)
    room_above(axes, 0.06)  # and no more: the lines below may leave the axes
    if finite_size:
        _items_seen(axes, grid, colours)
    axes.set_ylabel("recovered items")
    axes.set_title(rf"{label(grid.optimizer.item())}, $d$ = {d}, $\alpha$ = {alpha:g}")
    handles, _ = axes.get_legend_handles_labels()
    handles += diverged_handle(grid)
    if finite_size and np.isfinite(sizes).any():
        handles.append(handle("distinct items seen", linestyle=":"))
    title = {"title": "batch size $B$", "title_fontsize": 7}
    figure.legend(handles=handles, loc="outside lower center", ncols=4, **title)
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
