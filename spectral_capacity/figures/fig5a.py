r"""Items stored step by step on the population: Muon, and gradient descent with a growing learning rate.

The rate grows as :math:`d^{\alpha e}`, :math:`e` being the exponent that Theorem 10 has for the step:
:math:`1/(2\alpha)` at the first. **a**, **b**, …: a panel per :math:`d`. Means over seeds; bands: range over
seeds. Dotted: robust prefix, the largest m of which at least 95 % (the experiment's prefix_share) of the m most
frequent items are recovered; far below the count, frequent items are lost. Dash-dotted: the most that any
linear memory holds against :math:`N` competitors, a share of :math:`d^2`. Crosses: a run diverges there; from
then on the others are thin lines, one by one.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import count_axis
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import configuration
from spectral_capacity.figures.parts.legends import left_out, legend_below
from spectral_capacity.figures.parts.looks import label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.prefixes import LINE, prefix_curve, prefix_handle
from spectral_capacity.figures.parts.steps import (
    ceiling_handle,
    ceiling_of_d,
    diverged_handle,
    seed_bands,
    step_axis,
    step_curve,
)

KIND = "memory"
THEME = "Many steps"
SHOWS = "gd_against_muon"
NEEDS = ("population", "2 steps")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per d with a line per optimizer: mean counts with bands for their range over seeds.

    A run that stopped early keeps its last count; one that diverged ends in a cross, and from there on the
    others are thin lines without a mean. Dash-dotted with ``finite_size``: the most that any linear memory
    holds against N competitors. Dotted: the mean robust prefix. The first α, the population batch and the first
    κ; the figure says so where the experiment has more. ``fits`` plays no part.
    """
    shown = grid.sel(batch_size=np.inf).isel(alpha=0, kappa=0).sortby("d")
    n_items, seen, prefixes = configuration(grid)["n_items"], [], False
    figure, panels = panel_grid(shown.d.size, 2.2, sharey=True)
    for axes, d in zip(panels, shown.d.values.tolist(), strict=True):
        count_axis(axes)
        step_axis(axes, shown.step.values)
        axes.set_title(rf"$d$ = {d}, $\alpha$ = {shown.alpha.item():g}")
        for optimizer in shown.optimizer.values:
            runs, style = shown.sel(optimizer=optimizer, d=d), optimizer_style(optimizer)
            step_curve(axes, runs, label=label(optimizer), **style)
            prefixes |= prefix_curve(axes, runs, **style)
        if at_left(axes):
            axes.set_ylabel("recovered items")
    if finite_size:  # once all curves have made their common axis
        seen = [
            ceiling_of_d(axes, d, n_items)
            for axes, d in zip(panels, shown.d.values.tolist(), strict=True)
        ]
    letters(figure)
    handles, _ = panels[0].get_legend_handles_labels()
    handles += [prefix_handle(grid, **LINE)] * prefixes + seed_bands(grid)
    handles += [ceiling_handle(n_items)] * any(seen) + diverged_handle(shown)
    make_room(figure, legend_below(figure, handles, left_out(grid, shown)))
    return figure
