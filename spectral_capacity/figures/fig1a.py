r"""Exponent of the number of items stored after one step, against the exponent of the item frequencies.

Markers: power of :math:`d` fitted to the means over all :math:`d`, as in Figure 2, with intervals over
resampled seeds. Thin lines: :math:`c_1 + c_2/\alpha` fitted to them. Grey: the theorems of arXiv:2603.26554,
about large :math:`d`. Dotted: the power fitted over the same :math:`d` to the prediction without a fit
parameter.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.axes import named_ticks, note
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import COLUMN, GUIDE, handle, plt, prediction_handle
from spectral_capacity.figures.parts.curves import interval_bars, over, short_if_one, shown_fit
from spectral_capacity.figures.parts.legends import left_out, legend_below, resampled_bars
from spectral_capacity.figures.parts.looks import label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid

KIND = "memory"
THEME = "One step"
SHOWS = "one_step"
NEEDS = ("population", "one step")

THEORY = {
    "gradient": r"$1/(2\alpha)$",
    "muon": r"$1+1/(2\alpha)$",
    "newton": r"$1+1/(2\alpha)$",
}
TOGETHER = 3
"""Of more optimizers each has a panel of its own."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """C(α) of each optimizer: the fit over all d's, the same fit of the prediction, and the theory.

    Markers are the fit that figures show, bars its intervals over resampled seeds; the thin line is C(α) = c1 +
    c2/α, the grey line the theorem, and the dotted line the same fit of the parameter-free prediction.
    Up to three optimizers share a panel. The last step and the first κ; ``grid`` only says what else there is.
    """
    fits = fits.sel(quantity="capacity", batch_size=np.inf).isel(step=-1, kappa=0)
    names = fits.optimizer.values
    if names.size <= TOGETHER:
        figure, axes = plt.subplots(figsize=(COLUMN, 2.5))
        panels = [axes] * names.size
    else:
        figure, panels = panel_grid(names.size, 1.9, sharey=True)
        for axes, name in zip(panels, names, strict=True):
            axes.set_title(label(name))
    for axes, name in zip(panels, names, strict=True):
        axes.set_ymargin(0.12)  # for the names of the theory
        _exponents(axes, fits.sel(optimizer=name), finite_size)
        named_ticks(axes, fits.alpha.values)
        axes.set_xlabel(r"frequency exponent $\alpha$")
        if at_left(axes):
            axes.set_ylabel(r"exponent $C$,  items $\propto d^{\,C}$")
    letters(figure)
    handles = [handle(label(name), linestyle="", **optimizer_style(name)) for name in names]
    handles += _handles(fits, finite_size) + resampled_bars(fits)
    make_room(figure, legend_below(figure, handles, left_out(grid, fits), wrap=22))
    return figure


def _exponents(axes: Axes, fits: xr.Dataset, finite_size: bool) -> None:
    """The exponents of one optimizer, the lines through them, and the theory by its name."""
    alpha, style = fits.alpha.values, optimizer_style(fits.optimizer.item())
    line, smooth = shown_fit(fits), np.linspace(alpha.min(), alpha.max(), 100)
    points = {"linestyle": "", "elinewidth": 0.8, **style}
    axes.errorbar(alpha, line.exponent.values, interval_bars(line), **points)
    if alpha.size > 1:
        fitted = line.c1.item() + line.c2.item() / smooth
        axes.plot(smooth, fitted, color=style["color"], linewidth=0.8)
    if finite_size:
        axes.plot(*short_if_one(alpha, line.finite_size.values), ":", color=style["color"])
    where, theory = short_if_one(alpha, line.theory.values)
    axes.plot(where, theory, **GUIDE)
    if theory.size and not axes.get_title():  # a panel of one optimizer has its title
        text = THEORY[line.family.item()]
        note(axes, text, (where[-1], theory[-1]), (0, -4), ha="right", va="top")


def _handles(fits: xr.Dataset, finite_size: bool) -> list[Line2D]:
    handles = [handle(f"fitted {over(fits.d)}", linestyle="", marker="o")]
    if np.isfinite(fits.c2).any():
        handles.append(handle(r"$c_1 + c_2/\alpha$", linewidth=0.8))
    if np.isfinite(fits.theory).any():
        handles.append(handle("theory", **GUIDE))
    return handles + ([prediction_handle()] if finite_size else [])
