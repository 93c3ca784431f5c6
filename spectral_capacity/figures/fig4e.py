r"""Exponent of the number of items stored after t Muon steps on the population, against the theory's.

Fitted over all d; the theory's is 2 − (1 − 1/(2α))\ :sup:`t`. Grey: where both are equal. Bars: intervals
over resampled seeds, which know nothing of the curvature at small d. Open: the same fit of the prediction
without a fit parameter, which there is for one step.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spectral_capacity.figures.parts.common import COLUMN, GUIDE, first_muon, handle, plt
from spectral_capacity.figures.parts.looks import label, marker, shades

KIND = "memory"
THEME = "Many steps"
SHOWS = "steps"
NEEDS = ("population", "muon", "2 steps")

STEPS = (1, 2, 3, 4)


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A point per (t, α): fit of the mean over all d's ("ols") against 2 − (1 − 1/(2α))^t.

    Bars are intervals over resampled seeds, or standard errors of the regression where there are none.
    On the line the fit is what the theorem says. With ``finite_size``, open markers: the same fit
    of the prediction without a fit parameter, where there is one. The first exact Muon, the population
    batch and the first κ; of ``grid`` only the d's are read.
    """
    fits = fits.sel(optimizer=first_muon(fits), batch_size=np.inf, quantity="capacity", fit="ols")
    fits = fits.isel(kappa=0)
    steps = [t for t in STEPS if t in fits.step]
    alphas = fits.alpha.values
    figure, axes = plt.subplots(figsize=(COLUMN, 2.7))
    shown, predicted = [1.0, 2.0], False
    for i, colour in enumerate(shades(alphas.size)):
        for j, t in enumerate(steps):
            one = fits.isel(alpha=i).sel(step=t)
            x, y = one.theory.item(), one.exponent.item()
            if not np.isfinite([x, y]).all():
                continue
            style = {"marker": marker(j), "color": colour, "linestyle": ""}
            down, up = bars = _bars(one)
            axes.errorbar(x, y, bars, elinewidth=0.8, zorder=3, **style)
            shown += [x, y - down.item(), y + up.item()]
            if finite_size and np.isfinite(one.finite_size):
                axes.plot(x, one.finite_size, mfc="white", zorder=2, **style)
                shown.append(one.finite_size.item())
                predicted = True
    ends = min(shown) - 0.03, max(shown) + 0.03
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
    _legends(axes, alphas, steps, predicted)
    return figure


def _bars(one: xr.Dataset) -> np.ndarray:
    """Distances (2, 1) of the interval's ends; what is not known has no length."""
    y = one.exponent.item()
    low, high = one.boot_low.item(), one.boot_high.item()
    if not np.isfinite([low, high]).all():
        return np.full((2, 1), np.nan_to_num(one.stderr.item()))
    return np.abs([[y - low], [high - y]])


def _legends(axes: Axes, alphas: np.ndarray, steps: list[int], predicted: bool) -> None:
    """Colours and markers, beside the axes."""
    by_alpha = [
        handle(f"{alpha:g}", color=colour, linewidth=4)
        for alpha, colour in zip(alphas, shades(alphas.size), strict=True)
    ]
    by_step = [handle(f"{t}", linestyle="", marker=marker(j)) for j, t in enumerate(steps)]
    if predicted:
        by_step.append(handle("1, predicted", linestyle="", marker="o", mfc="white"))
    place = {"borderaxespad": 0, "alignment": "left", "title_fontsize": 7, "handlelength": 1.0}
    first = axes.legend(
        handles=by_alpha, title=r"$\alpha$", loc="upper left", bbox_to_anchor=(1.04, 1), **place
    )
    axes.add_artist(first)
    axes.legend(
        handles=by_step, title="step $t$", loc="lower left", bbox_to_anchor=(1.04, 0), **place
    )
