r"""Items stored after one step on a minibatch against its size, at the largest embedding dimension.

At :math:`\infty`, one step on the population. Grey: expected number of distinct items in the batch. Stars:
critical batch size :math:`B^*`, where the fitted line :math:`\propto B^{1/\alpha}` reaches the population's
level, with its interval over resampled seeds. Dotted, from the open circle on: prediction without a fit
parameter. Near :math:`2 B^*`, a minibatch stores more than the population does: one sample still suffices to
store an item there, so rare items that were drawn by luck are stored too.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import note
from spectral_capacity.figures.parts.batches import (
    batch_axis,
    batch_curve,
    batch_handles,
    batch_prediction,
    distinct_items,
    population_level,
)
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import COLUMN, plt
from spectral_capacity.figures.parts.legends import left_out, legend_below
from spectral_capacity.figures.parts.looks import label, optimizer_style

KIND = "memory"
THEME = "Batches"
SHOWS = "minibatch"
NEEDS = ("population", "one step", "batches")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Mean counts with their range over seeds against B, at the largest d and the first α.

    The population stands at ∞, its mean dashed back to the critical batch size, a star with its interval
    where the fits found one. Grey is the expected number of distinct items in the batch, for
    frequencies that are a power law. Dotted with ``finite_size``: the prediction without a fit parameter,
    from the open circle on. The last step and the first κ.
    """
    here = grid.sortby(["d", "batch_size"]).isel(alpha=0, kappa=0, step=-1, d=-1)
    fits = fits.sortby("d").isel(alpha=0, kappa=0, step=-1, d=-1)
    sizes, names = here.batch_size.values, here.optimizer.values
    figure, axes = plt.subplots(figsize=(COLUMN, 2.4))
    infinity = batch_axis(axes, sizes)
    curves = here.capacity.transpose("optimizer", "batch_size", "seed").values
    for name, counts in zip(names, curves, strict=True):
        text = label(name, minibatches=True)
        batch_curve(axes, sizes, counts, infinity, label=text, **optimizer_style(name))
    known = []
    if np.isinf(sizes).any():
        for name, counts in zip(names, curves, strict=True):
            one, level = fits.sel(optimizer=name), counts[-1].mean()
            colour = optimizer_style(name)["color"]
            if finite_size:
                batch_prediction(axes, one, sizes, infinity, color=colour)
            critical = population_level(axes, one, sizes, level, infinity, colour)
            known.append((critical, level, colour))
    axes.set_ylim(axes.get_ylim())  # the line below may leave the axes
    for where in known:
        _say_critical(axes, *where)
    distinct_items(axes, here)
    axes.set_ylabel("recovered items")
    axes.set_title(rf"One step, $d$ = {here.d.item()}, $\alpha$ = {here.alpha.item():g}")
    handles, _ = axes.get_legend_handles_labels()
    handles += batch_handles(grid, fits, finite_size)
    make_room(figure, legend_below(figure, handles, left_out(grid, here), wrap=22))
    return figure


def _say_critical(axes: Axes, critical: float, level: float, colour: str) -> None:
    """A line from a known critical batch size down to its value."""
    if np.isfinite(critical):
        low, _ = axes.get_ylim()
        axes.plot([critical, critical], [low, level], color=colour, linewidth=0.5)
        text = f"$B^{{\\!*}}$ = {float(f'{critical:.2g}'):,.0f}"
        note(axes, text, (critical, low), (3, 4), color=colour)
