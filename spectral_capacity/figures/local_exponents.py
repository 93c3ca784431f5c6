r"""Local exponents of the capacity against the embedding dimension: measured, predicted, and in the limit.

Lines: :math:`\Delta\log` of the prediction without a fit parameter over :math:`\Delta\log d`, continued to
dimensions that no run reaches, for items of a power law without end. Points: the same of mean counts at
neighbouring dimensions. Grey dashes: the exponent that a theorem has, or for :math:`\kappa > 0` the theory. An
exponent fitted at a few hundred dimensions is that of no theorem.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from spectral_capacity.analysis.asymptotes import continued, exponent_in_the_limit, far_ends
from spectral_capacity.analysis.settings import FitSettings
from spectral_capacity.figures.parts.common import GUIDE, configuration, handle, prediction_handle
from spectral_capacity.figures.parts.legends import legend_below, resampled_bars
from spectral_capacity.figures.parts.looks import alpha_style, label, ordered, shades
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid

KIND = "memory"
THEME = "One step"
TITLE = "Local exponents"
SHOWS = {"one_step": "one_step", "anisotropy": "anisotropy", "thresholded": "thresholded"}
NEEDS = ("population",)

TITLES = {
    "one_step": "{}, one step",
    "anisotropy": r"{}, outputs $k^{{-\kappa}}$",
    "thresholded": "{}, robust prefix",
}
FROM_D = 32
POINTS = 8
"""Dimensions at which a prediction is asked for, from :data:`FROM_D` to where it is continued to."""
LINES = 3
"""Most values of α in a panel: the least, the largest and one between."""
SHOWN = (0.0, 2.5)
"""Of the axis of exponents."""


@dataclass(frozen=True)
class Line:
    """A line of a panel: its name and look, where it is in grids and fits, and which quantity."""

    name: str
    look: dict[str, Any]
    at: dict[str, Any]
    quantity: str = "capacity"


def plot(
    grids: Sequence[xr.Dataset], fits: Sequence[xr.Dataset], *, finite_size: bool = True
) -> Figure:
    """A panel per experiment and optimizer whose prediction can be continued; a line per α, κ or step.

    ``grids`` and ``fits`` are in the order of :data:`SHOWS`. At most :data:`LINES` values of α; the first
    and the last κ, at the first α. Without ``finite_size`` no predictions, and no prefixes, which are nothing
    else here.
    """
    panels = []
    for role, grid, of_grid in zip(SHOWS, grids, fits, strict=True):
        settings = FitSettings.of(configuration(of_grid))
        for name in grid.optimizer.values.tolist():
            shown = (
                _lines(role, name, grid, of_grid) if finite_size or role != "thresholded" else ()
            )
            lines = [line for line in shown if far_ends(line.quantity, line.at, settings)]
            if lines:
                panels.append((TITLES[role].format(label(name)), lines, of_grid, settings))
    figure, axes = panel_grid(max(len(panels), 1), 2.0, sharey=True)
    for one, (title, lines, of_grid, settings) in zip(axes, panels, strict=False):
        one.set_title(title, fontsize=8)
        for line in lines:
            if finite_size:
                _prediction(one, line, settings)
            _limit(one, line, settings)
            if line.quantity == "capacity":
                _measured(one, line, of_grid.sel(line.at))
        one.set_xscale("log")
        one.xaxis.set_minor_locator(NullLocator())
        one.set_ylim(*SHOWN)
        one.set_xlabel("dimension $d$")
        if at_left(one):
            one.set_ylabel(r"$\Delta\,\log\;/\;\Delta\,\log d$")
    letters(figure)
    named = {line.name: line.look for _, lines, _, _ in panels for line in lines}
    handles = [handle(name, **{"linestyle": ""} | look) for name, look in named.items()]
    handles += [
        *([prediction_handle()] if finite_size else []),
        handle("in the limit, by the theory", **GUIDE | {"linestyle": "--"}),
        *resampled_bars(fits[0]),
    ]
    legend_below(figure, handles)
    return figure


def _lines(role: str, name: str, grid: xr.Dataset, fits: xr.Dataset) -> Iterator[Line]:
    alphas, kappas = grid.alpha.values.tolist(), grid.kappa.values.tolist()
    at = {"optimizer": name, "kappa": 0.0, "batch_size": np.inf, "step": 1}
    if role == "one_step":
        for alpha in sorted({alphas[0], alphas[len(alphas) // 2], alphas[-1]})[:LINES]:
            yield Line(rf"$\alpha$ = {alpha:g}", alpha_style(alpha), at | {"alpha": alpha})
    elif role == "anisotropy":
        kappas = sorted({kappas[0], kappas[-1]})
        for kappa, look in zip(kappas, ordered(len(kappas)), strict=True):
            here = at | {"alpha": alphas[0], "kappa": kappa}
            yield Line(rf"$\kappa$ = {kappa:g}, $\alpha$ = {alphas[0]:g}", look, here)
    else:
        steps = [t for t in fits.step.values.tolist() if t > 1]
        for t, colour in zip(steps, shades(len(steps)), strict=True):
            look = {"color": colour, "linestyle": ":"}  # of which no points are shown
            here = at | {"alpha": alphas[0], "step": t}
            yield Line(f"{t} steps, thresholded", look, here, "robust_prefix")


def _prediction(axes: Axes, line: Line, settings: FitSettings) -> None:
    _, end = far_ends(line.quantity, line.at, settings)
    d = np.geomspace(FROM_D, end, POINTS)
    values = continued(line.quantity, line.at, settings, d)
    with np.errstate(divide="ignore", invalid="ignore"):  # a prefix that ends at once
        local = np.diff(np.log(values)) / np.diff(np.log(d))
    colour, middle = line.look["color"], np.sqrt(d[1:] * d[:-1])
    axes.plot(middle, np.where(np.isfinite(local), local, np.nan), ":", color=colour, linewidth=1.4)


def _limit(axes: Axes, line: Line, settings: FitSettings) -> None:
    _, end = far_ends(line.quantity, line.at, settings)
    limit = exponent_in_the_limit(line.quantity, line.at, settings)
    axes.plot([end / 30, end], [limit, limit], **GUIDE | {"linestyle": "--", "linewidth": 1.2})


def _measured(axes: Axes, line: Line, fits: xr.Dataset) -> None:
    exponent = fits.local_exponent
    ends = (fits.local_exponent_low, fits.local_exponent_high)
    bars = np.nan_to_num(np.abs(np.stack([end - exponent for end in ends])))
    style = line.look | {"linestyle": "", "markersize": 3, "elinewidth": 0.7}
    axes.errorbar(fits.interval, exponent, bars, **style)
