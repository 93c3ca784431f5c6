"""The robust prefix beside a count: the most frequent items that are recovered but for a small share.

A count says how many items are recovered, not which: a memory may gain rare items while it loses frequent ones.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.common import configuration, handle
from spectral_capacity.figures.parts.selection import to_the_end

POINTS = {"linestyle": "", "markerfacecolor": "none", "markersize": 3.5, "markeredgewidth": 0.7}
"""Beside points of counts: smaller and open."""
LINE = {"linestyle": ":", "marker": "", "linewidth": 1.2}
"""Beside lines of counts."""


def mean_prefix(grid: xr.Dataset) -> xr.DataArray:
    """Mean over seeds of the robust prefix; missing where it is zero, which no logarithmic axis has.

    Runs of the population that stopped early keep their last one. Without a seed there is no mean.
    """
    mean = to_the_end(grid, "robust_prefix").robust_prefix.mean("seed", skipna=False)
    return mean.where(mean > 0)


def prefix_curve(axes: Axes, runs: xr.Dataset, **style) -> bool:
    """The mean of one optimizer's runs (step, seed), dotted; whether any of it is seen."""
    mean = mean_prefix(runs)
    axes.plot(runs.step.values, mean.values, **style | LINE)
    return bool(np.isfinite(mean).any())


def prefix_handle(grid: xr.Dataset, **style) -> Line2D:
    """What a legend says of it, with the share that must be recovered."""
    share = configuration(grid)["prefix_share"]
    return handle(f"robust prefix ({100 * share:g} %)", **style)
