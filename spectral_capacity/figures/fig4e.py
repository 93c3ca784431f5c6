r"""Exponent of the number of items stored after t Muon steps on the population, against the theory's.

Fitted to the means over all d; the theory's is :math:`2 - (1 - 1/(2\alpha))^t`. Grey: where both are equal.
Bars: intervals over resampled seeds, which know nothing of the curvature at small d; where there is one seed,
standard errors of the fit. Open: the same fit of the prediction without a fit parameter, which there is for
one step.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import COLUMN, GUIDE, first_muon, handle, plt
from spectral_capacity.figures.parts.curves import shown_fit
from spectral_capacity.figures.parts.legends import (
    bars_handle,
    left_out,
    legend_below,
    resampled_bars,
)
from spectral_capacity.figures.parts.looks import alpha_style, label, marker

KIND = "memory"
THEME = "Many steps"
SHOWS = "steps"
NEEDS = ("population", "muon", "2 steps")

STEPS = (1, 2, 3, 4)


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A point per (t, α): fit of the mean over all d's against 2 − (1 − 1/(2α))^t.

    Bars are intervals over resampled seeds, or standard errors of the regression where there are none.
    On the line the fit is what the theorem says. With ``finite_size``, open markers: the same fit
    of the prediction without a fit parameter, where there is one. The first exact Muon, the population
    batch and the first κ; of ``grid`` only the d's are read.
    """
    here = {"optimizer": first_muon(fits), "batch_size": np.inf}
    shown = grid.sel(here).isel(kappa=0)
    fits = shown_fit(fits.sel(here | {"quantity": "capacity"})).isel(kappa=0)
    shown = shown.sel(step=[t for t in STEPS if t in fits.step])
    figure, axes = plt.subplots(figsize=(COLUMN, 2.4))
    drawn, predicted = [1.0, 2.0], False
    for alpha in fits.alpha.values:
        for j, t in enumerate(shown.step.values):
            one = fits.sel(alpha=alpha, step=t)
            x, y = one.theory.item(), one.exponent.item()
            if not np.isfinite([x, y]).all():
                continue
            style = alpha_style(alpha) | {"marker": marker(j), "linestyle": ""}
            down, up = bars = _bars(one)
            axes.errorbar(x, y, bars, elinewidth=0.8, zorder=3, **style)
            drawn += [x, y - down.item(), y + up.item()]
            if finite_size and np.isfinite(one.finite_size):
                axes.plot(x, one.finite_size, mfc="white", zorder=2, **style)
                drawn.append(one.finite_size.item())
                predicted = True
    ends = min(drawn) - 0.03, max(drawn) + 0.03
    axes.plot(ends, ends, **GUIDE)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel(r"theory, $2-\left(1-\frac{1}{2\alpha}\right)^t$")
    axes.set_ylabel("fitted exponent $C$")
    d = np.sort(grid.d.values)
    axes.set_title(
        f"{label(fits.optimizer.item())}, $d$ = {d[0]}" + (f"–{d[-1]}" if d.size > 1 else "")
    )
    _beside(axes, fits.alpha.values, shown.step.values, predicted)
    handles = [handle("fit and theory are equal", **GUIDE), *_bar_handle(fits)]
    legend = legend_below(figure, handles, left_out(grid, shown))
    make_room(figure, legend)
    return figure


def _bars(one: xr.Dataset) -> np.ndarray:
    """Distances (2, 1) of the interval's ends; what is not known has no length."""
    y = one.exponent.item()
    low, high = one.boot_low.item(), one.boot_high.item()
    if not np.isfinite([low, high]).all():
        return np.full((2, 1), np.nan_to_num(one.stderr.item()))
    return np.abs([[y - low], [high - y]])


def _bar_handle(fits: xr.Dataset) -> list[Line2D]:
    """What a legend says of the bars."""
    if not np.isfinite(fits.boot_low).any() and np.isfinite(fits.stderr).any():
        return [bars_handle("", "standard error of the fit")]
    return resampled_bars(fits)


def _beside(axes: Axes, alphas: np.ndarray, steps: np.ndarray, predicted: bool) -> None:
    """What colours and markers are, beside the axes."""
    handles = [handle(r"$\alpha$", linestyle="")]
    handles += [
        handle(f"{alpha:g}", color=alpha_style(alpha)["color"], linewidth=4) for alpha in alphas
    ]
    handles.append(handle("step $t$", linestyle=""))
    handles += [handle(f"{t}", linestyle="", marker=marker(j)) for j, t in enumerate(steps)]
    if predicted:
        handles.append(handle("1, predicted", linestyle="", marker="o", mfc="white"))
    place = {"loc": "upper left", "bbox_to_anchor": (1.04, 1), "borderaxespad": 0}
    axes.legend(handles=handles, handlelength=1.0, labelspacing=0.3, **place)
