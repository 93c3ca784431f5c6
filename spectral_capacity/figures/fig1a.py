"""Figure 1a: exponent of the one-step capacity against α, with the theorems' exponents."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.common import COLUMN, MARKERS, label, plt

THEORY = {"muon": r"theory: $1+\frac{1}{2\alpha}$", "gradient": r"theory: $\frac{1}{2\alpha}$"}


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """C(α) of each optimizer: the fit over all d's, over the largest d's, and the theory.

    Filled markers are the fit over all d's ("ols"), open ones that over the largest d's, bars their
    intervals over resampled seeds; the thin line is C(α) = c1 + c2/α, the grey line the theorem,
    and the dotted line the fit over all d's of the parameter-free prediction. ``grid`` is not shown, nor any
    κ but the first.
    """
    fits = fits.sel(quantity="capacity", batch_size=np.inf).isel(step=-1, kappa=0)
    alpha = fits.alpha.values
    smooth = np.linspace(alpha.min(), alpha.max(), 100)
    figure, axes = plt.subplots(figsize=(COLUMN, 3.3))
    for i, optimizer in enumerate(fits.optimizer.values):
        colour, marker = f"C{i}", MARKERS[i % len(MARKERS)]
        one = fits.sel(optimizer=optimizer)
        step = 0.012 * np.ptp(alpha)
        for fit, shift, fill in (("ols", -step, colour), ("largest", step, "white")):
            line = one.sel(fit=fit)
            bars = np.abs(np.stack([line.boot_low, line.boot_high]) - line.exponent.values)
            name = label(optimizer) + (", largest $d$" if fit == "largest" else ", all $d$")
            axes.errorbar(
                alpha + shift,
                line.exponent,
                bars,
                fmt=marker,
                color=colour,
                markerfacecolor=fill,
                elinewidth=0.8,
                label=name,
            )
        axes.plot(smooth, one.c1.item() + one.c2.item() / smooth, color=colour, linewidth=0.8)
        if np.isfinite(one.theory).any():
            theory = one.sel(fit="ols").theory
            axes.plot(alpha, theory, color="0.55", linewidth=1.6, zorder=1)
            axes.annotate(
                THEORY[one.family.item()],
                (alpha[-1], theory[-1]),
                xytext=(0, -4),
                textcoords="offset points",
                ha="right",
                va="top",
                color="0.35",
                fontsize=7,
            )
        if finite_size:
            axes.plot(alpha, one.sel(fit="ols").finite_size, ":", color=colour)
    axes.set_xlabel(r"frequency exponent $\alpha$")
    axes.set_ylabel(r"capacity exponent $C$,  items $\propto d^{\,C}$")
    axes.set_ylim(min(0, axes.get_ylim()[0]), None)
    handles, _ = axes.get_legend_handles_labels()
    extra = [plt.Line2D([], [], color="0.35", linewidth=0.8, label=r"$c_1 + c_2/\alpha$")]
    if finite_size:
        extra.append(plt.Line2D([], [], color="0.35", linestyle=":", label="prediction, all $d$"))
    figure.legend(handles=handles + extra, loc="outside upper center", ncols=2)
    return figure
