r"""Softmax loss after one population step, against the number of recovered items, and of the worst item.

**a**, **b** The mean at the best of the configured learning rates against the number :math:`m` of recovered
items; markers tell :math:`d`. The band begins at :math:`m^{1-\alpha}`, the theory up to logarithms (for Muon
a bound from above, for gradient descent from below), and ends at :math:`\log N \cdot m^{1-\alpha}`, about the
loss when all other items are guessed uniformly. **c**, **d** The largest loss of an item over :math:`\log N`
(natural logarithm); 1 is a uniform guess. Markers tell optimizers.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import plain_numbers, powers_of_two
from spectral_capacity.figures.parts.common import GUIDE, configuration, handle
from spectral_capacity.figures.parts.curves import apart, seed_range
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import d_style, label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_stacks
from spectral_capacity.figures.parts.zeros import mark_zeros

KIND = "memory"
THEME = "One step"
SHOWS = "loss"
NEEDS = ("population", "one step", "loss")

WORST = {
    "worst_item_loss": ("--", 7.5, "white", "worst item, configured learning rate"),
    "best_worst_item_loss": ("-", 3.2, None, "worst item, rate of the least mean loss"),
}
"""Line, size and filling of the markers, and what it is. Where both are one a dot stands in a ring."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A column per α. Above, best loss against count m; below, worst item's loss over log N against d.

    Means over seeds with their ranges, for the population batch, the last step and the first κ; a colour
    per optimizer; above a marker per d. There the band runs from m^(1−α), the theory up to logarithms, to
    log N times as much: about the loss when every item that is not recovered is guessed
    uniformly. "Best" is the least over the configured learning rates; others may do better. Below,
    1 is the loss of a uniform guess. ``fits`` and ``finite_size`` play no part.
    """
    log_n = math.log(configuration(grid)["n_items"])
    here = grid.sel(batch_size=np.inf).isel(step=-1, kappa=0)
    here = here.sortby("d").transpose(..., "d", "seed")
    alphas = here.alpha.values
    figure, above, below = panel_stacks(alphas.size, (2.4, 2.0))
    for axes, alpha in zip(above, alphas, strict=True):
        axes.set_title(rf"$\alpha$ = {alpha:g}")
        axes.set_ylabel("softmax loss, best rate" if at_left(axes) else "")
        _loss(axes, here.sel(alpha=alpha), log_n)
    for axes, alpha in zip(below, alphas, strict=True):
        if axes is not below[0]:
            axes.sharey(below[0])
        axes.set_ylabel(r"worst loss $/\;\log N$" if at_left(axes) else "")
        _worst(axes, here.sel(alpha=alpha), log_n)
        axes.tick_params(labelleft=at_left(axes))
    letters(figure)
    names = here.optimizer.values
    handles = [handle(label(name), **optimizer_style(name)) for name in names]
    in_grey = {"linestyle": "", "color": "0.35"}
    handles += [handle(f"$d$ = {d}", **d_style(d) | in_grey) for d in here.d.values]
    handles += above[0].get_legend_handles_labels()[0]
    for line, size, fill, text in WORST.values():
        handles.append(handle(text, linestyle=line, marker="o", ms=size, mfc=fill))
    handles += [handle("uniform guess", **GUIDE), *seed_bars(grid)]
    legend_below(figure, handles, left_out(grid, here), handlelength=2.4)
    return figure


def _loss(axes: Axes, grid: xr.Dataset, log_n: float) -> None:
    """Loss against count with the range of both, a marker per d, and the theory's band."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    counts = grid.capacity.where(grid.capacity > 0)
    m = np.geomspace(np.fmax(counts.min(), 1), np.fmax(counts.max(), 2), 50)
    bound = m ** (1 - grid.alpha.item())
    axes.plot(m, bound, **GUIDE, label=r"$m^{1-\alpha}$")
    axes.plot(m, log_n * bound, "--", **GUIDE, label=r"$\log N\cdot m^{\,1-\alpha}$")
    axes.fill_between(m, bound, log_n * bound, color="0.93", lw=0, zorder=0)
    for name in grid.optimizer.values:
        one, colour = grid.sel(optimizer=name), optimizer_style(name)["color"]
        (x, across), (y, along) = map(seed_range, (one.capacity.values, one.best_loss.values))
        axes.plot(x, y, color=colour, linewidth=0.9)
        mark_zeros(axes, y, one.capacity.values, colour, of="x")
        for k, d in enumerate(grid.d.values):
            style = {"color": colour, "marker": d_style(d)["marker"], "elinewidth": 0.8}
            axes.errorbar(x[[k]], y[[k]], along[:, [k]], across[:, [k]], linestyle="", **style)
    axes.set_xlabel("recovered items $m$")


def _worst(axes: Axes, grid: xr.Dataset, log_n: float) -> None:
    """The worst item at both learning rates, optimizers side by side."""
    d, n = grid.d.values, grid.optimizer.size
    powers_of_two(axes, d)
    axes.set_yscale("log")
    axes.axhline(1, **GUIDE)
    for name, shift in zip(grid.optimizer.values, apart(n, 1.03), strict=True):
        for variable, (line, size, fill, _) in WORST.items():
            mean, bars = seed_range(grid[variable].sel(optimizer=name).values / log_n)
            style = {"linestyle": line, "markersize": size, "markerfacecolor": fill}
            style |= optimizer_style(name) | {"linewidth": 0.9, "elinewidth": 0.8}
            axes.errorbar(d * shift, mean, bars, **style)
    plain_numbers(axes, (1, 2, 5))
    axes.set_xlabel("embedding dimension $d$")
