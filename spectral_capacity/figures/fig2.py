"""Items stored after one population step against the embedding dimension.

Bars: range over seeds. Dashed: fitted powers. Dotted: prediction without a fit parameter.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import powers_of_two, room_above
from spectral_capacity.figures.parts.common import GUIDE, PAGE, handle, plt, prediction_handle
from spectral_capacity.figures.parts.curves import apart, counts_against_d
from spectral_capacity.figures.parts.looks import label, marker, shades

KIND = "memory"
THEME = "One step"
SHOWS = "one_step"
NEEDS = ("population", "one step")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Above, mean counts with their range over seeds against d; below, the exponents C(α).

    One line per α; dashed d^C are the fits of the mean ("ols"), dotted the parameter-free
    prediction when ``finite_size``. Markers of different α stand a little apart in d to be seen. Shows
    the population batch, the last step and the first κ.
    """
    grid = grid.sel(batch_size=np.inf).isel(step=-1, kappa=0).transpose(..., "d", "seed")
    fits = fits.sel(batch_size=np.inf).isel(step=-1, kappa=0)
    optimizers = grid.optimizer.values
    figure, panels = plt.subplots(
        2,
        len(optimizers),
        figsize=(PAGE, 4.6),
        squeeze=False,
        sharex="row",
        height_ratios=(2.6, 1),
    )
    for (above, below), optimizer in zip(panels.T, optimizers, strict=True):
        one = fits.sel(optimizer=optimizer)
        above.set_title(f"One {label(optimizer)} step")
        _counts(above, grid.sel(optimizer=optimizer), one, finite_size)
        _exponents(below, one)
    panels[0, 0].set_ylabel("recovered items")
    panels[1, 0].set_ylabel("exponent $C$")
    handles = [handle("power law fitted to the means", linestyle="--")]
    if finite_size:
        handles.append(prediction_handle())
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _counts(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, finite_size: bool) -> None:
    d, alphas = grid.d.values, grid.alpha.values
    powers_of_two(axes, d)
    axes.set_yscale("log")
    powers = fits.sel(quantity="capacity", fit="ols")
    shift = apart(alphas.size, 1.06)
    for i, (alpha, colour) in enumerate(zip(alphas, shades(alphas.size), strict=True)):
        exponent = powers.exponent.sel(alpha=alpha).item()
        power = rf":  $d^{{\,{exponent:.2f}}}$" if np.isfinite(exponent) else ""
        counts_against_d(
            axes,
            d,
            grid.capacity.sel(alpha=alpha).values,
            exponent,
            color=colour,
            marker=marker(i),
            label=rf"$\alpha$ = {alpha:g}{power}",
            shift=shift[i],
        )
        if finite_size:
            axes.plot(d, fits.predicted_capacity.sel(alpha=alpha), ":", color=colour, linewidth=1.4)
    axes.set_xlabel("embedding dimension $d$")
    axes.legend(loc="upper left", handletextpad=0.3, labelspacing=0.25)
    room_above(axes, 0.25)


def _exponents(axes: Axes, fits: xr.Dataset) -> None:
    """C(α) with its standard error, the fit c1 + c2/α and the theory."""
    powers = fits.sel(quantity="capacity", fit="ols")
    alpha = powers.alpha.values
    axes.errorbar(alpha, powers.exponent, powers.stderr, fmt="o", color="black", elinewidth=0.8)
    smooth = np.linspace(alpha.min(), alpha.max(), 60)
    c1, c2 = fits.c1.item(), fits.c2.item()
    if np.isfinite(c2):
        text = rf"$C(\alpha)$ = {c1:.2f} + {c2:.2f}/$\alpha$"
        axes.plot(smooth, c1 + c2 / smooth, color="black", linewidth=0.9, label=text)
    if np.isfinite(powers.theory).any():
        axes.plot(alpha, powers.theory, **GUIDE, label="theory")
    axes.set_xlabel(r"frequency exponent $\alpha$")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper right", ncols=2)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.3 * (high - low))
