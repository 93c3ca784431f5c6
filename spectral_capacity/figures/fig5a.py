r"""Items stored step by step on the population: Muon, and gradient descent with a growing learning rate.

The rate grows as d\ :sup:`αe`, e being the exponent that Theorem 10 has for the step: 1/(2α) at the first.
Means over seeds; bands: range over seeds. Grey: d\ :sup:`2` and, dash-dotted, the most that any linear memory
holds against N competitors. Crosses: a run diverges there; from then on the others are thin lines, one by
one.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import room_above
from spectral_capacity.figures.parts.common import COLUMN, PAGE, configuration, plt
from spectral_capacity.figures.parts.looks import label, marker
from spectral_capacity.figures.parts.steps import (
    diverged_handle,
    limits_of_d,
    step_axis,
    step_curve,
)

KIND = "memory"
THEME = "Many steps"
SHOWS = "gd_against_muon"
NEEDS = ("population", "2 steps")

LINES = ("-", "--", "-.", ":")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per d with a line per optimizer: mean counts with bands for their range over seeds.

    A run that stopped early keeps its last count; one that diverged ends in a cross, and from there on
    the others are thin lines without a mean. Grey are d² and, with ``finite_size``, the most that any
    linear memory holds against N competitors. The first α, the population batch and the first κ.
    ``fits`` plays no part.
    """
    grid = grid.sel(batch_size=np.inf).isel(alpha=0, kappa=0).sortby("d")
    n = grid.d.size
    columns = 2 if n == 4 else min(n, 3)
    rows = -(-n // columns)
    size = (COLUMN if columns == 1 else PAGE, 0.5 + 2.4 * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, sharey=True)
    for axes in panels.flat[n:]:
        axes.remove()
    for axes, d in zip(panels.flat, grid.d.values, strict=False):
        _panel(axes, grid.sel(d=d), finite_size)
    room_above(panels[0, 0], 0.06)  # shared; for the names of lines at the top
    for axes in panels[:, 0]:
        axes.set_ylabel("recovered items")
    handles, _ = panels[0, 0].get_legend_handles_labels()
    handles += diverged_handle(grid)
    figure.legend(
        handles=handles, loc="outside lower center", ncols=4 if columns > 1 else 2, handlelength=2.4
    )
    return figure


def _panel(axes: Axes, grid: xr.Dataset, finite_size: bool) -> None:
    """Runs and limits of one d."""
    d = grid.d.item()
    axes.set_yscale("log")
    step_axis(axes, grid.step.values)
    axes.set_title(rf"$d$ = {d}, $\alpha$ = {grid.alpha.item():g}")
    for i, optimizer in enumerate(grid.optimizer.values):
        style = {"marker": marker(i), "color": f"C{i}", "linestyle": LINES[i % len(LINES)]}
        step_curve(axes, grid.sel(optimizer=optimizer), label=label(optimizer), **style)
    limits_of_d(axes, d, configuration(grid)["n_items"], finite_size=finite_size)
