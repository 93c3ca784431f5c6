"""Items with the frequencies of real words: the frequencies, what is stored, and what that recalls."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from spectral_capacity.figures.parts.common import (
    MARKERS,
    PAGE,
    apart,
    configuration,
    counts_against_d,
    fit_text,
    label,
    plt,
    powers_of_two,
    room_above,
    seed_range,
)
from spectral_capacity.sampling.frequencies import item_frequencies


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Frequencies against rank with the fitted tail; counts and recovered mass against d.

    The table is the one that the grid's provenance names, read relative to the current folder. Dashed
    in the first panel is rank^(−α) with the grid's α, as high as the tail is on average in log rank.
    A grid of a power law, which no table is behind, shows that.
    Means over seeds with their range; dashed powers are fits of the mean ("ols"), with intervals over
    resampled seeds, dotted is the parameter-free prediction when ``finite_size``. The theory's
    exponents are those of a pure power law with that α. Shows the population batch, the last step and
    the first κ; not which words are recalled.
    """
    grid = grid.sel(batch_size=np.inf).isel(step=-1, kappa=0, alpha=0).transpose(..., "d", "seed")
    fits = fits.sel(batch_size=np.inf).isel(step=-1, kappa=0, alpha=0)
    figure, panels = plt.subplots(1, 3, figsize=(PAGE, 3.1), width_ratios=(1, 1.5, 0.95))
    words, items, mass = panels
    _frequencies(words, configuration(grid), grid.alpha.item())
    for axes in (items, mass):
        powers_of_two(axes, grid.d.values)
        axes.set_xlabel("embedding dimension $d$")
    items.set_yscale("log")
    n = grid.optimizer.size
    shift = apart(n, 1.04)
    for i, optimizer in enumerate(grid.optimizer.values):
        style = {"colour": f"C{i}", "marker": MARKERS[i % len(MARKERS)], "shift": shift[i]}
        one = grid.sel(optimizer=optimizer)
        _counts(items, one, fits.sel(optimizer=optimizer), finite_size, style)
        mean, spread = seed_range(one.recovered_mass.values)
        marks = {"color": style["colour"], "marker": style["marker"], "elinewidth": 0.8}
        mass.errorbar(one.d.values * shift[i], mean, spread, **marks)
    items.legend(loc="upper left", handlelength=1.2, handletextpad=0.3)
    items.set_ylabel("recovered items")
    room_above(items, 0.1 * n)
    mass.set_ylabel("share of occurrences recalled")
    mass.set_ylim(0, 1)
    mass.yaxis.set_major_formatter(PercentFormatter(1))
    kinds = [("--", 0.9, "fitted power")]
    if finite_size:
        kinds.append((":", 1.4, "prediction without a fit parameter"))
    handles = [
        plt.Line2D([], [], linestyle=style, linewidth=width, color="0.35", label=text)
        for style, width, text in kinds
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _frequencies(axes: Axes, settings: dict, alpha: float) -> None:
    table = settings["frequencies"]
    p = item_frequencies(settings["n_items"], alpha, table and table["file"])
    ranks = np.unique(np.geomspace(1, p.size, 400).astype(int))
    axes.plot(ranks, p[ranks - 1], color="black", label="words" if table else "items")
    if table:
        tail = ranks[ranks >= table["tail_from"]]
        constant = np.exp(np.log(p[tail - 1]).mean() + alpha * np.log(tail).mean())
        text = rf"rank$^{{-{alpha:.2f}}}$, ranks $\geq$ {table['tail_from']}"
        axes.plot(tail, constant * tail**-alpha, "--", color="C3", label=text)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("rank")
    axes.set_ylabel("share of all occurrences")
    axes.legend(loc="lower left", handlelength=1.2, handletextpad=0.4)


def _counts(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, finite_size: bool, style: dict) -> None:
    power = fits.sel(quantity="capacity", fit="ols")
    d, counts, exponent = grid.d.values, grid.capacity.values, power.exponent.item()
    text = f"{label(grid.optimizer.item())}: {fit_text(power)}"
    counts_against_d(axes, d, counts, exponent, label=text, linewidth=0.9, **style)
    if finite_size:
        axes.plot(d, fits.predicted_capacity, ":", color=style["colour"], linewidth=1.4)
