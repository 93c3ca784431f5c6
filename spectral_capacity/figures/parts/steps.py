"""Capacity step by step: runs that stop early or diverge, their curves, and what they can reach."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spectral_capacity.analysis.runs import capacity_to_the_end
from spectral_capacity.figures.parts.axes import note, powers_of_two
from spectral_capacity.figures.parts.common import handle
from spectral_capacity.figures.parts.curves import seed_range
from spectral_capacity.results.schema import Status
from spectral_capacity.theory.predictions import ceiling

LINEAR_STEPS = 8
"""An axis of more steps is logarithmic: most happens in the first few."""

DIVERGED = {"linestyle": "", "marker": "x", "markersize": 5, "markeredgewidth": 1.2}


def steps_made(grid: xr.Dataset) -> np.ndarray:
    """Number of steps of every run that was made, in no order."""
    made = np.isfinite(grid.capacity.transpose(..., "step").values).sum(axis=-1)
    return made[made > 0]


def step_axis(axes: Axes, steps: np.ndarray, *, logarithmic: bool = False) -> None:
    """The axis of steps: linear for few, else, or if told to be, logarithmic with ticks at powers of two."""
    last = int(steps[-1])
    if logarithmic or last > LINEAR_STEPS:
        powers_of_two(axes, 2 ** np.arange(last.bit_length()))
        axes.set_xlim(0.9, 1.12 * last)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(LINEAR_STEPS, integer=True))
        axes.set_xlim(0.6, last + 0.4)
    axes.set_xlabel("step $t$")


def step_band(
    axes: Axes, steps: np.ndarray, values: np.ndarray, *, floor: float = 0.5, **style
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


def limits_against_d(axes: Axes, d: np.ndarray, n_items: int, *, finite_size: bool) -> None:
    """d², what a d × d matrix may hold at all up to logarithms, and the ceiling at this N, with names."""
    ends = np.array([d.min() / 1.1, d.max() * 1.1])
    for power, style, text in _limits(n_items, finite_size):
        axes.plot(ends, power * ends**2, style, color="0.6", linewidth=1.0, zorder=1)
        middle = np.sqrt(d.min() * d.max())
        note(axes, text, (middle, power * middle**2), (-6, 4), ha="right")


def limits_of_d(axes: Axes, d: int, n_items: int, *, finite_size: bool) -> None:
    """The same for one d, level at all steps."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
    place = {"xycoords": ("axes fraction", "data"), "ha": "right", "bbox": box}
    for power, style, text in _limits(n_items, finite_size):
        axes.axhline(power * d**2, linestyle=style, color="0.6", linewidth=1.0, zorder=1)
        note(axes, text, (1, power * d**2), (-2, 4), **place)


def _limits(n_items: int, finite_size: bool) -> list[tuple[float, str, str]]:
    limits = [(1.0, "-", "$d^{\\,2}$")]
    if finite_size:
        limits.append((ceiling(n_items, 1), "-.", f"ceiling, $N$ = {n_items:,}"))
    return limits
