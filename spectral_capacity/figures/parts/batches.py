"""Capacity against the batch size: axis, points, levels of the population and predictions."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from spectral_capacity.figures.parts.axes import count_axis
from spectral_capacity.figures.parts.common import GUIDE, frequencies, handle, prediction_handle
from spectral_capacity.figures.parts.curves import seed_range
from spectral_capacity.figures.parts.legends import resampled_bars, seed_bars
from spectral_capacity.figures.parts.zeros import mark_zeros
from spectral_capacity.theory.predictions import items_seen


def batch_axis(axes: Axes, sizes: np.ndarray) -> float:
    """A logarithmic axis of batch sizes, a small tick at each, the population at its right end; its place."""
    finite = sizes[np.isfinite(sizes)]
    last = max(finite.max(initial=1), 10)
    infinity = 10 ** (np.ceil(np.log10(last)) + 0.5)
    decades = np.arange(np.floor(np.log10(last)) + 1)
    decades = decades[:: 1 + len(decades) // 8]
    axes.set_xscale("log")
    texts = [f"$10^{{{k:g}}}$" for k in decades]
    axes.set_xticks([*10.0**decades, infinity], [*texts, r"$\infty$"])
    axes.set_xticks(finite, minor=True)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(0.7, 1.8 * infinity)
    axes.set_xlabel("batch size $B$")
    count_axis(axes)
    return float(infinity)


def batch_curve(
    axes: Axes, sizes: np.ndarray, counts: np.ndarray, infinity: float, **style
) -> None:
    """Mean counts (m, seeds) with their ranges against the batch size, the population's by itself."""
    mean, bars = seed_range(counts)
    where = np.where(np.isinf(sizes), infinity, sizes)
    mark_zeros(axes, where, counts, style["color"])
    for these in (np.isfinite(sizes), np.isinf(sizes)):
        use = these & (mean > 0)
        axes.errorbar(where[use], mean[use], bars[:, use], elinewidth=0.8, **style)
        style.pop("label", None)


def population_level(
    axes: Axes, fits: xr.Dataset, sizes: np.ndarray, level: float, infinity: float, colour
) -> float:
    """The population's mean, dashed back to the critical batch size, where a star has its interval.

    The critical batch size is returned. Where the fits know none it is NaN, there is no star, and the
    line goes back to the least of the sizes.
    """
    names = ("critical_batch_size", "critical_batch_size_low", "critical_batch_size_high")
    critical, low, high = (fits[name].item() if name in fits else np.nan for name in names)
    start = sizes[0]
    if np.isfinite(critical):
        start = critical
        axes.plot([low, high], [level, level], color=colour, linewidth=1.2, zorder=5)
        axes.plot(critical, level, "*", color=colour, markersize=9, mec="white", mew=0.4, zorder=5)
    axes.plot([start, infinity], [level, level], "--", color=colour, linewidth=0.8)
    return critical


def batch_prediction(axes: Axes, fits: xr.Dataset, sizes: np.ndarray, infinity: float, **style):
    """The parameter-free capacities of one curve, from the predicted critical batch size on.

    They start on the line of items seen, at the population's level; where there is none at finite sizes,
    they are that level.
    """
    predicted = fits.predicted_capacity.sel(batch_size=sizes).values
    if "predicted_critical_batch_size" in fits and np.isinf(sizes).any():
        start, level = fits.predicted_critical_batch_size.item(), predicted[np.isinf(sizes)].item()
        beyond = (sizes > start) & np.isfinite(predicted)
        where = np.where(np.isinf(sizes), infinity, sizes)[beyond]
        axes.plot([start, *where], [level, *predicted[beyond]], ":", **style)
        axes.plot(start, level, "o", markerfacecolor="white", zorder=4, **style)


def distinct_items(axes: Axes, grid: xr.Dataset, label: str | None = None) -> None:
    """The expected number of distinct items in a batch, up to the largest finite one of a grid of one α."""
    sizes, p = grid.batch_size.values, frequencies(grid, grid.alpha.item())
    smooth = np.geomspace(1, sizes[np.isfinite(sizes)].max(initial=1), 60)
    axes.plot(smooth, [items_seen(p, size) for size in smooth], **GUIDE, label=label)


def batch_handles(grid: xr.Dataset, fits: xr.Dataset, finite_size: bool) -> list[Line2D]:
    """What a legend says of all that stands beside the curves."""
    handles = [handle(r"distinct items in batch, $\propto\,B^{1/\alpha}$", **GUIDE)]
    bars = seed_bars(grid, "counts")
    if np.isinf(grid.batch_size).any():
        handles.append(handle("population", linestyle="--", linewidth=0.8))
        if "critical_batch_size" in fits and np.isfinite(fits.critical_batch_size).any():
            star = {"linestyle": "", "marker": "*", "markersize": 8}
            handles.append(handle(r"critical batch size $B^{\!*}$", **star))
            bars += resampled_bars(fits, r"$B^{\!*}$")
        if finite_size:
            handles.append(prediction_handle(marker="o", markerfacecolor="white"))
    return handles + bars
