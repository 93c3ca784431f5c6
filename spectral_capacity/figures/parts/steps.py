"""Capacity step by step: runs that stop early or diverge, their curves, and what they can reach."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from spectral_capacity.analysis.runs import capacity_to_the_end
from spectral_capacity.figures.parts.axes import powers_of_two
from spectral_capacity.figures.parts.common import GUIDE, handle
from spectral_capacity.figures.parts.curves import seed_range
from spectral_capacity.figures.parts.zeros import mark_zeros
from spectral_capacity.results.schema import Status
from spectral_capacity.theory.predictions import ceiling

LINEAR_STEPS = 8
"""An axis of more steps is logarithmic: most happens in the first few."""

CEILING = {"linestyle": "-.", "color": GUIDE["color"], "linewidth": 1.0}
REACH = 3.0
"""The factor by which an axis of counts is lengthened at most for the ceiling to be seen."""

DIVERGED = {"linestyle": "", "marker": "x", "markersize": 5, "markeredgewidth": 1.2}


def steps_made(grid: xr.Dataset) -> np.ndarray:
    """Number of steps of every run that was made, in no order."""
    made = np.isfinite(grid.capacity.transpose(..., "step").values).sum(axis=-1)
    return made[made > 0]


def step_axis(axes: Axes, steps: np.ndarray, *, logarithmic: bool | None = None) -> None:
    """The axis of steps: unless it is told, linear for few; logarithmic with ticks at powers of two."""
    last = int(steps[-1])
    if last > LINEAR_STEPS if logarithmic is None else logarithmic:
        powers_of_two(axes, 2 ** np.arange(last.bit_length()))
        axes.set_xlim(0.9, 1.12 * last)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(LINEAR_STEPS, integer=True))
        axes.set_xlim(0.6, last + 0.4)
    axes.set_xlabel("step $t$")


def step_band(
    axes: Axes, steps: np.ndarray, values: np.ndarray, *, floor: float = 0.0, **style
) -> None:
    """Mean over seeds of values (steps, seeds) with a band for their range.

    There is no mean where a seed is missing: which runs end is not left to chance, so the mean of the
    others is not that of all. The others are thin lines there, one by one. Seeds that are missing
    everywhere do not count. On a logarithmic axis of steps markers stand at powers of two only.
    """
    there = np.isfinite(values)
    some = there.any(axis=0)
    if some.any():
        values, there = values[:, some], there[:, some]
    mean, (down, up) = seed_range(values, floor)
    mark_zeros(axes, steps, values, style["color"])
    if axes.get_yscale() == "log":
        mean, values = (np.where(x > 0, x, np.nan) for x in (mean, values))
    if axes.get_xscale() == "log":
        style["markevery"] = list(np.flatnonzero(steps & (steps - 1) == 0))
    axes.plot(steps, mean, **style)
    colour = style["color"]
    axes.fill_between(steps, mean - down, mean + up, color=colour, alpha=0.2, linewidth=0, zorder=1)
    gaps = ~there.all(axis=1)
    near = gaps | np.append(gaps[1:], False) | np.append(False, gaps[:-1])
    if gaps.any():
        singles = np.where(near[:, None], values, np.nan)
        line = {"color": colour, "linestyle": style.get("linestyle", "-"), "linewidth": 0.5}
        axes.plot(steps, singles, **line)


def step_curve(axes: Axes, runs: xr.Dataset, **style) -> None:
    """Counts of one optimizer's runs (step, seed) as :func:`step_band`; a cross where a run diverged.

    A run of the population that stopped early keeps its last count; one that diverged ends.
    """
    runs = runs.transpose("seed", "step")
    steps, counts = runs.step.values, capacity_to_the_end(runs)[0].values
    step_band(axes, steps, counts.T, **style)
    for broken, count in zip(runs.status.values == Status.DIVERGED, counts, strict=True):
        at = broken.argmax() - 1
        if broken.any() and at >= 0 and count[at] > 0:
            axes.plot(steps[at], count[at], color=style["color"], zorder=4, **DIVERGED)


def diverged_handle(runs: xr.Dataset) -> list[Line2D]:
    """What a legend says of the crosses; nothing where no run diverged."""
    if not (runs.status == Status.DIVERGED).any():
        return []
    return [handle("a run diverges", **DIVERGED)]


def seed_bands(grid: xr.Dataset) -> list[Artist]:
    """The legend's entry of bands that are ranges over seeds; none for one seed."""
    band = Patch(facecolor="0.35", alpha=0.3, label="bands: range over seeds")
    return [band] if grid.seed.size > 1 else []


def ceiling_handle(n_items: int) -> Line2D:
    """What a legend says of the most that any linear memory holds against so many competitors."""
    return handle(f"ceiling, $N$ = {n_items:,}: {ceiling(n_items, 1):.2g} $d^{{\\,2}}$", **CEILING)


def ceiling_against_d(axes: Axes, d: np.ndarray, n_items: int) -> bool:
    """The ceiling at each d, under the data; whether any of it is seen.

    The axis follows the data, and the line leaves it where it is more than :data:`REACH` above them.
    """
    levels = np.array([ceiling(n_items, each) for each in d.tolist()])
    low, high = axes.get_ylim()
    if levels.max() > REACH * high:
        axes.set_ylim(low, high)
    axes.plot(d, levels, zorder=1, **CEILING)
    return bool(levels.min() < high)


def ceiling_of_d(axes: Axes, d: int, n_items: int, **style) -> bool:
    """The same for one d, level at all steps."""
    level = ceiling(n_items, d)
    if seen := bool(level < REACH * axes.get_ylim()[1]):
        axes.axhline(level, zorder=1, **CEILING | style)
    return seen
