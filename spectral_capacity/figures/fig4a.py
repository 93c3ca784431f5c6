r"""Items stored after two Muon steps on the population against the embedding dimension.

Bars: range over seeds. Dashed: fitted powers, with intervals over resampled seeds; the theory's exponent is 2
− (1 − 1/(2α))\ :sup:`2`, a theorem for thresholded gradients (arXiv:2603.26554) and a conjecture for exact
ones. Grey: d\ :sup:`2` and, dash-dotted, the most that any linear memory holds against N competitors.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.figures.parts import capacity_after_steps

KIND = "memory"
THEME = "Many steps"
SHOWS = "steps"
NEEDS = ("population", "muon", "2 steps")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """:func:`parts.capacity_after_steps.plot` after two steps."""
    return capacity_after_steps.plot(grid, fits, steps=2, finite_size=finite_size)
