r"""Softmax loss after one population step, against the number of recovered items, and of the worst item.

Above, the mean at the best of the configured learning rates against the number m of recovered items. The band
begins at m\ :sup:`1−α`, the theory up to logarithms (for Muon a bound from above, for gradient descent from
below), and ends at log N times it, about the loss when all other items are guessed uniformly. Below, the
largest loss of an item over log N; 1 is a uniform guess. Bars: range over seeds.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import plain_numbers, powers_of_two
from spectral_capacity.figures.parts.common import GUIDE, PAGE, configuration, handle, plt
from spectral_capacity.figures.parts.curves import seed_range
from spectral_capacity.figures.parts.looks import label, marker

KIND = "memory"
THEME = "One step"
SHOWS = "loss"
NEEDS = ("population", "one step", "loss")

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
    size = (PAGE if alphas.size > 1 else 0.65 * PAGE, 5.0)
    shape = {"figsize": size, "squeeze": False, "sharex": "row", "sharey": "row"}
    figure, panels = plt.subplots(2, alphas.size, **shape)
    for (above, below), alpha in zip(panels.T, alphas, strict=True):
        one = grid.sel(alpha=alpha)
        above.set_title(rf"$\alpha$ = {alpha:g}")
        _loss(above, one, log_n)
        _worst(below, one, log_n)
    panels[0, 0].set_ylabel("softmax loss, best learning rate")
    panels[1, 0].set_ylabel(r"loss of the worst item $/\;\log N$")
    panels[0, 0].legend(loc="lower left")
    sizes = [
        handle(f"$d$ = {d}", linestyle="", marker=marker(k)) for k, d in enumerate(grid.d.values)
    ]
    panels[0, -1].legend(handles=sizes, loc="upper right", handletextpad=0.1)
    rates = [
        handle(text, linestyle=line, marker="o", ms=size, mfc=fill)
        for line, size, fill, text in WORST.values()
    ]
    handles = [*rates, handle("uniform guess", **GUIDE)]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=2.4)
    return figure


def _points(axes: Axes, x: tuple, y: tuple, colour: str, *, size=3.6, fill=None) -> None:
    """A marker per d with (mean, range) of both coordinates; x may have no range."""
    (x, across), (y, along) = x, y
    for k in range(len(x)):
        axes.errorbar(
            x[[k]],
            y[[k]],
            along[:, [k]],
            None if across is None else across[:, [k]],
            fmt=marker(k),
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
    axes.axhline(1, **GUIDE)
    shift = np.linspace(0.97, 1.03, grid.optimizer.size) if grid.optimizer.size > 1 else [1.0]
    for i, optimizer in enumerate(grid.optimizer.values):
        for name, (line, size, fill, _) in WORST.items():
            y = seed_range(grid[name].sel(optimizer=optimizer).values / log_n)
            axes.plot(d * shift[i], y[0], line, color=f"C{i}", linewidth=0.9)
            _points(axes, (d * shift[i], None), y, f"C{i}", size=size, fill=fill)
    plain_numbers(axes, (1, 2, 5))
    axes.set_xlabel("embedding dimension $d$")
