r"""The most items that long runs of Muon on the population stored after any step, against the dimension.

Each run was stopped when it gained next to nothing any more. Bars: range over seeds. Dashed: fitted powers,
with intervals over resampled seeds. Grey: the slope of :math:`d^2`, the information limit up to logarithms, at
the level of the means. Dash-dotted: the most that any linear memory holds against N competitors, a share of
:math:`d^2`. Markers of different α, with their lines, stand a little apart.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.figures.parts import capacity_after_steps

KIND = "memory"
THEME = "Many steps"
SHOWS = "long_run"
NEEDS = ("population", "muon", "2 steps")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """:func:`parts.capacity_after_steps.plot` of the peak of each run."""
    return capacity_after_steps.plot(grid, fits, steps=[None], finite_size=finite_size)
