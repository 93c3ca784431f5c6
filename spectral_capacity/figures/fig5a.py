"""Figure 5a: capacity step by step, Muon beside gradient descent with a growing learning rate."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.common import (
    COLUMN,
    MARKERS,
    PAGE,
    configuration,
    label,
    plt,
    room_above,
)
from spectral_capacity.figures.parts.steps import (
    diverged_handle,
    limits_of_d,
    step_axis,
    step_curve,
)

LINES = ("-", "--", "-.", ":")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per d with a line per optimizer: mean counts with bands for their range over seeds.

    A run that stopped early keeps its last count; one that diverged ends in a cross, and from there on
    the others are thin lines without a mean. Grey are d² and, with ``finite_size``, the most that any
    linear memory holds against N competitors. The first α, the population batch and the first κ.
    ``fits`` plays no part.
    """
    grid = grid.sel(batch_size=np.inf).isel(alpha=0, kappa=0).sortby("d")
    d = grid.d.values
    columns = 2 if d.size == 4 else min(d.size, 3)
    rows = -(-d.size // columns)
    size = (COLUMN if columns == 1 else PAGE, 0.5 + 2.4 * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, sharey=True)
    for axes in panels.flat[d.size :]:
        axes.remove()
    for axes, size in zip(panels.flat, d.tolist(), strict=False):
        axes.set_yscale("log")
        step_axis(axes, grid.step.values)
        axes.set_title(rf"$d$ = {size}, $\alpha$ = {grid.alpha.item():g}")
        for i, optimizer in enumerate(grid.optimizer.values):
            style = {"marker": MARKERS[i % len(MARKERS)], "color": f"C{i}"}
            style["linestyle"] = LINES[i % len(LINES)]
            runs = grid.sel(optimizer=optimizer, d=size)
            step_curve(axes, runs, label=label(optimizer), **style)
        limits_of_d(axes, size, configuration(grid)["n_items"], finite_size=finite_size)
    room_above(panels[0, 0], 0.06)  # shared; for the names of lines at the top
    for axes in panels[:, 0]:
        axes.set_ylabel("recovered items")
    handles, _ = panels[0, 0].get_legend_handles_labels()
    handles += diverged_handle(grid)
    figure.legend(
        handles=handles, loc="outside lower center", ncols=4 if columns > 1 else 2, handlelength=2.4
    )
    return figure
