"""Items stored after one step on a minibatch against its size, at the largest embedding dimension.

At ∞, one step on the population. Bars: range over seeds. Grey: expected number of distinct items in the
batch. Dashed: mean of the population. Stars: critical batch size B*, where a B^(1/α) meets the population's
level, with its interval over resampled seeds. Dotted, with a circle: prediction without a fit parameter. Just
beyond B*, a minibatch stores more than the population does.
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
    batch_prediction,
    distinct_items,
    population_level,
)
from spectral_capacity.figures.parts.common import COLUMN, plt, prediction_handle
from spectral_capacity.figures.parts.looks import label, marker

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
    grid = grid.sortby(["d", "batch_size"]).isel(alpha=0, kappa=0, step=-1, d=-1)
    fits = fits.sortby("d").isel(alpha=0, kappa=0, step=-1, d=-1)
    sizes = grid.batch_size.values
    figure, axes = plt.subplots(figsize=(COLUMN, 2.9))
    infinity = batch_axis(axes, sizes)
    curves = grid.capacity.transpose("optimizer", "batch_size", "seed").values
    for i, (optimizer, counts) in enumerate(zip(grid.optimizer.values, curves, strict=True)):
        style = {"marker": marker(i), "color": f"C{i}", "label": label(optimizer, minibatches=True)}
        batch_curve(axes, sizes, counts, infinity, **style)
    axes.set_ylim(axes.get_ylim())
    if np.isinf(sizes).any():
        for i, (optimizer, counts) in enumerate(zip(grid.optimizer.values, curves, strict=True)):
            one, level = fits.sel(optimizer=optimizer), counts[-1].mean()
            if finite_size:
                batch_prediction(axes, one, sizes, infinity, color=f"C{i}")
            critical = population_level(axes, one, sizes, level, infinity, f"C{i}")
            _say_critical(axes, critical, level, f"C{i}")
    distinct_items(axes, grid, label="distinct items seen")
    axes.set_ylabel("recovered items")
    axes.set_title(rf"One step, $d$ = {grid.d.item()}, $\alpha$ = {grid.alpha.item():g}")
    handles, _ = axes.get_legend_handles_labels()
    if finite_size:
        handles.append(prediction_handle())
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _say_critical(axes: Axes, critical: float, level: float, colour: str) -> None:
    """A line from a known critical batch size down to its value."""
    if np.isfinite(critical):
        low, _ = axes.get_ylim()
        axes.plot([critical, critical], [low, level], color=colour, linewidth=0.5)
        text = f"$B^{{\\!*}}$ = {float(f'{critical:.2g}'):,.0f}"
        note(axes, text, (critical, low), (3, 4), color=colour)
