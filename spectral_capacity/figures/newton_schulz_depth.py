"""Newton–Schulz iterations: capacity relative to the exact polar map's, and how many it takes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spectral_capacity.analysis.iterations import depth_table, families, growth, ratio_to_polar
from spectral_capacity.figures.parts.common import (
    MARKERS,
    PAGE,
    label,
    plt,
    powers_of_two,
    room_above,
    seed_range,
    shades,
)

LEVEL, DIP = 0.95, 0.05
LINES = ("-", "--", "-.")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per α with a line per d, and a panel of the iterations that reach 95 % against d.

    Ratios are of each seed; shown are their mean and range. The iterations required, with intervals over
    resampled seeds, are :func:`analysis.iterations.depth_table`'s: dips of a count that has been there,
    down to 90 %, do not count; what is never reached is a triangle at the top. Grey is the law, with
    one constant for all. With ``finite_size``, dotted: the ratio of two predictions without a fit
    parameter, and the iterations that it requires. Coefficients differ in line style. The population
    batch, the last step and the first κ.
    """
    here = {"batch_size": np.inf}
    counts = grid.capacity.sortby("d").sel(here).isel(kappa=0, step=-1)
    ratios = ratio_to_polar(counts, fits).transpose("alpha", "d", "optimizer", "seed")
    predicted = fits.predicted_capacity.sortby("d").sel(here).isel(kappa=0, step=-1)
    predicted = ratio_to_polar(predicted, fits).transpose("alpha", "d", "optimizer")
    alphas, kinds = counts.alpha.values, families(grid)
    columns = min(alphas.size + 1, 3)
    rows = -(-(alphas.size + 1) // columns)
    size = (PAGE, 0.4 + 2.4 * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False)
    panels = panels.ravel()
    for axes, alpha in zip(panels, alphas, strict=False):
        axes.set_title(rf"$\alpha$ = {alpha:g}")
        expected = predicted.sel(alpha=alpha) if finite_size else None
        _ratios(axes, kinds, ratios.sel(alpha=alpha), expected)
    _required(panels[alphas.size], depth_table(grid, fits, LEVEL, DIP), finite_size)
    for axes in panels[: alphas.size : columns]:
        axes.set_ylabel("items, relative to exact polar map")
    for axes in panels[alphas.size + 1 :]:
        axes.remove()
    handles, _ = panels[0].get_legend_handles_labels()
    if len(kinds) > 1:
        handles += [
            plt.Line2D([], [], color="0.35", linestyle=line, label=label(name))
            for line, name in zip(LINES, kinds, strict=False)
        ]
    if finite_size:
        text = "prediction without a fit parameter"
        handles.append(plt.Line2D([], [], color="0.35", linestyle=":", label=text))
    figure.legend(handles=handles, loc="outside lower center", ncols=6)
    return figure


def _ratios(axes: Axes, kinds: dict, ratios: xr.DataArray, predicted: xr.DataArray | None) -> None:
    """Ratios over (d, optimizer, seed) of one α against the number of iterations."""
    d = ratios.d.values
    for line, family in zip(LINES, kinds.values(), strict=False):
        k, names = list(family), list(family.values())
        for i, colour in enumerate(shades(d.size)):
            mean, spread = seed_range(ratios.isel(d=i).sel(optimizer=names).values, floor=0.0)
            axes.errorbar(
                k,
                mean,
                spread,
                marker=MARKERS[i % len(MARKERS)],
                linestyle=line,
                color=colour,
                elinewidth=0.8,
                label=f"$d$ = {d[i]}" if line == LINES[0] else None,
            )
            if predicted is not None:
                axes.plot(k, predicted.isel(d=i).sel(optimizer=names), ":", color=colour)
    axes.axhline(LEVEL, color="0.35", linewidth=0.8, zorder=1)
    axes.annotate(
        f"{LEVEL:.0%}",
        (0, LEVEL),
        xytext=(2, 2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        color="0.35",
        fontsize=7,
    )
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_ylim(0, max(1.15, axes.get_ylim()[1]))
    axes.set_xlabel("Newton–Schulz iterations $k$")


def _required(axes: Axes, table: pd.DataFrame, finite_size: bool) -> None:
    """Iterations required against d with the law, a grey per α."""
    axes.set_title(f"Iterations to {LEVEL:.0%}")
    axes.set_xlabel("embedding dimension $d$")
    axes.set_ylabel("iterations $k$")
    if table.empty:
        return
    measured = table[["required", "low", "high"]].to_numpy()
    finite = measured[np.isfinite(measured)]
    bottom, top = (0.8 * finite.min(), 1.05 * finite.max()) if finite.size else (0, 1)
    alphas = np.unique(table.alpha)
    for line, name in zip(LINES, table.coefficients.unique(), strict=False):
        for j, alpha in enumerate(alphas):
            one = table[(table.coefficients == name) & (table.alpha == alpha)]
            d, k = one.d.to_numpy(), one.required.to_numpy()
            style = {"color": str(0.65 * j / alphas.size), "marker": MARKERS[j % len(MARKERS)]}
            text = rf"$\alpha$ = {alpha:g}" if line == LINES[0] else None
            some, never = np.isfinite(k), np.isinf(k)
            ends = one[["low", "high"]].to_numpy().T[:, some]
            bars = np.nan_to_num(np.abs(ends - k[some]), posinf=2 * top)
            axes.errorbar(d[some], k[some], bars, **style, linestyle="", label=text)
            axes.plot(d[never], np.full(never.sum(), top), "^", mfc="white", color=style["color"])
            axes.plot(d, one.predicted, line, color="0.6", linewidth=1.6, zorder=1)
            if finite_size:
                axes.plot(d, one.finite_size, ":", color=style["color"])
        if np.isfinite(growth(name)):
            slope = one.alpha / np.log(growth(name))
            offset = (one.predicted - slope * np.log(one.d)).mean()
            text = rf"$\alpha\,\ln d\,/\ln {growth(name):g} {offset:+.2f}$"
            axes.plot([], [], line, color="0.6", linewidth=1.6, label=f"{text}\n(offset fitted)")
    powers_of_two(axes, np.unique(table.d))
    axes.set_ylim(bottom, top)
    room_above(axes, 0.6)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.legend(loc="upper left")
