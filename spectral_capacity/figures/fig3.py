"""Items stored after one step against the batch size, and the critical batch size B* against the dimension.

Bars: range over seeds; of B*, interval over resampled seeds. Grey left and middle: expected number of
distinct items in the batch; right: slope of the theory, through the largest d. Dashed: mean of the
population, and powers of d fitted to B*. Dotted, from the circles on: predictions without a fit parameter (of
SGD, the population's only). Near 2 B*, a minibatch stores more than the population does.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import note, powers_of_two, room_above
from spectral_capacity.figures.parts.batches import (
    batch_axis,
    batch_curve,
    batch_prediction,
    distinct_items,
    population_level,
)
from spectral_capacity.figures.parts.common import GUIDE, PAGE, handle, plt, prediction_handle
from spectral_capacity.figures.parts.curves import fitted_power, power_text
from spectral_capacity.figures.parts.looks import label, marker, shades

KIND = "memory"
THEME = "Batches"
SHOWS = "minibatch"
NEEDS = ("population", "one step", "batches")

THEORY = {
    "muon": (r"$d^{\,\alpha+1/2}$", (6, -6), {"va": "top"}),
    "gradient": (r"$d^{\,1/2}$", (0, 4), {"ha": "center"}),
}
"""By family: the power, and where it is written beside the middle of its line."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A panel per optimizer with a line per d, and a panel of critical batch sizes B*; the first α.

    Counts are means with their range over seeds, the population at ∞ with its mean dashed back to B*. Stars
    are B* with their intervals over resampled seeds, where line and plateau cross; a curve without an
    identified break has none. Grey is the expected number of distinct items in a batch, for frequencies
    that are a power law. With ``finite_size``, predictions without a fit parameter: open circles are the
    batches that hold as many items as the population's predicted capacity, dotted the capacities from
    there on (of SGD the population's only). The last step and the first κ.
    """
    grid = grid.sortby(["d", "batch_size"]).isel(alpha=0, kappa=0, step=-1)
    fits = fits.sortby("d").isel(alpha=0, kappa=0, step=-1)
    optimizers = grid.optimizer.values
    figure, panels = plt.subplots(1, len(optimizers) + 1, figsize=(PAGE, 3.1))
    for axes, optimizer in zip(panels, optimizers, strict=False):
        axes.set_title(f"One {label(optimizer, minibatches=True)} step")
        _curves(axes, grid, fits.sel(optimizer=optimizer), finite_size)
    panels[0].set_ylabel("recovered items")
    _critical_sizes(panels[-1], fits, finite_size)
    handles, _ = panels[0].get_legend_handles_labels()
    handles += [
        handle(r"distinct items in batch, $\propto B^{1/\alpha}$", **GUIDE),
        handle("population", linestyle="--"),
        handle(r"critical batch size $B^{\!*}$", linestyle="", marker="*", markersize=7),
    ]
    if finite_size:
        handles.append(prediction_handle(marker="o", markerfacecolor="white"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _curves(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, finite_size: bool) -> None:
    """Counts of one optimizer, levels of the population and critical sizes, a colour per d."""
    sizes, d = grid.batch_size.values, grid.d.values
    counts = grid.capacity.sel(optimizer=fits.optimizer.item())
    counts = counts.transpose("d", "batch_size", "seed").values
    infinity = batch_axis(axes, sizes)
    for i, colour in enumerate(shades(d.size)):
        style = {"marker": marker(i), "markersize": 3, "color": colour, "capsize": 0}
        batch_curve(axes, sizes, counts[i], infinity, label=f"$d$ = {d[i]}", **style)
    if np.isinf(sizes).any():
        for i, colour in enumerate(shades(d.size)):
            one = fits.isel(d=i)
            population_level(axes, one, sizes, counts[i, -1].mean(), infinity, colour)
            if finite_size:
                batch_prediction(axes, one, sizes, infinity, color=colour)
    axes.set_ylim(axes.get_ylim())  # the line below may leave the axes
    distinct_items(axes, grid)


def _critical_sizes(axes: Axes, fits: xr.Dataset, finite_size: bool) -> None:
    """B* against d with intervals, fitted powers of d and the theory's."""
    d = fits.d.values
    axes.set_title(rf"Critical batch size, $\alpha$ = {fits.alpha.item():g}")
    axes.set_ylabel(r"$B^{\!*}$")
    axes.set_xlabel("embedding dimension $d$")
    powers_of_two(axes, d)
    axes.set_yscale("log")
    if "critical_batch_size" not in fits:
        return
    for i, optimizer in enumerate(fits.optimizer.values):
        one, colour = fits.sel(optimizer=optimizer), f"C{i}"
        powers = one.sel(quantity="critical_batch_size", batch_size=np.inf)
        critical = one.critical_batch_size.values
        axes.vlines(
            d,
            one.critical_batch_size_low,
            one.critical_batch_size_high,
            color=colour,
            linewidth=1.2,
        )
        axes.plot(d, critical, "*", markersize=7, color=colour, label=_powers_text(powers))
        if finite_size:
            expected = one.predicted_critical_batch_size
            axes.plot(d, expected, "o:", markerfacecolor="white", color=colour, zorder=1)
        fitted = powers.sel(fit="ols")
        style = {"linestyle": "--", "color": colour, "linewidth": 0.8}
        fitted_power(axes, d, critical, fitted.exponent.item(), **style)
        _theory(axes, d, critical, fitted)
    axes.legend(loc="upper left")
    room_above(axes, 1.0)


def _powers_text(powers: xr.Dataset) -> str:
    """The optimizer and both fitted powers of d; a power that is not known is left out."""
    text = label(powers.optimizer.item(), minibatches=True)
    for fit, name in (("ols", "all $d$"), ("largest", "largest $d$")):
        line = powers.sel(fit=fit)
        if np.isfinite(line.exponent):
            text += f"\n{name}: {power_text(line)}"
    return text


def _theory(axes: Axes, d: np.ndarray, critical: np.ndarray, fitted: xr.Dataset) -> None:
    """The theory's power of d, through the known critical size at the largest d."""
    theory, known = fitted.theory.item(), np.flatnonzero(np.isfinite(critical))
    if np.isfinite(theory) and known.size:
        last = known[-1]
        parallel = critical[last] * (d / d[last]) ** theory
        axes.plot(d, parallel, **GUIDE | {"zorder": 0})
        text, offset, place = THEORY[fitted.family.item()]
        middle = np.sqrt(d[[0, -1]].prod()), np.sqrt(parallel[[0, -1]].prod())
        note(axes, text, middle, offset, **place)
