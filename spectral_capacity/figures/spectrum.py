"""Singular values of the first gradient against d, beside Lemma 8's d^(−α)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from spectral_capacity.figures.parts.common import (
    MARKERS,
    PAGE,
    apart,
    plt,
    power_text,
    powers_of_two,
    room_above,
    seed_range,
    shades,
)
from spectral_capacity.theory.exponents import bulk_exponent

ABSOLUTE = {
    "sigma_max": (r"largest $\sigma$", "--"),
    "bulk_singular_value": (r"$\sigma$ at rank $d/2$", "-"),
    "sigma_min": (r"smallest $\sigma$", ":"),
}
SCALED = {
    "bulk_singular_value": (r"$\sigma$ at rank $d/2$, times $d^{\,\alpha}$", 1),
    "mean_inverse_singular_value": (r"mean of $1/\sigma$, times $d^{\,-\alpha}$", -1),
}
"""What is drawn after division by its power of d in the lemma, and the sign of that power."""


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
    kinds = [(style, "0.2", 1.1, text) for text, style in ABSOLUTE.values()]
    kinds.append(("-", "0.75", 2.4, r"slope of $d^{\,-\alpha}$"))
    handles = [
        plt.Line2D([], [], linestyle=style, color=colour, linewidth=width, label=text)
        for style, colour, width, text in kinds
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _absolute(axes: Axes, grid: xr.Dataset) -> None:
    d = grid.d.values
    for i, (alpha, colour) in enumerate(
        zip(grid.alpha.values, shades(grid.alpha.size), strict=True)
    ):
        for name, (_, style) in ABSOLUTE.items():
            mean, spread = seed_range(grid[name].sel(alpha=alpha).values)
            line = {"linestyle": style, "marker": MARKERS[i % len(MARKERS)], "color": colour}
            axes.errorbar(d, mean, spread, markersize=2.4, elinewidth=0.8, **line)
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
        mean, spread = seed_range(grid[name].sel(alpha=alpha).values * scale)
        one = fits.sel(alpha=alpha)
        power = power_text(one.exponent.item(), one.boot_low.item(), one.boot_high.item())
        axes.errorbar(
            d * shift[i],
            mean,
            spread,
            marker=MARKERS[i % len(MARKERS)],
            color=colour,
            elinewidth=0.8,
            label=f"{alpha:g}: {power}",
        )
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel(text)
    room_above(axes, 0.1 * alphas.size + 0.12)
    legend = {"title": r"$\alpha$: power of $d$", "alignment": "left", "title_fontsize": 7}
    axes.legend(loc="upper left", handlelength=1.2, handletextpad=0.3, labelspacing=0.25, **legend)
