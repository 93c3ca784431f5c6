"""Thresholded against exact gradients, step by step: the dynamics of the theorems beside the real ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.analysis.runs import carried
from spectral_capacity.figures.parts.common import COLUMN, PAGE, configuration, label, plt, shades
from spectral_capacity.figures.parts.steps import diverged_handle, step_axis, step_band, step_curve
from spectral_capacity.theory.predictions import ceiling

LINES = {"exact": "-", "thresholded": "--"}
DOTTED = (0, (1, 3))


def plot(
    grids: Sequence[xr.Dataset], fits: Sequence[xr.Dataset], *, finite_size: bool = True
) -> Figure:
    """Above, mean counts of the exact (solid) and the thresholded (dashed) runs; below, their ratio.

    ``grids`` are [exact, thresholded]. A panel per optimizer that both have and a line per d that both
    have, with bands for the range over seeds; the ratio is of each seed that both have. The first α
    that both have, their common steps, the population batch and the first κ. A run that stopped early
    keeps its last count; one that diverged ends in a cross, and from there on the others are thin
    lines without a mean. Dotted is d², dash-dotted with ``finite_size`` the most that any linear memory
    holds against N competitors. ``fits`` play no part. Raises ValueError where
    the two have nothing in common.
    """
    n_items = {configuration(grid)["n_items"] for grid in grids}
    if len(n_items) > 1:
        raise ValueError("thresholded: its two experiments must have the same n_items")
    exact, thresholded = _common([grid.sel(batch_size=np.inf).isel(kappa=0) for grid in grids])
    optimizers, d = exact.optimizer.values, exact.d.values.tolist()
    colours = shades(len(d))
    figure, panels = plt.subplots(
        2,
        optimizers.size,
        figsize=(COLUMN if optimizers.size == 1 else PAGE, 4.2),
        squeeze=False,
        sharex=True,
        sharey="row",
        height_ratios=(2.3, 1),
    )
    for (above, below), optimizer in zip(panels.T, optimizers, strict=True):
        above.set_title(rf"{label(optimizer)}, $\alpha$ = {exact.alpha.item():g}")
        above.set_yscale("log")
        for axes in (above, below):
            step_axis(axes, exact.step.values)
        above.set_xlabel("")
        for size, colour in zip(d, colours, strict=True):
            here = {"optimizer": optimizer, "d": size}
            pair = exact.sel(here), thresholded.sel(here)
            for runs, line in zip(pair, LINES.values(), strict=True):
                style = {"marker": ".", "markersize": 3, "color": colour, "linestyle": line}
                step_curve(above, runs, **style)
            _ratio(below, *pair, colour)
            limit = {"color": colour, "linewidth": 0.7, "zorder": 1}
            above.axhline(size**2, linestyle=DOTTED, **limit)
            if finite_size:
                above.axhline(ceiling(*n_items, size), linestyle="-.", **limit)
        below.axhline(1, color="0.6", linewidth=1.0, zorder=1)
    panels[0, 0].set_ylabel("recovered items")
    panels[1, 0].set_ylabel("thresholded\n/ exact")
    panels[1, 0].set_yscale("log", base=2)  # half as many and twice as many stand as far from one
    panels[1, 0].yaxis.set_major_formatter("{x:g}")
    kinds = {f"{name} gradient": line for name, line in LINES.items()}
    kinds["$d^{\\,2}$"] = DOTTED
    if finite_size:
        kinds[f"ceiling, $N$ = {n_items.pop():,}"] = "-."
    handles = [
        plt.Line2D([], [], color="0.35", linestyle=line, label=text) for text, line in kinds.items()
    ]
    handles += [
        plt.Line2D([], [], color=colour, label=f"$d$ = {size}")
        for size, colour in zip(d, colours, strict=True)
    ]
    handles += diverged_handle(exact) or diverged_handle(thresholded)
    wide = len(handles) if len(handles) < 7 else 4
    figure.legend(
        handles=handles, loc="outside lower center", ncols=2 if optimizers.size == 1 else wide
    )
    return figure


def _common(grids: list[xr.Dataset]) -> list[xr.Dataset]:
    """Both grids at the optimizers, d's, seeds and steps they share, and the first α of these."""
    shared = {}
    for dim in ("optimizer", "alpha", "d", "seed", "step"):
        first, second = (grid[dim].values for grid in grids)
        shared[dim] = first[np.isin(first, second)]
        if shared[dim].size == 0:
            raise ValueError(f"thresholded: its two experiments have no {dim} in common")
    shared["alpha"], shared["d"] = shared["alpha"][0], np.sort(shared["d"])
    return [grid[["capacity", "status"]].sel(shared) for grid in grids]


def _ratio(axes: Axes, exact: xr.Dataset, thresholded: xr.Dataset, colour) -> None:
    counts, _ = carried(exact)
    ratio = (carried(thresholded)[0] / counts.where(counts > 0)).transpose("step", "seed")
    step_band(axes, ratio.step.values, ratio.values, floor=1 / 16, color=colour)
