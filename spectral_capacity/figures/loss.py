"""Softmax loss after one step: against the number of recovered items, and of the worst item."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from spectral_capacity.figures.parts.common import (
    MARKERS,
    PAGE,
    configuration,
    label,
    plt,
    powers_of_two,
    seed_range,
)

WORST = {
    "worst_item_loss": ("--", 6.0, "white", "worst item, configured learning rate"),
    "best_worst_item_loss": ("-", 3.6, None, "worst item, rate of the least mean loss"),
}
"""Line, size and filling of the markers, and what it is. Where both are one a dot stands in a ring."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A column per α. Above, best loss against count m; below, worst item's loss over log N against d.

    Means over seeds with their ranges, for the population batch, the last step and the first κ; a colour
    per optimizer, a marker per d. Above, the band runs from m^(1−α), the theory up to logarithms, to
    log N times as much: about the loss when every item that is not recovered is guessed
    uniformly. "Best" is the least over the configured learning rates; others may do better. Below,
    1 is the loss of a uniform guess. ``fits`` and ``finite_size`` play no part.
    """
    log_n = math.log(configuration(grid)["n_items"])
    grid = grid.sel(batch_size=np.inf).isel(step=-1, kappa=0).transpose(..., "d", "seed")
    alphas = grid.alpha.values
    figure, panels = plt.subplots(
        2,
        alphas.size,
        figsize=(PAGE if alphas.size > 1 else 0.65 * PAGE, 5.0),
        squeeze=False,
        sharex="row",
        sharey="row",
    )
    for (above, below), alpha in zip(panels.T, alphas, strict=True):
        one = grid.sel(alpha=alpha)
        above.set_title(rf"$\alpha$ = {alpha:g}")
        _loss(above, one, log_n)
        _worst(below, one, log_n)
    panels[0, 0].set_ylabel("softmax loss, best learning rate")
    panels[1, 0].set_ylabel(r"loss of the worst item $/\;\log N$")
    panels[0, 0].legend(loc="lower left")
    style = {"linestyle": "", "color": "0.35"}
    sizes = [
        plt.Line2D([], [], marker=_marker(k), label=f"$d$ = {d}", **style)
        for k, d in enumerate(grid.d.values)
    ]
    panels[0, -1].legend(handles=sizes, loc="upper right", handletextpad=0.1)
    rates = [
        plt.Line2D([], [], linestyle=s, marker="o", ms=size, mfc=fill, color="0.35", label=text)
        for s, size, fill, text in WORST.values()
    ]
    guess = plt.Line2D([], [], color="0.6", linewidth=1.6, label="uniform guess")
    figure.legend(handles=[*rates, guess], loc="outside lower center", ncols=3, handlelength=2.4)
    return figure


def _marker(k: int) -> str:
    return MARKERS[k % len(MARKERS)]


def _points(axes: Axes, x: tuple, y: tuple, colour: str, *, size=3.6, fill=None) -> None:
    """A marker per d with (mean, range) of both coordinates; x may have no range."""
    (x, across), (y, along) = x, y
    for k in range(len(x)):
        axes.errorbar(
            x[[k]],
            y[[k]],
            along[:, [k]],
            None if across is None else across[:, [k]],
            fmt=_marker(k),
            color=colour,
            markersize=size,
            markerfacecolor=fill,
            elinewidth=0.8,
        )


def _loss(axes: Axes, grid: xr.Dataset, log_n: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    counts = grid.capacity.where(grid.capacity > 0)
    m = np.geomspace(np.fmax(counts.min(), 1), np.fmax(counts.max(), 2), 50)
    bound = m ** (1 - grid.alpha.item())
    axes.plot(m, bound, color="0.6", linewidth=1.6, label=r"$m^{1-\alpha}$")
    axes.fill_between(m, bound, log_n * bound, color="0.9", lw=0, label=r"up to $\log N$ times it")
    for i, optimizer in enumerate(grid.optimizer.values):
        one = grid.sel(optimizer=optimizer)
        x, y = seed_range(one.capacity.values), seed_range(one.best_loss.values)
        axes.plot(x[0], y[0], color=f"C{i}", linewidth=0.9, label=label(optimizer))
        _points(axes, x, y, f"C{i}")
    axes.set_xlabel("recovered items $m$")


def _worst(axes: Axes, grid: xr.Dataset, log_n: float) -> None:
    d = grid.d.values
    powers_of_two(axes, d)
    axes.set_yscale("log")
    axes.axhline(1, color="0.6", linewidth=1.6, zorder=1)
    apart = np.linspace(0.97, 1.03, grid.optimizer.size) if grid.optimizer.size > 1 else [1.0]
    for i, optimizer in enumerate(grid.optimizer.values):
        for name, (style, size, fill, _) in WORST.items():
            y = seed_range(grid[name].sel(optimizer=optimizer).values / log_n)
            axes.plot(d * apart[i], y[0], style, color=f"C{i}", linewidth=0.9)
            _points(axes, (d * apart[i], None), y, f"C{i}", size=size, fill=fill)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("embedding dimension $d$")
