r"""Singular values of the population gradient at zero (Lemma 8 of arXiv:2603.26554).

**a** The largest, the one at rank :math:`d/2` and the smallest; grey has the slope of :math:`d^{-\alpha}`.
**b** The one at rank :math:`d/2`, times :math:`d^{\alpha}`. **c** The mean of :math:`1/\sigma`, its median
over seeds, times :math:`d^{-\alpha}`. Level: the lemma holds, in **c** up to logarithms. Legend: the powers of
:math:`d` fitted over all :math:`d`, with intervals over resampled seeds. A few smallest :math:`\sigma` make up
most of the mean of :math:`1/\sigma`, so it varies widely between seeds.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.analysis.quantities import QUANTITIES
from spectral_capacity.figures.parts.axes import plain_numbers, powers_of_two
from spectral_capacity.figures.parts.common import GUIDE, PAGE, handle, plt
from spectral_capacity.figures.parts.curves import (
    apart,
    power_text,
    seed_range,
    short_if_one,
    shown_fit,
)
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import alpha_style
from spectral_capacity.figures.parts.panels import letters
from spectral_capacity.theory.exponents import bulk_exponent

KIND = "memory"
THEME = "One step"
SHOWS = "spectrum"
NEEDS = ("population", "one step")

ABSOLUTE = {
    "sigma_max": (r"largest $\sigma$", "--"),
    "bulk_singular_value": (r"$\sigma$ at rank $d/2$", "-"),
    "sigma_min": (r"smallest $\sigma$", ":"),
}
SCALED = {
    "bulk_singular_value": (r"$\sigma$ at rank $d/2$, times $d^{\,\alpha}$", r"$\sigma$", 1),
    "mean_inverse_singular_value": (
        r"mean of $1/\sigma$, times $d^{\,-\alpha}$",
        r"$1/\sigma$",
        -1,
    ),
}
"""What is drawn times a power of d that levels it by the lemma, its short name, and the power's sign."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Largest, middle and smallest singular value; the middle one and the mean of 1/σ over their power.

    Means over seeds, in the last panel medians, with their range, a line per α, of the population gradient G_0
    of the first κ; whichever optimizer is shown, the gradient is the same. Grey in the first panel is d^(−α)
    through the middle of each bulk. Level in the other two means that the lemma's power holds; the exponents
    there are fits over all d's with their intervals over resampled seeds. Logarithms that the lemma leaves
    open are not drawn. ``finite_size`` changes nothing: there is no such prediction.
    """
    first = {"optimizer": 0, "kappa": 0, "step": 0}
    here = grid.sel(batch_size=np.inf).isel(first).transpose(..., "d", "seed").sortby("d")
    fits = shown_fit(fits).reindex(quantity=[*SCALED]).sel(batch_size=np.inf).isel(first)
    figure, (absolute, *scaled) = plt.subplots(1, 3, figsize=(PAGE, 3.3))
    for axes in figure.axes:
        powers_of_two(axes, here.d.values)
        axes.set_yscale("log")
        axes.set_xlabel("dimension $d$")
    _absolute(absolute, here)
    for axes, name in zip(scaled, SCALED, strict=True):
        _scaled(axes, here, name)
    letters(figure)
    handles = [handle(text, linestyle=line) for text, line in ABSOLUTE.values()]
    handles += [handle(r"slope of $d^{\,-\alpha}$", **GUIDE), *seed_bars(grid)]
    handles += [handle(_powers(fits.sel(alpha=a)), **alpha_style(a)) for a in here.alpha.values]
    every_step = here.drop_vars(("optimizer", "step"))  # of the gradient at zero there is one
    legend_below(figure, handles, left_out(grid, every_step))
    return figure


def _absolute(axes: Axes, grid: xr.Dataset) -> None:
    d = grid.d.values
    for alpha in grid.alpha.values:
        for name, (_, line) in ABSOLUTE.items():
            mean, bars = seed_range(grid[name].sel(alpha=alpha).values)
            style = alpha_style(alpha) | {"linestyle": line, "markersize": 2.6, "elinewidth": 0.8}
            axes.errorbar(d, mean, bars, **style)
            if name == "bulk_singular_value":
                power = d ** bulk_exponent(alpha)
                constant = np.exp(np.log(mean / power).mean())
                axes.plot(*short_if_one(d, constant * power), **GUIDE | {"linewidth": 2.4})
    axes.set_ylabel("singular value of the gradient")


def _scaled(axes: Axes, grid: xr.Dataset, name: str) -> None:
    d, alphas = grid.d.values, grid.alpha.values
    text, _, sign = SCALED[name]
    for alpha, shift in zip(alphas, apart(alphas.size, 1.05), strict=True):
        scale = d[:, None] ** (sign * alpha)
        mean, bars = seed_range(
            grid[name].sel(alpha=alpha).values * scale, average=QUANTITIES[name].average
        )
        axes.errorbar(d * shift, mean, bars, elinewidth=0.8, **alpha_style(alpha))
    plain_numbers(axes, (1, 2, 5))
    axes.set_ylabel(text)


def _powers(fits: xr.Dataset) -> str:
    """The powers of one α that are known, for the legend."""
    texts = []
    for name, (_, what, _) in SCALED.items():
        if power := power_text(fits.sel(quantity=name)):
            texts.append(rf"{what} $\propto$ {power}")
    return rf"$\alpha$ = {fits.alpha.item():g}:  {',  '.join(texts)}".rstrip(": ")
