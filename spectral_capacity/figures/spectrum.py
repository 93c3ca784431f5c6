r"""Singular values of the population gradient at zero (Lemma 8 of arXiv:2603.26554).

Left, the largest, the one at rank d/2 and the smallest; grey has the slope of d\ :sup:`−α`. Middle and right,
what the lemma says grows like d\ :sup:`−α` and, up to logarithms, like d\ :sup:`α`, divided by that: level
where it holds. Exponents over the largest d, with intervals over resampled seeds. Bars: range over seeds; a
few smallest σ make up most of the mean of 1/σ, so it varies widely between seeds.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import plain_numbers, powers_of_two, room_above
from spectral_capacity.figures.parts.common import PAGE, handle, plt
from spectral_capacity.figures.parts.curves import apart, power_text, seed_range
from spectral_capacity.figures.parts.looks import marker, shades
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
    "bulk_singular_value": (r"$\sigma$ at rank $d/2$, times $d^{\,\alpha}$", 1),
    "mean_inverse_singular_value": (r"mean of $1/\sigma$, times $d^{\,-\alpha}$", -1),
}
"""What is drawn times a power of d that levels it by the lemma, and the sign of that power."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Largest, middle and smallest singular value; the middle one and the mean of 1/σ over their power.

    Means over seeds with their range, a line per α, of the population gradient G_0 of the first
    κ; whichever optimizer is shown, the gradient is the same. Grey in the first panel is d^(−α) through the
    middle of each bulk. Level in the other two means that the lemma's power holds; the exponents there
    are fits over the largest d's with their intervals over resampled seeds. Logarithms that the lemma
    leaves open are not drawn. ``finite_size`` changes nothing: there is no such prediction.
    """
    first = {"optimizer": 0, "kappa": 0, "step": 0}
    grid = grid.sel(batch_size=np.inf).isel(first).transpose(..., "d", "seed")
    fits = fits.reindex(quantity=[*SCALED]).sel(batch_size=np.inf, fit="largest").isel(first)
    figure, (absolute, *scaled) = plt.subplots(1, 3, figsize=(PAGE, 3.0))
    for axes in figure.axes:
        powers_of_two(axes, grid.d.values)
        axes.set_yscale("log")
        axes.set_xlabel("embedding dimension $d$")
    _absolute(absolute, grid)
    for axes, name in zip(scaled, SCALED, strict=True):
        _scaled(axes, grid, fits.sel(quantity=name), name)
    handles = [
        handle(text, linestyle=line, color="0.2", linewidth=1.1) for text, line in ABSOLUTE.values()
    ]
    handles.append(handle(r"slope of $d^{\,-\alpha}$", color="0.75", linewidth=2.4))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _absolute(axes: Axes, grid: xr.Dataset) -> None:
    d, alphas = grid.d.values, grid.alpha.values
    for i, (alpha, colour) in enumerate(zip(alphas, shades(alphas.size), strict=True)):
        for name, (_, line) in ABSOLUTE.items():
            mean, bars = seed_range(grid[name].sel(alpha=alpha).values)
            style = {"linestyle": line, "marker": marker(i), "color": colour}
            axes.errorbar(d, mean, bars, markersize=2.4, elinewidth=0.8, **style)
            if name == "bulk_singular_value":
                power = d ** bulk_exponent(alpha)
                constant = np.exp(np.log(mean / power).mean())
                axes.plot(d, constant * power, color="0.75", linewidth=2.4, zorder=1)
    axes.set_ylabel("singular value of the gradient")


def _scaled(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, name: str) -> None:
    d, alphas = grid.d.values, grid.alpha.values
    text, sign = SCALED[name]
    shift = apart(alphas.size, 1.05)
    for i, (alpha, colour) in enumerate(zip(alphas, shades(alphas.size), strict=True)):
        scale = d[:, None] ** (sign * alpha)
        mean, bars = seed_range(grid[name].sel(alpha=alpha).values * scale)
        axes.errorbar(
            d * shift[i],
            mean,
            bars,
            marker=marker(i),
            color=colour,
            elinewidth=0.8,
            label=f"{alpha:g}: {power_text(fits.sel(alpha=alpha))}",
        )
    plain_numbers(axes, (1, 2, 5))
    axes.set_ylabel(text)
    room_above(axes, 0.1 * alphas.size + 0.12)
    legend = {"title": r"$\alpha$: power of $d$", "alignment": "left", "title_fontsize": 7}
    axes.legend(loc="upper left", handlelength=1.2, handletextpad=0.3, labelspacing=0.25, **legend)
