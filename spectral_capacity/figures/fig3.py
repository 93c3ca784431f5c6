"""Figure 3: capacity against the batch size for every d, and the critical batch size against d."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.batches import (
    batch_axis,
    batch_curve,
    batch_prediction,
    mark_break,
)
from spectral_capacity.figures.parts.common import (
    MARKERS,
    PAGE,
    fitted_power,
    frequencies,
    label,
    plt,
    power_text,
    powers_of_two,
    room_above,
    shades,
)
from spectral_capacity.theory.predictions import items_seen

THEORY = {
    "muon": (r"$d^{\,\alpha+1/2}$", {"xytext": (6, -6), "va": "top"}),
    "gradient": (r"$d^{\,1/2}$", {"xytext": (0, 4), "ha": "center"}),
}


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
    _breaks(panels[-1], fits, finite_size)
    handles, _ = panels[0].get_legend_handles_labels()
    kinds = [
        ({"linewidth": 1.6, "color": "0.6"}, r"distinct items in batch, $\propto B^{1/\alpha}$"),
        ({"linestyle": "--"}, "population"),
        ({"linestyle": "", "marker": "*", "markersize": 7}, r"critical batch size $B^{\!*}$"),
    ]
    if finite_size:
        dotted = {"linestyle": ":", "marker": "o", "markerfacecolor": "white"}
        kinds.append((dotted, "prediction without a fit parameter"))
    handles += [plt.Line2D([], [], **{"color": "0.35"} | s, label=text) for s, text in kinds]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _curves(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, finite_size: bool) -> None:
    """Counts of one optimizer, levels of the population and breaks, a colour per d."""
    sizes, d, alpha = grid.batch_size.values, grid.d.values, grid.alpha.item()
    counts = grid.capacity.sel(optimizer=fits.optimizer.item())
    counts = counts.transpose("d", "batch_size", "seed").values
    infinity = batch_axis(axes, sizes)
    for i, colour in enumerate(shades(d.size)):
        style = {
            "marker": MARKERS[i % len(MARKERS)],
            "markersize": 3,
            "color": colour,
            "capsize": 0,
        }
        batch_curve(axes, sizes, counts[i], infinity, label=f"$d$ = {d[i]}", **style)
    for i, colour in enumerate(shades(d.size)):
        one = fits.isel(d=i)
        if not np.isinf(sizes).any():
            continue
        level = counts[i, -1].mean()
        critical = mark_break(axes, one, level, colour)
        start = critical if np.isfinite(critical) else sizes[0]
        axes.plot([start, infinity], [level, level], "--", color=colour, linewidth=0.8)
        if finite_size:
            batch_prediction(axes, one, sizes, infinity, color=colour)
    axes.set_ylim(axes.get_ylim())  # the line below may leave the axes
    p = frequencies(grid, alpha)
    smooth = np.geomspace(1, sizes[np.isfinite(sizes)].max(initial=1), 60)
    seen = [items_seen(p, size) for size in smooth]
    axes.plot(smooth, seen, color="0.6", linewidth=1.6, zorder=1)


def _breaks(axes: Axes, fits: xr.Dataset, finite_size: bool) -> None:
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
        one = fits.sel(optimizer=optimizer)
        critical = one.critical_batch_size.values
        ends = np.stack([one.critical_batch_size_low, one.critical_batch_size_high])
        powers = one.sel(quantity="critical_batch_size", batch_size=np.inf)
        text = label(optimizer, minibatches=True)
        for fit, name in (("ols", "all $d$"), ("largest", "largest $d$")):
            line = powers.sel(fit=fit)
            exponent, low, high = (line[n].item() for n in ("exponent", "boot_low", "boot_high"))
            if np.isfinite(exponent):
                text += f"\n{name}: {power_text(exponent, low, high)}"
        axes.vlines(d, *ends, color=f"C{i}", linewidth=1.2)
        axes.plot(d, critical, "*", markersize=7, color=f"C{i}", label=text)
        if finite_size:
            expected = one.predicted_critical_batch_size
            axes.plot(d, expected, "o:", markerfacecolor="white", color=f"C{i}", zorder=1)
        known = np.flatnonzero(np.isfinite(critical))
        if known.size == 0:
            continue
        fitted = powers.sel(fit="ols")
        style = {"linestyle": "--", "color": f"C{i}", "linewidth": 0.8}
        fitted_power(axes, d, critical, fitted.exponent.item(), **style)
        theory, last = fitted.theory.item(), known[-1]
        if np.isfinite(theory):
            parallel = critical[last] * (d / d[last]) ** theory
            axes.plot(d, parallel, color="0.6", linewidth=1.6, zorder=0)
            text, place = THEORY[one.family.item()]
            middle = np.sqrt(d[[0, -1]].prod()), np.sqrt(parallel[[0, -1]].prod())
            style = {"textcoords": "offset points", "color": "0.35", "fontsize": 7}
            axes.annotate(text, middle, **place, **style)
    axes.legend(loc="upper left")
    room_above(axes, 1.0)
