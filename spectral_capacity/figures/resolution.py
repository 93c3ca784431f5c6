"""Resolution: what is left of the polar map's capacity when singular values below λ are not lifted."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from spectral_capacity.analysis.iterations import ratio_to_polar
from spectral_capacity.figures.parts.common import (
    COLUMN,
    MARKERS,
    PAGE,
    configuration,
    label,
    plt,
    seed_range,
    shades,
)


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per α: recovered items relative to the polar map's against λ/d^(−α), a line per d.

    Ratios are of each seed; shown are their mean and range. The polar map, λ → 0, is the line at one; a
    gradient optimizer, λ → ∞, stands at the right end. Dotted with ``finite_size``: the ratio of two
    predictions without a fit parameter. Only smoothed polar maps with a number for λ are shown, at the
    population batch, the last step and the first κ.
    """
    here = {"batch_size": np.inf}
    counts = grid.capacity.sortby("d").sel(here).isel(kappa=0, step=-1)
    ratios = ratio_to_polar(counts, fits).transpose("alpha", "d", "optimizer", "seed")
    predicted = fits.predicted_capacity.sortby("d").sel(here).isel(kappa=0, step=-1)
    predicted = ratio_to_polar(predicted, fits).transpose("alpha", "d", "optimizer")
    resolutions = _resolutions(grid, counts.isel(seed=0, drop=True))
    alphas = counts.alpha.values
    rows, columns = -(-alphas.size // 2), min(alphas.size, 2)
    size = (COLUMN if columns == 1 else PAGE, 0.5 + 2.4 * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, sharey=True)
    for axes, alpha in zip(panels.flat, alphas, strict=False):
        axes.set_title(rf"$\alpha$ = {alpha:g}")
        expected = predicted.sel(alpha=alpha) if finite_size else None
        _panel(axes, resolutions.sel(alpha=alpha), fits, ratios.sel(alpha=alpha), expected)
    for axes in panels.flat[alphas.size :]:
        axes.remove()
    for axes in panels[:, 0]:
        axes.set_ylabel("items, relative to exact polar map")
    handles, _ = panels[0, 0].get_legend_handles_labels()
    if finite_size:
        text = "prediction without a fit parameter"
        handles.append(plt.Line2D([], [], color="0.35", linestyle=":", label=text))
    figure.legend(handles=handles, loc="outside lower center", ncols=4 if columns > 1 else 2)
    return figure


def _resolutions(grid: xr.Dataset, like: xr.DataArray) -> xr.DataArray:
    """λ/d^(−α) over (optimizer, alpha, d); NaN for what is no smoothed polar map with a number."""
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
    fits: xr.Dataset,
    ratios: xr.DataArray,
    predicted: xr.DataArray | None,
) -> None:
    """Ratios over (d, optimizer, seed) of one α; ``predicted`` without the seed."""
    gradient = fits.optimizer.values[(fits.family == "gradient").values][:1]
    polar = fits.optimizer.values[(fits.family == "muon").values].item()
    powers = np.log10(resolutions.values[np.isfinite(resolutions.values)])
    first, last = np.floor(powers.min(initial=0)), np.ceil(powers.max(initial=0))
    infinity = 10 ** (last + 0.7)
    for i, (d, colour) in enumerate(zip(ratios.d.values, shades(ratios.d.size), strict=True)):
        x = resolutions.sel(d=d).dropna("optimizer")
        x = x.isel(optimizer=np.argsort(x.values))
        style = {"color": colour, "marker": MARKERS[i % len(MARKERS)], "elinewidth": 0.8}
        _errorbar(
            axes, x, ratios.sel(d=d, optimizer=x.optimizer.values), label=f"$d$ = {d}", **style
        )
        _errorbar(axes, [infinity] * gradient.size, ratios.sel(d=d, optimizer=gradient), **style)
        if predicted is not None:
            level = predicted.sel(d=d)
            axes.plot(x, level.sel(optimizer=x.optimizer.values), ":", color=colour)
            for name in gradient:
                ends = [infinity / 2, 2 * infinity]
                axes.plot(ends, [level.sel(optimizer=name)] * 2, ":", color=colour)
    axes.axhline(1, color="0.35", linewidth=0.8, zorder=1)
    axes.axvline(1, color="0.35", linewidth=0.8, zorder=1, linestyle="--")
    _note(axes, rf"{label(polar)} ($\lambda\to 0$)", (1, 1), ("axes fraction", "data"), ha="right")
    _note(axes, r"$\lambda = d^{-\alpha}$", (1, 0), ("data", "axes fraction"))
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = {x: f"{x:g}" for x in 10.0 ** np.arange(first, last + 1)}
    if gradient.size:
        ticks[infinity] = rf"$\infty$ ({label(gradient[0])})"
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(r"resolution $\lambda$, in units of $d^{-\alpha}$")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _errorbar(axes, x, sample, **style):
    mean, spread = seed_range(sample.transpose("optimizer", "seed").values, floor=0.0)
    seen = mean > 0
    axes.errorbar(np.asarray(x)[seen], mean[seen], spread[:, seen], **style)


def _note(axes, text, at, coordinates, ha="left"):
    style = {"textcoords": "offset points", "color": "0.35", "fontsize": 7, "ha": ha}
    axes.annotate(text, at, (-3 if ha == "right" else 3, 3), xycoords=coordinates, **style)
