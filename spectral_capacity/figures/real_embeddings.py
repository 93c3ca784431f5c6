r"""Items stored with real embeddings on both sides, and with others that keep only some of their properties.

One after another: isotropic Gaussian embeddings; Gaussian ones with the means and covariances of real ones;
real ones in any order, so that nothing goes with the frequency; real ones, each item with the output of another
one about as frequent. **a** Items recalled after one population step. **b** The share of all occurrences that
they make up. Means over seeds; bars: range over seeds. Dotted: prediction without a fit parameter, first of
isotropic embeddings, then of Gaussian ones with the measured spectra of inputs and outputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from spectral_capacity.figures.parts.axes import count_axis
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import PAGE, handle, plt, prediction_handle
from spectral_capacity.figures.parts.curves import seed_range
from spectral_capacity.figures.parts.legends import left_out_of_all, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import label, listed, optimizer_style
from spectral_capacity.figures.parts.panels import letters
from spectral_capacity.figures.parts.zeros import mark_zeros

KIND = "memory"
THEME = "Data"
SHOWS = {
    "isotropic": "words_isotropic",
    "gaussian": "words_gaussian",
    "shuffled": "words_shuffled",
    "pairs": "words_pairs",
}
NEEDS = ("population", "one step")

NAMES = {
    "isotropic": "isotropic\nGaussian",
    "gaussian": "Gaussian,\nreal\nspectra",
    "shuffled": "real,\nany\norder",
    "pairs": "real, by\nfrequency",
}
APART = 0.25
"""Between optimizers, where embeddings are 1 apart."""
OPEN = {"markerfacecolor": "white", "markersize": 4}
"""Markers that predictions are seen on."""


def plot(
    grids: Sequence[xr.Dataset], fits: Sequence[xr.Dataset], *, finite_size: bool = True
) -> Figure:
    """A place on the x axis per experiment, in the order of :data:`SHOWS`, a marker per optimizer there.

    The optimizers are those that all experiments have. Dotted, with ``finite_size``: each experiment's own
    prediction, none where there is none. Shows the population batch, the last step, the largest d and the first
    α and κ of each. Raises ValueError where no optimizer is in all.
    """
    names = [n for n in grids[0].optimizer.values if all(n in g.optimizer.values for g in grids)]
    if not names:
        raise ValueError("real_embeddings: its experiments share no optimizer")
    shown, expected = [], []
    for grid, of_grid in zip(grids, fits, strict=True):
        at = {"optimizer": names, "batch_size": np.inf, "d": grid.d.max().item()}
        last = {"step": -1, "alpha": 0, "kappa": 0}
        shown.append(grid.sel(at).isel(last))
        expected.append(of_grid.sel(at).isel(last))
    figure, (items, mass) = plt.subplots(1, 2, figsize=(PAGE, 2.8))
    count_axis(items)
    shifts = APART * (np.arange(len(names)) - (len(names) - 1) / 2)
    for name, shift in zip(names, shifts, strict=True):
        one = [grid.sel(optimizer=name) for grid in shown]
        x, style = np.arange(len(one)) + shift, optimizer_style(name) | OPEN
        for axes, of in ((items, "capacity"), (mass, "recovered_mass")):
            _means(axes, x, [grid[of].values for grid in one], style)
            for place, fit in zip(x, expected if finite_size else [], strict=False):
                level = fit[f"predicted_{of}"].sel(optimizer=name).item()
                ends = place + np.array([-0.45, 0.45]) * APART
                axes.plot(ends, [level, level], ":", color=style["color"], linewidth=1.8, zorder=5)
    for axes in (items, mass):
        axes.set_xticks(range(len(grids)), NAMES.values())
        axes.set_xlim(-0.5, len(grids) - 0.5)
        axes.set_xlabel("embeddings")
    items.set_ylabel("recovered items")
    mass.set(ylabel="share of occurrences recalled", ylim=(0, 1))
    mass.yaxis.set_major_formatter(PercentFormatter(1, symbol="\N{NO-BREAK SPACE}%"))
    letters(figure)
    handles = [handle(label(name), linestyle="", **optimizer_style(name) | OPEN) for name in names]
    handles += [prediction_handle(linewidth=1.4)] if finite_size else []
    widths = listed(dict.fromkeys(f"$d$ = {one.d.item()}" for one in shown))
    note = left_out_of_all(grids, shown)
    make_room(figure, legend_below(figure, handles + seed_bars(grids[0]), note or widths))
    return figure


def _means(axes: Axes, x: np.ndarray, values: list[np.ndarray], style: dict) -> None:
    """Means of one optimizer, an array over seeds for each place, with their ranges."""
    for place, of_seeds in zip(x[:, None], values, strict=True):
        mean, bars = seed_range(of_seeds[None])
        mark_zeros(axes, place, of_seeds[None], style["color"])
        if mean > 0:
            axes.errorbar(place, mean, bars, linestyle="", elinewidth=0.8, **style)
