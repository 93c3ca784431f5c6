r"""Items stored step by step with the exact gradient and with the theory's thresholded one.

The thresholded gradient leaves out every item once stored, for good; all others enter as at :math:`W = 0`.
**a**, **b**: a panel per
optimizer; **c**, **d**: under it, the ratio of the two for the same embeddings. Means over seeds; bands: range
over seeds. Dash-dotted: the most that any linear memory holds against N competitors, a share of :math:`d^2`.
Crosses: a run diverges there; from then on the others are thin lines, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from spectral_capacity.analysis.runs import capacity_to_the_end
from spectral_capacity.figures.parts.axes import count_axis
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import GUIDE, configuration, handle
from spectral_capacity.figures.parts.legends import left_out, legend_below
from spectral_capacity.figures.parts.looks import d_style, label
from spectral_capacity.figures.parts.panels import at_left, letters, panel_pairs
from spectral_capacity.figures.parts.steps import (
    ceiling_handle,
    ceiling_of_d,
    diverged_handle,
    seed_bands,
    step_axis,
    step_band,
    step_curve,
)

KIND = "memory"
THEME = "Many steps"
SHOWS = {"exact": "gd_against_muon", "thresholded": "gd_against_muon_thresholded"}
NEEDS = ("population", "2 steps", "exact against thresholded")

LINES = {"exact": "-", "thresholded": "--"}


def plot(
    grids: Sequence[xr.Dataset], fits: Sequence[xr.Dataset], *, finite_size: bool = True
) -> Figure:
    """Above, mean counts of the exact (solid) and the thresholded (dashed) runs; below, their ratio.

    ``grids`` are [exact, thresholded]. A panel per optimizer that both have and a line per d that both
    have, with bands for the range over seeds; the ratio is of each seed that both have. The first α
    that both have, their common steps, the population batch and the first κ; the figure says so where one has
    more. A run that stopped early keeps its last count; one that diverged ends in a cross, and from there on
    the others are thin lines without a mean. Dash-dotted with ``finite_size``: the most that any linear memory
    holds against N competitors. ``fits`` play no part. Raises ValueError where
    the two have nothing in common.
    """
    n_items, *other = {configuration(grid)["n_items"] for grid in grids}
    if other:
        raise ValueError("thresholded: its two experiments must have the same n_items")
    pair = _in_common([grid.sel(batch_size=np.inf).isel(kappa=0) for grid in grids])
    optimizers, alpha, seen = pair[0].optimizer.values, pair[0].alpha.item(), []
    figure, above, below = panel_pairs(optimizers.size, (2.0, 0.9))
    for axes in below[1:]:
        axes.sharey(below[0])
    for upper, lower, optimizer in zip(above, below, optimizers, strict=True):
        upper.set_title(rf"{label(optimizer)}, $\alpha$ = {alpha:g}")
        count_axis(upper)
        lower.set_yscale("log", base=2)  # half as many and twice as many stand as far from one
        for axes in (upper, lower):
            step_axis(axes, pair[0].step.values)
        lower.sharex(upper)
        upper.set_xlabel("")
        upper.tick_params(labelbottom=False)
        lower.tick_params(labelleft=at_left(lower))
        _column(upper, lower, [grid.sel(optimizer=optimizer) for grid in pair])
        if at_left(upper):
            upper.set_ylabel("recovered items")
            lower.set_ylabel("thresholded\n/ exact")
    _ratio_ticks(below[0])
    if finite_size:  # once all curves have made their common axis
        for size in pair[0].d.values.tolist():
            colour = d_style(size)["color"]
            seen += [ceiling_of_d(axes, size, n_items, color=colour) for axes in above]
    letters(figure)
    notes = [left_out(grid, one) for grid, one in zip(grids, pair, strict=True)]
    note = "\n".join(dict.fromkeys(filter(None, notes))) or None
    handles = _handles(pair) + [ceiling_handle(n_items)] * any(seen)
    make_room(figure, legend_below(figure, handles, note))
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


def _column(above: Axes, below: Axes, pair: list[xr.Dataset]) -> None:
    """Counts and ratios of one optimizer, a colour and marker per d."""
    for size in pair[0].d.values.tolist():
        runs, look = [grid.sel(d=size) for grid in pair], d_style(size)
        for one, line in zip(runs, LINES.values(), strict=True):
            step_curve(above, one, markersize=3, linestyle=line, **look)
        _ratio(below, *runs, markersize=3, **look)
    below.axhline(1, **GUIDE | {"linewidth": 1.0})


def _ratio(axes: Axes, exact: xr.Dataset, thresholded: xr.Dataset, **style) -> None:
    counts, _ = capacity_to_the_end(exact)
    ratio = (capacity_to_the_end(thresholded)[0] / counts.where(counts > 0)).transpose(
        "step", "seed"
    )
    step_band(axes, ratio.step.values, ratio.values, floor=1 / 16, **style)


def _ratio_ticks(axes: Axes) -> None:
    """Ticks at powers of two or four, written as fractions below one."""
    low, high = np.log2(axes.get_ylim())
    powers = np.arange(np.ceil(low), np.floor(high) + 1)
    every = 2 * (1 + len(powers) // 10) if len(powers) > 4 else 1
    powers = powers[powers % every == 0].astype(int).tolist()
    texts = [f"{2**k}" if k >= 0 else f"1/{2**-k}" for k in powers]
    axes.set_yticks([2.0**k for k in powers], texts)
    axes.yaxis.set_minor_formatter(NullFormatter())


def _handles(pair: list[xr.Dataset]) -> list[Artist]:
    handles = [handle(f"$d$ = {d}", **d_style(d)) for d in pair[0].d.values.tolist()]
    handles += [handle(f"{name} gradient", linestyle=line) for name, line in LINES.items()]
    exact, thresholded = pair
    return handles + seed_bands(exact) + (diverged_handle(exact) or diverged_handle(thresholded))
