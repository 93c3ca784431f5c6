"""Figure 5b: capacity of Muon on minibatches, step by step, and the items it has seen."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.common import (
    COLUMN,
    configuration,
    first_muon,
    frequencies,
    label,
    plt,
    room_above,
    shades,
)
from spectral_capacity.figures.parts.steps import (
    diverged_handle,
    limits_of_d,
    step_axis,
    step_curve,
)
from spectral_capacity.theory.predictions import items_seen


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
    _guide(axes, steps, alpha)
    limits_of_d(axes, d, configuration(grid)["n_items"], finite_size=finite_size)
    room_above(axes, 0.06)  # and no more: the lines below may leave the axes
    if finite_size:
        p = frequencies(grid, alpha)
        smooth = np.geomspace(steps[0], steps[-1], 60)
        for size, colour in zip(sizes, colours, strict=True):
            if np.isfinite(size):
                seen = [items_seen(p, t * size) for t in smooth]
                axes.plot(smooth, seen, ":", color=colour)
    axes.set_ylabel("recovered items")
    axes.set_title(rf"{label(grid.optimizer.item())}, $d$ = {d}, $\alpha$ = {alpha:g}")
    handles, _ = axes.get_legend_handles_labels()
    handles += diverged_handle(grid)
    if finite_size and np.isfinite(sizes).any():
        text = "distinct items seen"
        handles.append(plt.Line2D([], [], color="0.35", linestyle=":", label=text))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=4,
        title="batch size $B$",
        title_fontsize=7,
    )
    return figure


def _guide(axes: Axes, steps: np.ndarray, alpha: float) -> None:
    """A piece of t^(1/α) under all lines, over the later half of the axis."""
    ends = np.array([steps[-1] ** 0.5, steps[-1]])
    points = np.concatenate([line.get_xydata() for line in axes.lines])
    t, counts = points[(points[:, 0] >= ends[0]) & (points[:, 1] > 0)].T
    if steps.size < 2 or counts.size == 0:
        return
    level = 0.6 * (counts / t ** (1 / alpha)).min() * ends ** (1 / alpha)
    axes.plot(ends, level, color="0.6", linewidth=1.6, zorder=1)
    axes.annotate(
        r"$\propto t^{1/\alpha}$",
        (ends.prod() ** 0.5, level.prod() ** 0.5),
        xytext=(4, -2),
        textcoords="offset points",
        va="top",
        color="0.35",
        fontsize=7,
    )
