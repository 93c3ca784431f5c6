r"""Items stored after four Muon steps on the population against the embedding dimension.

Bars: range over seeds. Open: mean robust prefix, the largest m of which at least 95 % (the experiment's
prefix_share) of the m most frequent items are recovered; far below the count, frequent items are lost. Dashed:
powers fitted over all :math:`d`, with intervals over resampled seeds. Grey: slopes of the theory,
:math:`2 - (1 - 1/(2\alpha))^4`, at the level of the means; a theorem for thresholded gradients
(arXiv:2603.26554) and a conjecture for exact ones. Dash-dotted: the most that any linear memory holds against
:math:`N` competitors, a share of :math:`d^2`. Markers of different α, with their lines, stand a little apart.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.figures.parts import capacity_after_steps

KIND = "memory"
THEME = "Many steps"
SHOWS = "steps"
NEEDS = ("population", "muon", "4 steps")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """:func:`parts.capacity_after_steps.plot` after four steps."""
    return capacity_after_steps.plot(grid, fits, steps=[4], finite_size=finite_size)
