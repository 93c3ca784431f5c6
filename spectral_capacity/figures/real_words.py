"""Items as frequent as real words: their frequencies, how many are stored, and the share that these make up.

Left, the frequencies and the power law fitted to their tail. Middle, words recalled after one population
step, with fitted exponents, their intervals over resampled seeds, and the theory's for a pure power law with
the tail's α. Right, the share of all occurrences that these words make up, in the same colours. Bars: range
over seeds. Dotted: prediction without a fit parameter.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from spectral_capacity.figures.parts.axes import powers_of_two, room_above
from spectral_capacity.figures.parts.common import (
    PAGE,
    configuration,
    frequencies,
    handle,
    plt,
    prediction_handle,
)
from spectral_capacity.figures.parts.curves import apart, counts_against_d, fit_text, seed_range
from spectral_capacity.figures.parts.looks import label, marker

KIND = "memory"
THEME = "Data"
SHOWS = "real_words"
NEEDS = ("population", "one step")


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
    figure, (words, items, mass) = plt.subplots(
        1, 3, figsize=(PAGE, 3.1), width_ratios=(1, 1.5, 0.95)
    )
    _frequencies(words, grid)
    for axes in (items, mass):
        powers_of_two(axes, grid.d.values)
        axes.set_xlabel("embedding dimension $d$")
    items.set_yscale("log")
    n = grid.optimizer.size
    for i, (optimizer, shift) in enumerate(zip(grid.optimizer.values, apart(n, 1.04), strict=True)):
        one = grid.sel(optimizer=optimizer)
        style = {"color": f"C{i}", "marker": marker(i), "shift": shift}
        _counts(items, one, fits.sel(optimizer=optimizer), finite_size, style)
        mean, bars = seed_range(one.recovered_mass.values)
        style = {"color": f"C{i}", "marker": marker(i), "elinewidth": 0.8}
        mass.errorbar(one.d.values * shift, mean, bars, **style)
    items.legend(loc="upper left", handlelength=1.2, handletextpad=0.3)
    items.set_ylabel("recovered items")
    room_above(items, 0.1 * n)
    mass.set_ylabel("share of occurrences recalled")
    mass.set_ylim(0, 1)
    mass.yaxis.set_major_formatter(PercentFormatter(1))
    handles = [handle("fitted power", linestyle="--", linewidth=0.9)]
    if finite_size:
        handles.append(prediction_handle(linewidth=1.4))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _frequencies(axes: Axes, grid: xr.Dataset) -> None:
    alpha, table = grid.alpha.item(), configuration(grid)["frequencies"]
    p = frequencies(grid, alpha)
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
    counts_against_d(axes, d, counts, exponent, label=text, **style)
    if finite_size:
        axes.plot(d, fits.predicted_capacity, ":", color=style["color"], linewidth=1.4)
