r"""Items stored step by step with the exact gradient and with the theory's thresholded one.

The thresholded gradient leaves out every item once stored, for good; all others enter as at :math:`W = 0`.
**a**, **b**, …: a panel per optimizer; under it the robust prefix, the largest m of which at least 95 % (the
experiment's prefix_share) of the m most frequent items are recovered, where it is not zero; at the bottom the
ratio of the two counts for the same embeddings. A count says how many items are recovered, the prefix whether
the frequent ones are among them. Means over seeds; bands: range over seeds. Dash-dotted: the most that any
linear memory holds against N competitors, a share of :math:`d^2`. Crosses: a run diverges there; from then on
the others are thin lines, one by one.
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
from spectral_capacity.figures.parts.legends import left_out_of_all, legend_below
from spectral_capacity.figures.parts.looks import d_style, label
from spectral_capacity.figures.parts.panels import at_left, letters, panel_stacks
from spectral_capacity.figures.parts.selection import to_the_end
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
    """Mean counts of the exact (solid) and the thresholded (dashed) runs, their robust prefixes, their ratio.

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
    figure, above, *under = panel_stacks(optimizers.size, (2.0, 1.3, 0.9))
    for row in under:
        for axes in row[1:]:
            axes.sharey(row[0])
    for *column, optimizer in zip(above, *under, optimizers, strict=True):
        upper, middle, lower = column
        upper.set_title(rf"{label(optimizer)}, $\alpha$ = {alpha:g}")
        for axes in (upper, middle):
            count_axis(axes)
        lower.set_yscale("log", base=2)  # half as many and twice as many stand as far from one
        for axes in column:
            step_axis(axes, pair[0].step.values)
        for axes in (middle, lower):
            axes.sharex(upper)
            axes.tick_params(labelleft=at_left(axes))
        for axes in (upper, middle):
            axes.set_xlabel("")
            axes.tick_params(labelbottom=False)
        _column(column, [grid.sel(optimizer=optimizer) for grid in pair])
        if at_left(upper):
            upper.set_ylabel("recovered items")
            middle.set_ylabel("robust prefix")
            lower.set_ylabel("thresholded\n/ exact")
    _ratio_ticks(under[-1][0])
    if finite_size:  # once all curves have made their common axis
        for size in pair[0].d.values.tolist():
            colour = d_style(size)["color"]
            seen += [ceiling_of_d(axes, size, n_items, color=colour) for axes in above]
    letters(figure)
    note = left_out_of_all(grids, pair)
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
    return [grid[["capacity", "robust_prefix", "status"]].sel(shared) for grid in grids]


def _column(column: Sequence[Axes], pair: list[xr.Dataset]) -> None:
    """Counts, robust prefixes and ratios of one optimizer, a colour and marker per d."""
    above, middle, below = column
    for size in pair[0].d.values.tolist():
        runs, look = [grid.sel(d=size) for grid in pair], d_style(size)
        for one, line in zip(runs, LINES.values(), strict=True):
            step_curve(above, one, markersize=3, linestyle=line, **look)
            prefixes = to_the_end(one, "robust_prefix").robust_prefix.transpose("step", "seed")
            step_band(
                middle, one.step.values, prefixes.values, markersize=3, linestyle=line, **look
            )
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
