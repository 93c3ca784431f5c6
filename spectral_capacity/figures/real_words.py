r"""Items as frequent as real words: their frequencies, how many are stored, and the share that these make up.

**a** The frequencies and the power law fitted to their tail; markers: as many ranks as items are stored, at
each :math:`d`. **b** Words recalled after one population step, with fitted powers of :math:`d` and, in
brackets, their intervals over resampled seeds. Grey: the slope of the theory for a pure power law with the
tail's :math:`\alpha`, over the :math:`d` at which more items are stored than there are ranks before the tail;
whoever stores fewer has none, since his items lie where frequencies fall more slowly. **c** The share of all
occurrences that these words make up. Dotted: prediction without a fit parameter.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from spectral_capacity.figures.parts.axes import count_axis, powers_of_two
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import (
    GUIDE,
    PAGE,
    configuration,
    frequencies,
    handle,
    plt,
    prediction_handle,
)
from spectral_capacity.figures.parts.curves import (
    apart,
    counts_against_d,
    fit_text,
    fitted_power,
    over,
    power_text,
    seed_range,
    shown_fit,
)
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import label, optimizer_style
from spectral_capacity.figures.parts.panels import letters

KIND = "memory"
THEME = "Data"
SHOWS = "real_words"
NEEDS = ("population", "one step")

THEORY = "theory"
"""The gid of lines of the theory."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Frequencies against rank with the fitted tail; counts and recovered mass against d.

    The table is the one that the grid's provenance names, read relative to the current folder. Dashed
    in the first panel is rank^(−α) with the grid's α, as high as the tail is on average in log rank.
    A grid of a power law, which no table is behind, shows that.
    Means over seeds with their range; dashed powers are fits of the mean ("ols"), with intervals over
    resampled seeds, dotted is the parameter-free prediction when ``finite_size``. The theory's
    exponents are those of a pure power law with that α; they are drawn and written where two means or more
    lie beyond the first rank of the tail. Shows the population batch, the last step and
    the first κ; not which words are recalled.
    """
    here = grid.sel(batch_size=np.inf).isel(step=-1, kappa=0, alpha=0)
    here = here.sortby("d").transpose(..., "d", "seed")
    fits = fits.sortby("d").sel(batch_size=np.inf).isel(step=-1, kappa=0, alpha=0)
    names = here.optimizer.values
    shape = {"figsize": (PAGE, 2.5), "width_ratios": (1, 1.2, 1.1)}
    figure, (words, items, mass) = plt.subplots(1, 3, **shape)
    first = _frequencies(words, here)
    for axes in (items, mass):
        powers_of_two(axes, here.d.values)
        axes.set_xlabel("dimension $d$")
    count_axis(items)
    for name, shift in zip(names, apart(names.size, 1.04), strict=True):
        one = here.sel(optimizer=name)
        _counts(items, one, fits.sel(optimizer=name), first, finite_size, shift)
        mean, bars = seed_range(one.recovered_mass.values)
        mass.errorbar(one.d.values * shift, mean, bars, elinewidth=0.8, **optimizer_style(name))
    items.set_ylabel("recovered items")
    mass.set_ylabel("share of occurrences recalled")
    mass.yaxis.set_major_formatter(PercentFormatter(1, symbol="\N{NO-BREAK SPACE}%"))
    letters(figure)
    handles = items.get_legend_handles_labels()[0]
    if here.d.size > 1:
        handles.append(handle(f"power fitted {over(here.d)}", linestyle="--", linewidth=0.9))
    if any(line.get_gid() == THEORY for line in items.get_lines()):
        handles.append(handle("slope of the theory, for the tail", **GUIDE | {"linewidth": 2.4}))
    handles += [prediction_handle(linewidth=1.4)] if finite_size else []
    make_room(figure, legend_below(figure, handles + seed_bars(grid), left_out(grid, here)))
    return figure


def _frequencies(axes: Axes, grid: xr.Dataset) -> int:
    """Frequencies against rank, with as many ranks as are stored; the first rank of the power law."""
    alpha, table = grid.alpha.item(), configuration(grid)["frequencies"]
    p = frequencies(grid, alpha)
    ranks = np.unique(np.geomspace(1, p.size, 400).astype(int))
    axes.plot(ranks, p[ranks - 1], color="black", label="words" if table else "items")
    if table:
        tail = ranks[ranks >= table["tail_from"]]
        constant = np.exp(np.log(p[tail - 1]).mean() + alpha * np.log(tail).mean())
        text = f"rank$^{{-{alpha:.2f}}}$\nfrom rank {table['tail_from']}"
        axes.plot(tail, constant * tail**-alpha, "--", **GUIDE, label=text)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("rank")
    axes.set_ylabel("share of all occurrences")
    for name in grid.optimizer.values:
        stored = grid.capacity.sel(optimizer=name).mean("seed").values
        stored = np.minimum(stored[stored >= 1], p.size)
        style = optimizer_style(name) | {
            "markersize": 3,
            "markerfacecolor": "white",
            "linestyle": "",
        }
        axes.plot(stored, p[stored.round().astype(int) - 1], **style)
    axes.legend(loc="lower left", handlelength=1.0, handletextpad=0.4, borderaxespad=0.1)
    return table["tail_from"] if table else 1


def _counts(
    axes: Axes, grid: xr.Dataset, fits: xr.Dataset, first: int, finite_size: bool, shift: float
) -> None:
    """Counts of one optimizer; the theory's slope where they reach beyond the ``first`` rank of the tail."""
    power, name = shown_fit(fits.sel(quantity="capacity")), grid.optimizer.item()
    d, mean = grid.d.values, grid.capacity.mean("seed").values
    tail = np.where(mean >= first, mean, 0)
    known = (tail > 0).sum() > 1 and np.isfinite(power.theory)
    counts_against_d(
        axes,
        d,
        grid.capacity.values,
        power.exponent.item(),
        predicted=fits.predicted_capacity.values if finite_size else None,
        label=": ".join(
            filter(None, [label(name), fit_text(power) if known else power_text(power)])
        ),
        shift=shift,
        **optimizer_style(name),
    )
    if known:
        style = GUIDE | {"linewidth": 2.4, "gid": THEORY}
        fitted_power(axes, d, tail, power.theory.item(), shift, **style)
