r"""Items stored after one step against the batch size, and the critical batch size B* against the dimension.

**a**, **b** Grey: expected number of distinct items in the batch. Stars: critical batch size :math:`B^*`, with
its interval over resampled seeds. **c** :math:`B^*` against :math:`d`, fitted powers over all :math:`d` with
their intervals over resampled seeds, and the slope of the theory: :math:`d^{\alpha+1/2}` for Muon and
:math:`d^{1/2}` for SGD. Dotted, from the open circles on: predictions without a fit parameter (of SGD, the
population's only). Near :math:`2 B^*`, a minibatch stores more than the population does.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.axes import count_axis, powers_of_two
from spectral_capacity.figures.parts.batches import (
    batch_axis,
    batch_curve,
    batch_handles,
    batch_prediction,
    distinct_items,
    population_level,
)
from spectral_capacity.figures.parts.common import GUIDE, handle
from spectral_capacity.figures.parts.curves import fit_text, fitted_power, shown_fit
from spectral_capacity.figures.parts.legends import left_out, legend_below
from spectral_capacity.figures.parts.looks import d_style, label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid

KIND = "memory"
THEME = "Batches"
SHOWS = "minibatch"
NEEDS = ("population", "one step", "batches")


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per optimizer with a line per d, and a panel of critical batch sizes B*; the first α.

    Counts are means with their range over seeds, on one axis for all optimizers; the population at ∞ with
    its mean dashed back to B*. Stars are B* with their intervals over resampled seeds, where line and
    plateau cross; a curve without an identified break has none. Grey is the expected number of distinct
    items in a batch, for frequencies that are a power law. With ``finite_size``, predictions without a fit
    parameter: open circles are the batches that hold as many items as the population's predicted
    capacity, dotted the capacities from there on (of SGD the population's only). The last step and the
    first κ.
    """
    here = grid.sortby(["d", "batch_size"]).isel(alpha=0, kappa=0, step=-1)
    fits = fits.sortby("d").isel(alpha=0, kappa=0, step=-1)
    names = here.optimizer.values
    figure, panels = panel_grid(names.size + 1, 2.9)
    for axes, name in zip(panels, names, strict=False):
        if axes is not panels[0]:
            axes.sharey(panels[0])
        axes.tick_params(labelleft=at_left(axes))
        axes.set_title(label(name, minibatches=True))
        if at_left(axes):
            axes.set_ylabel("recovered items")
        _curves(axes, here, fits.sel(optimizer=name), finite_size)
    panels[0].set_ylim(panels[0].get_ylim())  # the lines below may leave the axes
    for axes in panels[:-1]:
        distinct_items(axes, here)
    _critical_sizes(panels[-1], fits, finite_size)
    letters(figure)
    handles, _ = panels[0].get_legend_handles_labels()
    handles += batch_handles(grid, fits, finite_size) + _fits(fits)
    legend_below(figure, handles, left_out(grid, here))
    return figure


def _curves(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, finite_size: bool) -> None:
    """Counts of one optimizer, levels of the population and critical sizes, a colour per d."""
    sizes, every_d = grid.batch_size.values, grid.d.values
    counts = grid.capacity.sel(optimizer=fits.optimizer.item())
    counts = counts.transpose("d", "batch_size", "seed").values
    infinity = batch_axis(axes, sizes)
    for d, one in zip(every_d, counts, strict=True):
        style = d_style(d) | {"markersize": 3, "capsize": 0}
        batch_curve(axes, sizes, one, infinity, label=f"$d$ = {d}", **style)
    if np.isinf(sizes).any():
        for d, level in zip(every_d, counts[:, -1].mean(axis=1), strict=True):
            one, colour = fits.sel(d=d), d_style(d)["color"]
            population_level(axes, one, sizes, level, infinity, colour)
            if finite_size:
                batch_prediction(axes, one, sizes, infinity, color=colour)


def _critical_sizes(axes: Axes, fits: xr.Dataset, finite_size: bool) -> None:
    """B* against d with intervals, fitted powers of d and the theory's."""
    d = fits.d.values
    axes.set_title(rf"$B^{{\!*}}$, $\alpha$ = {fits.alpha.item():g}")
    axes.set_ylabel(r"critical batch size $B^{\!*}$")
    axes.set_xlabel("dimension $d$")
    powers_of_two(axes, d)
    count_axis(axes)
    if "critical_batch_size" not in fits:
        return
    for name in fits.optimizer.values:
        one, style = fits.sel(optimizer=name), optimizer_style(name)
        power, critical = _power(one), one.critical_batch_size.values
        ends = one.critical_batch_size_low, one.critical_batch_size_high
        axes.vlines(d, *ends, color=style["color"], linewidth=1.2)
        axes.plot(d, critical, linestyle="", **style)
        line = {"linestyle": "--", "color": style["color"], "linewidth": 0.9}
        fitted_power(axes, d, critical, power.exponent.item(), **line)
        fitted_power(axes, d, critical, power.theory.item(), **GUIDE)
        if finite_size:
            expected = one.predicted_critical_batch_size.values
            axes.plot(d, expected, ":", markerfacecolor="white", zorder=1, **style)


def _power(fits: xr.Dataset) -> xr.Dataset:
    """What was fitted to one optimizer's B* over all d."""
    return shown_fit(fits.sel(quantity="critical_batch_size", batch_size=np.inf))


def _fits(fits: xr.Dataset) -> list[Line2D]:
    """The legend's entries of the last panel: the fitted powers and the theory's."""
    if "critical_batch_size" not in fits:
        return []
    handles = []
    for name in fits.optimizer.values:
        text = f"{label(name, minibatches=True)}: {fit_text(_power(fits.sel(optimizer=name)))}"
        handles.append(handle(text, linestyle="--", **optimizer_style(name)))
    return [*handles, handle("slope of the theory", **GUIDE)] if fits.d.size > 1 else []
