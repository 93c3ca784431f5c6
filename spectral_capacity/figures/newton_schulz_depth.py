r"""Items stored with k Newton–Schulz iterations, relative to the exact polar map, and the iterations to 95 %.

**a**, **b** Ratios of the same seed. **c** The iterations that reach 95 % lie between two depths by linear
interpolation. A count that has reached 95 % and later dips, but not below 90 %, counts as having reached it;
triangles: not reached. Grey: :math:`k = \alpha \ln d / \ln a` + constant, :math:`a` being the slope at zero of
the polynomial; one constant for all :math:`\alpha` and :math:`d`. Dotted: prediction without a fit parameter.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spectral_capacity.analysis.iterations import Iteration, depth_table, newton_schulz_depths
from spectral_capacity.figures.parts.axes import named_ticks, note, powers_of_two
from spectral_capacity.figures.parts.common import GUIDE, handle, prediction_handle
from spectral_capacity.figures.parts.curves import seed_range, short_if_one
from spectral_capacity.figures.parts.legends import (
    bars_handle,
    left_out,
    legend_below,
    seed_bars,
)
from spectral_capacity.figures.parts.looks import alpha_style, d_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.ratios import ratios_to_polar

KIND = "memory"
TITLE = "Newton–Schulz depth"
THEME = "Optimizers"
SHOWS = "newton_schulz_depth"
NEEDS = ("population", "one step", "polar")

LEVEL, DIP = 0.95, 0.05
SHARE = f"{100 * LEVEL:.0f}\N{NO-BREAK SPACE}%"
LINES = ("-", "--", "-.")
"""A line style for each kind of iteration."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per α with a line per d, and a panel of the iterations that reach 95 % against d.

    Ratios are of each seed; shown are their mean and range. The iterations required, with intervals over
    resampled seeds, are :func:`analysis.iterations.depth_table`'s: dips of a count that has been there,
    down to 90 %, do not count; what is never reached is a triangle at the top. Grey is the law, with
    one constant for all. With ``finite_size``, dotted: the ratio of two predictions without a fit
    parameter, and the iterations that it requires. Coefficients, precisions and safeties differ in line
    style. The population batch, the last step and the first κ.
    """
    ratios, predicted = ratios_to_polar(grid, fits)
    alphas, depths = ratios.alpha.values, newton_schulz_depths(grid)
    figure, (*panels, last) = panel_grid(alphas.size + 1, 2.6)
    for axes, alpha in zip(panels, alphas, strict=True):
        axes.set_title(rf"$\alpha$ = {alpha:g}")
        expected = predicted.sel(alpha=alpha) if finite_size else None
        _ratios(axes, depths, ratios.sel(alpha=alpha), expected)
        if axes is not panels[0]:
            axes.sharey(panels[0])
        axes.tick_params(labelleft=at_left(axes))
        axes.set_ylabel("items, relative to polar map" if at_left(axes) else "")
    panels[0].set_ylim(0, max(1.05, panels[0].get_ylim()[1]))
    table = depth_table(grid, fits, LEVEL, DIP)
    _required(last, table, finite_size)
    letters(figure)
    handles, named = (axes.get_legend_handles_labels()[0] for axes in (panels[0], last))
    handles += sorted(named, key=lambda one: isinstance(one, Line2D))  # the law after the points
    if len(depths) > 1:
        handles += [
            handle(str(one), linestyle=line) for line, one in zip(LINES, depths, strict=False)
        ]
    handles += [prediction_handle()] if finite_size else []
    handles += seed_bars(grid, "ratios")
    if table.low.notna().any():
        handles += [
            bars_handle("iterations", "95\N{NO-BREAK SPACE}% interval over resampled seeds")
        ]
    shown = [name for depth in depths.values() for name in depth.values()]
    polar = fits.optimizer.values[fits.family == "muon"]
    here = ratios.sel(optimizer=[n for n in grid.optimizer.values if n in (*shown, *polar)])
    legend_below(figure, handles, left_out(grid, here))
    return figure


def _ratios(
    axes: Axes,
    depths: dict[Iteration, dict[int, str]],
    ratios: xr.DataArray,
    predicted: xr.DataArray | None,
) -> None:
    """Ratios over (d, optimizer, seed) of one α against the number of iterations.

    ``depths``: the optimizers, {iteration: {depth: name}}.
    """
    d = ratios.d.values
    for line, one in zip(LINES, depths.values(), strict=False):
        k, names = list(one), list(one.values())
        for i, size in enumerate(d):
            mean, bars = seed_range(ratios.isel(d=i).sel(optimizer=names).values)
            axes.errorbar(
                k,
                mean,
                bars,
                linestyle=line,
                elinewidth=0.8,
                label=f"$d$ = {size}" if line == LINES[0] else None,
                **d_style(size),
            )
            if predicted is not None:
                expected = predicted.isel(d=i).sel(optimizer=names)
                axes.plot(*short_if_one(k, expected), ":", color=d_style(size)["color"])
    axes.axhline(LEVEL, color="0.35", linewidth=0.8, zorder=1)
    note(axes, SHARE, (0, LEVEL), (2, 2), xycoords=("axes fraction", "data"))
    ticks = sorted({k for one in depths.values() for k in one})
    named_ticks(axes, ticks)
    axes.set_xlabel("iterations $k$")


def _required(axes: Axes, table: pd.DataFrame, finite_size: bool) -> None:
    """Iterations required against d with the law, a grey per α."""
    axes.set_title(f"Iterations to {SHARE}")
    axes.set_xlabel("dimension $d$")
    axes.set_ylabel("iterations $k$")
    if table.empty:
        return
    shown = ["required", "low", "high", *(["finite_size"] if finite_size else [])]
    measured = table[shown].to_numpy()
    finite = measured[np.isfinite(measured)]
    bottom, top = (finite.min() - 0.5, finite.max() + 0.5) if finite.size else (0.0, 1.0)
    kinds = table.groupby(list(Iteration._fields), sort=False)
    for line, (shared, rows) in zip(LINES, kinds, strict=False):
        for alpha in np.unique(rows.alpha):
            one = rows[rows.alpha == alpha]
            text = rf"$\alpha$ = {alpha:g}" if line == LINES[0] else None
            _iterations(axes, one, top, label=text, **alpha_style(alpha))
            axes.plot(*short_if_one(one.d, one.predicted), line, **GUIDE)
            if finite_size:
                expected = short_if_one(one.d, one.finite_size.where(np.isfinite(one.finite_size)))
                axes.plot(*expected, ":", color=alpha_style(alpha)["color"])
        a = Iteration(*shared).slope_at_zero
        slope = one.alpha / np.log(a)
        offset = (one.predicted - slope * np.log(one.d)).mean()
        if np.isfinite(offset):
            sign = "+" if offset >= 0 else "-"
            law = rf"$\alpha\,\ln d\,/\ln {a:g} {sign} {abs(offset):.2f}$"
            axes.plot([], [], line, **GUIDE, label=f"{law}, offset fitted")
    powers_of_two(axes, np.unique(table.d))
    axes.set_ylim(bottom, top + 0.3)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def _iterations(axes: Axes, table: pd.DataFrame, top: float, **style) -> None:
    """Those of one α with intervals; a triangle at ``top`` where they are never enough."""
    d, k = table.d.to_numpy(), table.required.to_numpy()
    some, never = np.isfinite(k), np.isinf(k)
    ends = table[["low", "high"]].to_numpy().T[:, some]
    bars = np.nan_to_num(np.abs(ends - k[some]), posinf=2 * top)
    axes.errorbar(d[some], k[some], bars, linestyle="", **style)
    axes.plot(d[never], np.full(never.sum(), top), "^", mfc="white", color=style["color"])
