r"""Items stored with the smoothed polar map z / √(z² + λ²), relative to the exact polar map, against λ.

:math:`\lambda` is in units of :math:`d^{-\alpha}`, the scale of the bulk of the gradient's singular values;
ratios are of the same seed. At :math:`\infty`: gradient descent. Dotted: prediction without a fit parameter.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from spectral_capacity.figures.parts.axes import count_axis, note
from spectral_capacity.figures.parts.common import configuration, prediction_handle
from spectral_capacity.figures.parts.curves import apart, seed_range
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import d_style, label
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.ratios import ratios_to_polar
from spectral_capacity.figures.parts.zeros import mark_zeros

KIND = "memory"
THEME = "Optimizers"
SHOWS = "resolution"
NEEDS = ("population", "one step", "polar")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per α: recovered items relative to the polar map's against λ/d^(−α), a line per d.

    Ratios are of each seed; shown are their mean and range. The polar map, λ → 0, is the line at one; a
    gradient optimizer, λ → ∞, stands at the right end. Dotted with ``finite_size``: the ratio of two
    predictions without a fit parameter. Only smoothed polar maps with a number for λ are shown, at the
    population batch, the last step and the first κ.
    """
    ratios, predicted = ratios_to_polar(grid, fits)
    resolutions = _resolutions(grid, ratios.isel(seed=0, drop=True))
    alphas = ratios.alpha.values
    figure, panels = panel_grid(alphas.size, 2.6, sharey=True)
    for axes, alpha in zip(panels, alphas, strict=True):
        axes.set_title(rf"$\alpha$ = {alpha:g}")
        expected = predicted.sel(alpha=alpha) if finite_size else None
        _panel(axes, resolutions.sel(alpha=alpha), fits.family, ratios.sel(alpha=alpha), expected)
        if at_left(axes):
            axes.set_ylabel("items, relative to exact polar map")
    letters(figure)
    handles, _ = panels[0].get_legend_handles_labels()
    handles += [prediction_handle()] if finite_size else []
    shown = [*_ends(fits.family), *resolutions.dropna("optimizer", how="all").optimizer.values]
    here = ratios.sel(optimizer=[name for name in grid.optimizer.values if name in shown])
    legend_below(figure, handles + seed_bars(grid), left_out(grid, here))
    return figure


def _ends(family: xr.DataArray) -> list[str]:
    """The polar map and, at the other end of λ, the first gradient optimizer, if there is one."""
    polar, gradient = (family.optimizer.values[family == name] for name in ("muon", "gradient"))
    return [*polar, *gradient[:1]]


def _resolutions(grid: xr.Dataset, like: xr.DataArray) -> xr.DataArray:
    """λ/d^(−α) over (alpha, d, optimizer); NaN for what is no smoothed polar map with a number."""
    found = xr.full_like(like, np.nan, float)
    definitions = configuration(grid)["definitions"]
    for name in like.optimizer.values.tolist():
        options = definitions[name].get("map") or {}
        if options.get("name") == "smoothed_polar" and options["resolution"] != "theory":
            unit = 1.0 if options["unit"] == "bulk" else like.d**like.alpha
            found.loc[{"optimizer": name}] = options["resolution"] * unit
    return found


def _panel(
    axes: Axes,
    resolutions: xr.DataArray,
    family: xr.DataArray,
    ratios: xr.DataArray,
    predicted: xr.DataArray | None,
) -> None:
    """Ratios over (d, optimizer, seed) of one α; ``predicted`` without the seed."""
    polar, *gradient = _ends(family)
    powers = np.log10(resolutions.values[np.isfinite(resolutions.values)])
    first, last = np.floor(powers.min(initial=0)), np.ceil(powers.max(initial=0))
    infinity = 10 ** (last + 0.7)
    for d, beside in zip(ratios.d.values, apart(ratios.d.size, 1.3), strict=True):
        x = resolutions.sel(d=d).dropna("optimizer")
        x = x.isel(optimizer=np.argsort(x.values))
        names = x.optimizer.values
        style = d_style(d) | {"elinewidth": 0.8}
        _means(axes, x.values, ratios.sel(d=d, optimizer=names), label=f"$d$ = {d}", **style)
        end = np.full(len(gradient), infinity * beside)
        _means(axes, end, ratios.sel(d=d, optimizer=gradient), **style)
        if predicted is not None:
            level = predicted.sel(d=d)
            axes.plot(x, level.sel(optimizer=names), ":", color=style["color"])
            for name in gradient:
                ends = [infinity / 1.6, 1.6 * infinity]
                axes.plot(ends, [level.sel(optimizer=name)] * 2, ":", color=style["color"])
    _landmarks(axes, label(polar))
    axes.set_xscale("log")
    count_axis(axes)
    ticks = {x: f"{x:g}" for x in 10.0 ** np.arange(first, last + 1)}
    if gradient:
        ticks[infinity] = rf"$\infty$ ({label(gradient[0])})"
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(r"resolution $\lambda$, in units of $d^{-\alpha}$")


def _means(axes: Axes, x: np.ndarray, sample: xr.DataArray, **style) -> None:
    """Mean ratios with their ranges over seeds; that of a missing seed has no marker."""
    mean, bars = seed_range(sample.transpose("optimizer", "seed").values)
    mark_zeros(axes, x, sample.transpose("optimizer", "seed").values, style["color"])
    seen = mean > 0
    axes.errorbar(x[seen], mean[seen], bars[:, seen], **style)


def _landmarks(axes: Axes, polar: str) -> None:
    """Lines with names: as many items as with the polar map, and λ as large as the bulk."""
    axes.axhline(1, color="0.35", linewidth=0.8, zorder=1)
    axes.axvline(1, color="0.35", linewidth=0.8, zorder=1, linestyle="--")
    right, bottom = ("axes fraction", "data"), ("data", "axes fraction")
    white = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    text = rf"{polar} ($\lambda\to 0$)"
    note(axes, text, (1, 1), (-3, 3), xycoords=right, ha="right", bbox=white)
    note(axes, r"$\lambda = d^{-\alpha}$", (1, 0), (3, 3), xycoords=bottom)
