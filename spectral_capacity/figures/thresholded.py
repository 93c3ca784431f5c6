r"""Items stored step by step with the exact gradient and with the theory's thresholded one.

That one drops for good what was once recovered and keeps all else as it is at zero. Below, the ratio of the
two for the same embeddings. Means over seeds; bands: range over seeds. Dotted: d\ :sup:`2`; dash-dotted: the
most that any linear memory holds against N competitors. Crosses: a run diverges there; from then on the
others are thin lines, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.analysis.runs import capacity_to_the_end
from spectral_capacity.figures.parts.common import COLUMN, PAGE, configuration, handle, plt
from spectral_capacity.figures.parts.looks import label, shades
from spectral_capacity.figures.parts.steps import diverged_handle, step_axis, step_band, step_curve
from spectral_capacity.theory.predictions import ceiling

KIND = "memory"
THEME = "Many steps"
SHOWS = {"exact": "gd_against_muon", "thresholded": "gd_against_muon_thresholded"}
NEEDS = ("population", "2 steps", "exact against thresholded")

LINES = {"exact": "-", "thresholded": "--"}
DOTTED, DASH_DOTTED = (0, (1, 3)), "-."


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
    n_items, *other = {configuration(grid)["n_items"] for grid in grids}
    if other:
        raise ValueError("thresholded: its two experiments must have the same n_items")
    pair = _in_common([grid.sel(batch_size=np.inf).isel(kappa=0) for grid in grids])
    optimizers = pair[0].optimizer.values
    size = (COLUMN if optimizers.size == 1 else PAGE, 4.2)
    shape = {"figsize": size, "squeeze": False, "sharex": True, "sharey": "row"}
    figure, panels = plt.subplots(2, optimizers.size, height_ratios=(2.3, 1), **shape)
    for (above, below), optimizer in zip(panels.T, optimizers, strict=True):
        above.set_title(rf"{label(optimizer)}, $\alpha$ = {pair[0].alpha.item():g}")
        above.set_yscale("log")
        for axes in (above, below):
            step_axis(axes, pair[0].step.values)
        above.set_xlabel("")
        runs = [grid.sel(optimizer=optimizer) for grid in pair]
        _column(above, below, runs, n_items if finite_size else None)
    panels[0, 0].set_ylabel("recovered items")
    panels[1, 0].set_ylabel("thresholded\n/ exact")
    panels[1, 0].set_yscale("log", base=2)  # half as many and twice as many stand as far from one
    panels[1, 0].yaxis.set_major_formatter("{x:g}")
    handles = _handles(pair, n_items if finite_size else None)
    columns = 2 if optimizers.size == 1 else len(handles) if len(handles) < 7 else 4
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
    return figure


def _in_common(grids: list[xr.Dataset]) -> list[xr.Dataset]:
    """Both grids at the optimizers, d's, seeds and steps they share, and the first α of these."""
    shared = {}
    for dim in ("optimizer", "alpha", "d", "seed", "step"):
        first, second = (grid[dim].values for grid in grids)
        shared[dim] = first[np.isin(first, second)]
        if shared[dim].size == 0:
            raise ValueError(f"thresholded: its two experiments have no {dim} in common")
    shared["alpha"], shared["d"] = shared["alpha"][0], np.sort(shared["d"])
    return [grid[["capacity", "status"]].sel(shared) for grid in grids]


def _column(above: Axes, below: Axes, pair: list[xr.Dataset], n_items: int | None) -> None:
    """Counts and ratios of one optimizer, a colour per d; ceilings where ``n_items`` is given."""
    d = pair[0].d.values.tolist()
    for size, colour in zip(d, shades(len(d)), strict=True):
        runs = [grid.sel(d=size) for grid in pair]
        for one, line in zip(runs, LINES.values(), strict=True):
            style = {"marker": ".", "markersize": 3, "color": colour, "linestyle": line}
            step_curve(above, one, **style)
        _ratio(below, *runs, colour)
        limit = {"color": colour, "linewidth": 0.7, "zorder": 1}
        above.axhline(size**2, linestyle=DOTTED, **limit)
        if n_items:
            above.axhline(ceiling(n_items, size), linestyle=DASH_DOTTED, **limit)
    below.axhline(1, color="0.6", linewidth=1.0, zorder=1)


def _ratio(axes: Axes, exact: xr.Dataset, thresholded: xr.Dataset, colour) -> None:
    counts, _ = capacity_to_the_end(exact)
    ratio = (capacity_to_the_end(thresholded)[0] / counts.where(counts > 0)).transpose(
        "step", "seed"
    )
    step_band(axes, ratio.step.values, ratio.values, floor=1 / 16, color=colour)


def _handles(pair: list[xr.Dataset], n_items: int | None) -> list[Line2D]:
    handles = [handle(f"{name} gradient", linestyle=line) for name, line in LINES.items()]
    handles.append(handle("$d^{\\,2}$", linestyle=DOTTED))
    if n_items:
        handles.append(handle(f"ceiling, $N$ = {n_items:,}", linestyle=DASH_DOTTED))
    d = pair[0].d.values
    for size, colour in zip(d, shades(d.size), strict=True):
        handles.append(handle(f"$d$ = {size}", color=colour))
    exact, thresholded = pair
    return handles + (diverged_handle(exact) or diverged_handle(thresholded))
