r"""Items stored with Newton–Schulz iterations in low precision, relative to the exact polar map.

Ratios of the same seed. Vertical lines: the depth :math:`\ln(\sqrt d/\varepsilon)/\ln a` at which iterations
lift rounding errors too, :math:`\varepsilon` being their norm over that of the gradient and :math:`a` the slope
of the polynomial at zero. Last panel: shares at the largest depth against :math:`d` over the dimension
:math:`d_u` at which errors fill as much of the spectrum as items do; grey: the law, without a fit parameter.
Law and vertical lines are for Jordan's coefficients. Dotted: prediction without a fit parameter.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.analysis.iterations import Iteration, newton_schulz_depths
from spectral_capacity.figures.parts.axes import named_ticks
from spectral_capacity.figures.parts.common import GUIDE, handle, prediction_handle
from spectral_capacity.figures.parts.curves import seed_range, short_if_one
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import alpha_style, ordered
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.ratios import ratios_to_polar
from spectral_capacity.theory.rounding import deepest, noise_level, share_kept, wall

KIND = "memory"
TITLE = "Newton–Schulz precision"
THEME = "Optimizers"
SHOWS = None
NEEDS = ("population", "one step", "polar")

PRECISIONS = ("float64", "float32", "float16", "bfloat16")
LINES = {"float32": "--"}
"""Of what would hide another line."""
FROM, TO = 1 / 30, 60.0
"""d/d_u of the last panel."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per (α, d) with a line per precision against the depth, and one of all at the largest depth.

    Shown are the mean and range of each seed's ratio, at the population batch, the last step and the first κ,
    with one style for each combination of coefficients, precision and safety. The last panel is there where
    Jordan's coefficients are in a precision below float64, and shows d/d_u from :data:`FROM` to :data:`TO`.
    Dotted with ``finite_size``: the ratio of two predictions.
    """
    ratios, predicted = ratios_to_polar(grid, fits)
    depths = newton_schulz_depths(grid)
    kinds = sorted(
        depths, key=lambda kind: (kind.coefficients, PRECISIONS.index(kind.precision), kind)
    )
    style = dict(zip(kinds, ordered(len(kinds)), strict=True))
    limited = [kind for kind in kinds if _has_law(kind)]
    places = [(alpha, d) for alpha in ratios.alpha.values for d in ratios.d.values]
    figure, panels = panel_grid(len(places) + bool(limited), 1.9)
    for (alpha, d), axes in zip(places, panels, strict=False):
        axes.set_title(rf"$\alpha$ = {alpha:g}, $d$ = {d}")
        here = {"alpha": alpha, "d": d}
        for kind in kinds:
            one, names = style[kind], {"optimizer": [*depths[kind].values()]}
            k, line = [*depths[kind]], LINES.get(kind.precision, "-")
            mean, bars = seed_range(ratios.sel(here | names).transpose("optimizer", "seed").values)
            axes.errorbar(k, mean, bars, linestyle=line, elinewidth=0.8, label=_name(kind), **one)
            if finite_size:
                axes.plot(*short_if_one(k, predicted.sel(here | names)), ":", color=one["color"])
            if kind in limited:
                top = deepest(int(d), noise_level(kind.precision), kind.slope_at_zero)
                if top <= max(k):
                    axes.axvline(top, color=one["color"], linewidth=0.8, zorder=1)
        named_ticks(axes, sorted({k for one in depths.values() for k in one}))
        axes.set_xlabel("iterations $k$")
        if axes is not panels[0]:
            axes.sharey(panels[0])
        axes.tick_params(labelleft=at_left(axes))
        axes.set_ylabel("share of polar map's items" if at_left(axes) else "")
    panels[0].set_ylim(0, max(1.05, panels[0].get_ylim()[1]))
    handles = panels[0].get_legend_handles_labels()[0]
    if limited:
        points = [point for kind in limited for point in _deepest(ratios, kind, depths[kind])]
        _against_wall(panels[-1], ratios.alpha.values, points, style)
        handles += [
            handle(rf"$\alpha$ = {alpha:g}", linestyle="", marker=alpha_style(alpha)["marker"])
            for alpha in ratios.alpha.values
        ]
        handles += [handle(r"law of $d/d_u$", **GUIDE)]
    letters(figure)
    handles += [prediction_handle()] if finite_size else []
    shown = [name for depth in depths.values() for name in depth.values()]
    polar = fits.optimizer.values[fits.family == "muon"]
    here = ratios.sel(optimizer=[n for n in grid.optimizer.values if n in (*shown, *polar)])
    legend_below(figure, handles + seed_bars(grid), left_out(grid, here))
    return figure


def _name(kind: Iteration) -> str:
    return f"{kind}, float64" if kind.precision == "float64" else str(kind)


def _has_law(kind: Iteration) -> bool:
    return kind.coefficients == "jordan" and kind.precision != "float64"


def _deepest(
    ratios: xr.DataArray, kind: Iteration, names: dict[int, str]
) -> Iterator[tuple[Iteration, float, float, np.ndarray]]:
    """(kind, α, d/d_u, shares of the seeds) at the largest depth."""
    for alpha in ratios.alpha.values.tolist():
        for d in ratios.d.values.tolist():
            x = d / wall(alpha, noise_level(kind.precision))
            if FROM <= x <= TO:
                sample = ratios.sel(alpha=alpha, d=d, optimizer=names[max(names)])
                yield kind, alpha, x, sample.values


def _against_wall(axes: Axes, alphas: np.ndarray, points: list, style: dict) -> None:
    """Shares at the largest depth against d/d_u, and the law of each α."""
    axes.set_title("largest $k$")
    x = np.geomspace(FROM, TO, 60)
    for alpha in alphas.tolist():
        noise = noise_level("bfloat16")  # any: the law is one of d/d_u
        at = wall(alpha, noise)
        axes.plot(x, [share_kept(alpha, one * at, noise) for one in x], **GUIDE)
    for kind, alpha, where, sample in points:
        mean, bars = seed_range(sample[None])
        look = {"color": style[kind]["color"], "marker": alpha_style(alpha)["marker"]}
        axes.errorbar([where], mean, bars, linestyle="", elinewidth=0.8, **look)
    axes.set_xscale("log")
    axes.set_ylim(0, 1.05)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("$d/d_u$")
    axes.set_ylabel("share of polar map's items" if at_left(axes) else "")
