"""Items stored with k iterations of Newton–Schulz, relative to the exact polar map, and the iterations to 95 %.

Ratios are of the same seed; the iterations that reach 95 % lie between two depths by linear interpolation.
Bars: range over seeds; right, interval over resampled seeds. A count that has reached 95 % and later dips,
but not below 90 %, counts as having reached it. Triangles: not reached. Grey: k = α ln d / ln a + constant, a
being the slope at zero of the polynomial; one constant for all α and d. Dotted: prediction without a fit
parameter.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spectral_capacity.analysis.iterations import depth_table, newton_schulz_depths, slope_at_zero
from spectral_capacity.figures.parts.axes import note, powers_of_two, room_above
from spectral_capacity.figures.parts.common import GUIDE, PAGE, handle, plt, prediction_handle
from spectral_capacity.figures.parts.curves import seed_range
from spectral_capacity.figures.parts.looks import label, marker, shades
from spectral_capacity.figures.parts.ratios import ratios_to_polar

KIND = "memory"
THEME = "Optimizers"
SHOWS = "newton_schulz_depth"
NEEDS = ("population", "one step", "polar")

LEVEL, DIP = 0.95, 0.05
LINES = ("-", "--", "-.")
"""A line style for each kind of coefficients."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per α with a line per d, and a panel of the iterations that reach 95 % against d.

    Ratios are of each seed; shown are their mean and range. The iterations required, with intervals over
    resampled seeds, are :func:`analysis.iterations.depth_table`'s: dips of a count that has been there,
    down to 90 %, do not count; what is never reached is a triangle at the top. Grey is the law, with
    one constant for all. With ``finite_size``, dotted: the ratio of two predictions without a fit
    parameter, and the iterations that it requires. Coefficients differ in line style. The population
    batch, the last step and the first κ.
    """
    ratios, predicted = ratios_to_polar(grid, fits)
    alphas, depths = ratios.alpha.values, newton_schulz_depths(grid)
    columns = min(alphas.size + 1, 3)
    rows = -(-(alphas.size + 1) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(PAGE, 0.4 + 2.4 * rows), squeeze=False)
    panels = panels.ravel()
    for axes, alpha in zip(panels, alphas, strict=False):
        axes.set_title(rf"$\alpha$ = {alpha:g}")
        expected = predicted.sel(alpha=alpha) if finite_size else None
        _ratios(axes, depths, ratios.sel(alpha=alpha), expected)
    _required(panels[alphas.size], depth_table(grid, fits, LEVEL, DIP), finite_size)
    for axes in panels[: alphas.size : columns]:
        axes.set_ylabel("items, relative to exact polar map")
    for axes in panels[alphas.size + 1 :]:
        axes.remove()
    handles, _ = panels[0].get_legend_handles_labels()
    if len(depths) > 1:
        handles += [
            handle(label(name), linestyle=line) for line, name in zip(LINES, depths, strict=False)
        ]
    if finite_size:
        handles.append(prediction_handle())
    figure.legend(handles=handles, loc="outside lower center", ncols=6)
    return figure


def _ratios(
    axes: Axes,
    depths: dict[str, dict[int, str]],
    ratios: xr.DataArray,
    predicted: xr.DataArray | None,
) -> None:
    """Ratios over (d, optimizer, seed) of one α against the number of iterations.

    ``depths``: the optimizers, {coefficients: {iterations: name}}.
    """
    d = ratios.d.values
    for line, one in zip(LINES, depths.values(), strict=False):
        k, names = list(one), list(one.values())
        for i, colour in enumerate(shades(d.size)):
            mean, bars = seed_range(ratios.isel(d=i).sel(optimizer=names).values, floor=0.0)
            axes.errorbar(
                k,
                mean,
                bars,
                marker=marker(i),
                linestyle=line,
                color=colour,
                elinewidth=0.8,
                label=f"$d$ = {d[i]}" if line == LINES[0] else None,
            )
            if predicted is not None:
                axes.plot(k, predicted.isel(d=i).sel(optimizer=names), ":", color=colour)
    axes.axhline(LEVEL, color="0.35", linewidth=0.8, zorder=1)
    note(axes, f"{LEVEL:.0%}", (0, LEVEL), (2, 2), xycoords=("axes fraction", "data"))
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
    bottom, top = (0.8 * finite.min(), 1.05 * finite.max()) if finite.size else (0.0, 1.0)
    alphas = np.unique(table.alpha)
    for line, name in zip(LINES, table.coefficients.unique(), strict=False):
        for j, alpha in enumerate(alphas):
            one = table[(table.coefficients == name) & (table.alpha == alpha)]
            style = {"color": str(0.65 * j / alphas.size), "marker": marker(j)}
            text = rf"$\alpha$ = {alpha:g}" if line == LINES[0] else None
            _iterations(axes, one, top, label=text, **style)
            axes.plot(one.d, one.predicted, line, **GUIDE)
            if finite_size:
                axes.plot(one.d, one.finite_size, ":", color=style["color"])
        slope = one.alpha / np.log(slope_at_zero(name))
        offset = (one.predicted - slope * np.log(one.d)).mean()
        if np.isfinite(offset):
            text = rf"$\alpha\,\ln d\,/\ln {slope_at_zero(name):g} {offset:+.2f}$"
            axes.plot([], [], line, color="0.6", linewidth=1.6, label=f"{text}\n(offset fitted)")
    powers_of_two(axes, np.unique(table.d))
    axes.set_ylim(bottom, top)
    room_above(axes, 0.6)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.legend(loc="upper left")


def _iterations(axes: Axes, table: pd.DataFrame, top: float, **style) -> None:
    """Those of one α with intervals; a triangle at ``top`` where they are never enough."""
    d, k = table.d.to_numpy(), table.required.to_numpy()
    some, never = np.isfinite(k), np.isinf(k)
    ends = table[["low", "high"]].to_numpy().T[:, some]
    bars = np.nan_to_num(np.abs(ends - k[some]), posinf=2 * top)
    axes.errorbar(d[some], k[some], bars, linestyle="", **style)
    axes.plot(d[never], np.full(never.sum(), top), "^", mfc="white", color=style["color"])
