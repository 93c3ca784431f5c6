r"""Items stored after one population step against the embedding dimension.

**a**, **b** A line per frequency exponent :math:`\alpha`: means over seeds, powers of :math:`d` fitted to
them, and, grey, the slope of the theory, :math:`1/(2\alpha)` for gradient descent and :math:`1 + 1/(2\alpha)`
for Muon (arXiv:2603.26554). Dotted: prediction without a fit parameter. Legends: the fitted exponent and, in
parentheses, the theory's. **c**, **d** The fitted exponents, over all :math:`d`, against :math:`\alpha` (as in
Figure 1a), on axes of equal span.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spectral_capacity.figures.parts.axes import count_axis, free_corner, named_ticks, powers_of_two
from spectral_capacity.figures.parts.common import GUIDE, handle, prediction_handle
from spectral_capacity.figures.parts.curves import (
    counts_against_d,
    fit_in_short,
    interval_bars,
    over,
    short_if_one,
    shown_fit,
)
from spectral_capacity.figures.parts.legends import (
    left_out,
    legend_below,
    resampled_bars,
    seed_bars,
)
from spectral_capacity.figures.parts.looks import alpha_style, label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_stacks

KIND = "memory"
THEME = "One step"
SHOWS = "one_step"
NEEDS = ("population", "one step")

WIDE = 2
"""As many panels side by side are wide enough for the fitted exponents to stand in them."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel of mean counts with their range over seeds against d per optimizer; below it, exponents C(α).

    Counts share their axis, exponents its scale. A line per α: dashed d^C are the fits of the mean
    ("ols"), grey the theory's slope through the middle of the means, dotted the parameter-free
    prediction when ``finite_size``. Shows the population batch, the last step and the first κ.
    """
    here = (
        grid.sel(batch_size=np.inf).isel(step=-1, kappa=0).transpose(..., "d", "seed").sortby("d")
    )
    fits = fits.sortby("d").sel(batch_size=np.inf).isel(step=-1, kappa=0)
    optimizers = here.optimizer.values
    figure, counts, exponents = panel_stacks(optimizers.size, (2.6, 1.1))
    for axes, optimizer in zip(counts, optimizers, strict=True):
        axes.set_title(label(optimizer))
        if at_left(axes):
            axes.set_ylabel("recovered items")
        one = fits.sel(optimizer=optimizer)
        _counts(axes, here.sel(optimizer=optimizer), one, finite_size)
    for axes, below, optimizer in zip(counts, exponents, optimizers, strict=True):
        if optimizers.size <= WIDE:
            _alphas(axes, here.capacity.sel(optimizer=optimizer))
        _exponents(below, fits.sel(optimizer=optimizer))
        if at_left(below):
            below.set_ylabel("exponent $C$")
    _same_scale(exponents)
    letters(figure)
    handles = []
    if optimizers.size > WIDE:
        handles = [
            handle(rf"$\alpha$ = {a:g}", linestyle="", **alpha_style(a)) for a in here.alpha.values
        ]
    handles.append(handle(f"power of $d$ fitted {over(here.d)}", linestyle="--"))
    if np.isfinite(fits.theory.sel(quantity="capacity")).any():
        handles.append(handle("theory", **GUIDE))
    if finite_size:
        handles.append(prediction_handle())
    if np.isfinite(fits.c2).any():
        handles.append(handle(r"$c_1 + c_2/\alpha$ fitted to $C$", linewidth=0.9))
    handles += seed_bars(grid, "counts") + resampled_bars(fits, "exponents")
    legend_below(figure, handles, left_out(grid, here))
    return figure


def _counts(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, finite_size: bool) -> None:
    d = grid.d.values
    powers_of_two(axes, d)
    count_axis(axes)
    for alpha in grid.alpha.values:
        one = fits.sel(alpha=alpha)
        line = shown_fit(one.sel(quantity="capacity"))
        counts_against_d(
            axes,
            d,
            grid.capacity.sel(alpha=alpha).values,
            line.exponent.item(),
            theory=line.theory.item(),
            predicted=one.predicted_capacity.values if finite_size else None,
            label=f"{alpha:g}:  {fit_in_short(line)}",
            **alpha_style(alpha),
        )
    axes.set_xlabel("embedding dimension $d$")


def _alphas(axes: Axes, counts: xr.DataArray) -> None:
    """The legend, once all panels have their common axis."""
    level = np.exp(np.log(counts.where(counts > 0)).mean().item())
    axes.legend(
        loc=free_corner(axes, level),
        title=r"$\alpha$:  $C$ (theory)",
        title_fontsize=7,
        alignment="left",
        handletextpad=0.3,
        labelspacing=0.25,
    )


def _exponents(axes: Axes, fits: xr.Dataset) -> None:
    """C(α) with its interval, the fit c1 + c2/α and the theory."""
    powers = shown_fit(fits.sel(quantity="capacity"))
    alpha, style = powers.alpha.values, optimizer_style(fits.optimizer.item())
    axes.plot(*short_if_one(alpha, powers.theory.values), **GUIDE)
    bars = interval_bars(powers)
    axes.errorbar(alpha, powers.exponent.values, bars, linestyle="", elinewidth=0.8, **style)
    smooth = np.linspace(alpha.min(), alpha.max(), 60)
    c1, c2 = fits.c1.item(), fits.c2.item()
    if np.isfinite(c2):
        axes.plot(smooth, c1 + c2 / smooth, color=style["color"], linewidth=0.9)
        text = rf"{c1:.2f} {'+' if c2 >= 0 else '-'} {abs(c2):.2f}/$\alpha$"
        text = text.replace("-", "\N{MINUS SIGN}")
        axes.text(0.97, 0.95, text, transform=axes.transAxes, ha="right", va="top", fontsize=7)
    named_ticks(axes, alpha)
    axes.set_xlabel(r"frequency exponent $\alpha$")


def _same_scale(panels: np.ndarray) -> None:
    """Axes of their own levels and one length, so that slopes can be compared."""
    ends = np.array([axes.get_ylim() for axes in panels])
    length = 1.1 * np.ptp(ends, axis=1).max()
    for axes, middle in zip(panels, ends.mean(axis=1), strict=True):
        axes.set_ylim(middle - length / 2, middle + length / 2)
        axes.yaxis.set_major_locator(MaxNLocator(4))
