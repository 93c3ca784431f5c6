"""Curves of capacity against the batch size: their axis, points, breaks and predictions."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from spectral_capacity.figures.parts.common import seed_range


def batch_axis(axes: Axes, sizes: np.ndarray) -> float:
    """A logarithmic axis of batch sizes with the population at its right end; the place of that."""
    finite = sizes[np.isfinite(sizes)]
    last = max(finite.max(initial=1), 10)
    infinity = 10 ** (np.ceil(np.log10(last)) + 0.5)
    decades = np.arange(np.floor(np.log10(last)) + 1)
    decades = decades[:: 1 + len(decades) // 8]
    axes.set_xscale("log")
    texts = [f"$10^{{{k:g}}}$" for k in decades]
    axes.set_xticks([*10.0**decades, infinity], [*texts, r"$\infty$"])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0.7, 1.8 * infinity)
    axes.set_xlabel("batch size $B$")
    axes.set_yscale("log")
    return float(infinity)


def batch_curve(
    axes: Axes, sizes: np.ndarray, counts: np.ndarray, infinity: float, **style
) -> None:
    """Mean counts (m, seeds) with their ranges against the batch size, the population's by itself."""
    mean, spread = seed_range(counts)
    for these in (np.isfinite(sizes), np.isinf(sizes)):
        use = these & (mean > 0)
        where = np.where(np.isinf(sizes), infinity, sizes)[use]
        axes.errorbar(where, mean[use], spread[:, use], elinewidth=0.8, **style)
        style.pop("label", None)


def mark_break(axes: Axes, fits: xr.Dataset, level: float, colour) -> float:
    """A star at the critical batch size of one curve, with its interval; NaN, and none, if not known."""
    names = ("critical_batch_size", "critical_batch_size_low", "critical_batch_size_high")
    critical, low, high = (fits[name].item() if name in fits else np.nan for name in names)
    if np.isfinite(critical):
        axes.plot([low, high], [level, level], color=colour, linewidth=1.2, zorder=5)
        axes.plot(critical, level, "*", color=colour, markersize=9, mec="white", mew=0.4, zorder=5)
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
