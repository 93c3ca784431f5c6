"""Figure 2: capacity after one population step against d, a panel per optimizer."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.plotting.common import (
    MARKERS,
    PAGE,
    label,
    plt,
    powers_of_two,
    shades,
)


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Mean counts with their range over seeds, fitted powers of d, and C(α) in an inset.

    One line per α; dashed d^C are the fits of the mean ("ols"), dotted the parameter-free
    prediction when ``finite_size``. Shows the population batch, the last step and the first κ.
    """
    grid = grid.sel(batch_size=np.inf).isel(step=-1, kappa=0)
    fits = fits.sel(batch_size=np.inf).isel(step=-1, kappa=0)
    optimizers = grid.optimizer.values
    figure, panels = plt.subplots(
        1, len(optimizers), figsize=(PAGE, 3.1), squeeze=False, sharex=True
    )
    for axes, optimizer in zip(panels[0], optimizers, strict=True):
        _panel(axes, grid.sel(optimizer=optimizer), fits.sel(optimizer=optimizer), finite_size)
        axes.set_title(f"One {label(optimizer)} step")
    panels[0, 0].set_ylabel("recovered items")
    _legend_of_lines(panels[0, 0], finite_size)
    return figure


def _panel(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, finite_size: bool) -> None:
    d = grid.d.values
    smooth = np.geomspace(d.min(), d.max(), 50)
    powers = fits.sel(quantity="capacity", fit="ols")
    for alpha, colour, marker in zip(
        grid.alpha.values, shades(grid.alpha.size), MARKERS * 3, strict=False
    ):
        counts = grid.capacity.sel(alpha=alpha).transpose("d", "seed").values
        mean = counts.mean(axis=1)
        seen = mean > 0
        spread = np.abs(np.stack([counts.min(axis=1), counts.max(axis=1)]) - mean)
        # A range that reaches zero cannot be drawn on a logarithmic axis: end it at one half.
        spread[0] = np.minimum(spread[0], mean - 0.5 * (mean > 0.5))
        exponent = powers.exponent.sel(alpha=alpha).item()
        text = rf"$\alpha$ = {alpha:g}:  $d^{{\,{exponent:.2f}}}$"
        axes.errorbar(
            d[seen], mean[seen], spread[:, seen], fmt=marker, color=colour, label=text, elinewidth=0.8
        )
        if np.isfinite(exponent):
            centre = np.exp(np.log(mean[seen]).mean() - exponent * np.log(d[seen]).mean())
            axes.plot(smooth, centre * smooth**exponent, "--", color=colour)
        if finite_size:
            axes.plot(d, fits.predicted_capacity.sel(alpha=alpha), ":", color=colour, linewidth=1.3)
    powers_of_two(axes, d)
    axes.set_yscale("log")
    axes.set_xlabel("embedding dimension $d$")
    axes.legend(loc="upper left", handletextpad=0.3, labelspacing=0.25)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.35)  # room for the legend above the lines
    _inset(axes, fits, powers)


def _inset(axes: Axes, fits: xr.Dataset, powers: xr.Dataset) -> None:
    """C(α) with its standard error, the fit c1 + c2/α (solid) and the theory (grey)."""
    if powers.alpha.size < 3:
        return
    inset = axes.inset_axes([0.66, 0.1, 0.33, 0.3])
    alpha = powers.alpha.values
    inset.errorbar(
        alpha, powers.exponent, powers.stderr, fmt="o", color="black", markersize=2, elinewidth=0.7
    )
    smooth = np.linspace(alpha.min(), alpha.max(), 60)
    c1, c2 = fits.c1.item(), fits.c2.item()
    inset.plot(smooth, c1 + c2 / smooth, color="black", linewidth=0.9)
    inset.plot(alpha, powers.theory, color="0.55", linewidth=0.9)
    inset.set_title(rf"$C(\alpha)$ = {c1:.2f} + {c2:.2f}/$\alpha$", fontsize=6.5, pad=2)
    inset.set_xlabel(r"$\alpha$", fontsize=6.5, labelpad=0)
    inset.tick_params(labelsize=6, length=2, pad=1.5)
    inset.patch.set_alpha(0.85)


def _legend_of_lines(axes: Axes, finite_size: bool) -> None:
    kinds = [("--", "power law fitted to the means")]
    if finite_size:
        kinds.append((":", "prediction without a fit parameter"))
    handles = [
        plt.Line2D([], [], linestyle=style, color="0.35", label=text) for style, text in kinds
    ]
    axes.figure.legend(handles=handles, loc="outside lower center", ncols=len(kinds))
