"""Figure 1b: capacity after one step against the batch size, all optimizers in one panel."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.batches import (
    batch_axis,
    batch_curve,
    batch_prediction,
    mark_break,
)
from spectral_capacity.figures.parts.common import COLUMN, MARKERS, frequencies, label, plt
from spectral_capacity.theory.predictions import items_seen


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Mean counts with their range over seeds against B, at the largest d and the first α.

    The population stands at ∞, its mean dashed back to the critical batch size, a star with its interval
    where the fits found one. Grey is the expected number of distinct items in the batch, for
    frequencies that are a power law. Dotted with ``finite_size``: the prediction without a fit parameter,
    from the open circle on. The last step and the first κ.
    """
    grid = grid.sortby(["d", "batch_size"]).isel(alpha=0, kappa=0, step=-1, d=-1)
    fits = fits.sortby("d").isel(alpha=0, kappa=0, step=-1, d=-1)
    sizes, alpha = grid.batch_size.values, grid.alpha.item()
    figure, axes = plt.subplots(figsize=(COLUMN, 2.9))
    infinity = batch_axis(axes, sizes)
    curves = grid.capacity.transpose("optimizer", "batch_size", "seed").values
    for i, (optimizer, counts) in enumerate(zip(grid.optimizer.values, curves, strict=True)):
        style = {"marker": MARKERS[i % len(MARKERS)], "color": f"C{i}"}
        name = label(optimizer, minibatches=True)
        batch_curve(axes, sizes, counts, infinity, label=name, **style)
    low, _ = axes.set_ylim(axes.get_ylim())
    for i, (optimizer, counts) in enumerate(zip(grid.optimizer.values, curves, strict=True)):
        if not np.isinf(sizes).any():
            continue
        if finite_size:
            one = fits.sel(optimizer=optimizer)
            batch_prediction(axes, one, sizes, infinity, color=f"C{i}")
        level = counts[-1].mean()
        critical = mark_break(axes, fits.sel(optimizer=optimizer), level, f"C{i}")
        known = np.isfinite(critical)
        start = critical if known else sizes[0]
        axes.plot([start, infinity], [level, level], "--", color=f"C{i}", linewidth=0.8)
        if known:
            axes.plot([critical, critical], [low, level], color=f"C{i}", linewidth=0.5)
            axes.annotate(
                f"$B^{{\\!*}}$ = {float(f'{critical:.2g}'):,.0f}",
                (critical, low),
                xytext=(3, 4),
                textcoords="offset points",
                color=f"C{i}",
                fontsize=7,
            )
    p = frequencies(grid, alpha)
    smooth = np.geomspace(1, sizes[np.isfinite(sizes)].max(initial=1), 60)
    seen = [items_seen(p, size) for size in smooth]
    axes.plot(smooth, seen, color="0.6", linewidth=1.6, zorder=1, label="distinct items seen")
    axes.set_ylabel("recovered items")
    axes.set_title(rf"One step, $d$ = {grid.d.item()}, $\alpha$ = {alpha:g}")
    handles, _ = axes.get_legend_handles_labels()
    if finite_size:
        text = "prediction without a fit parameter"
        handles.append(plt.Line2D([], [], color="0.35", linestyle=":", label=text))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure
