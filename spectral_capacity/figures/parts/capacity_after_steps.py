"""Capacity against d after several Muon steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.analysis.runs import capacity_to_the_end
from spectral_capacity.figures.parts.axes import count_axis, powers_of_two
from spectral_capacity.figures.parts.below import make_room, powers_under, with_power
from spectral_capacity.figures.parts.common import configuration, first_muon, handle
from spectral_capacity.figures.parts.curves import apart, counts_against_d, shown_fit
from spectral_capacity.figures.parts.legends import left_out, legend_below, power_handles, seed_bars
from spectral_capacity.figures.parts.looks import alpha_style, label
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.prefixes import POINTS, mean_prefix, prefix_handle
from spectral_capacity.figures.parts.steps import ceiling_against_d, ceiling_handle


def plot(
    grid: xr.Dataset, fits: xr.Dataset, *, steps: Sequence[int], finite_size: bool = True
) -> Figure:
    """Mean counts with their range over seeds against d, a line per α, a panel for each number of steps.

    Dashed are the fits of the mean ("ols") with their intervals over resampled seeds, grey the theorem's slopes
    through the middle of the means and, dash-dotted with ``finite_size``, the most that any linear memory holds
    against N competitors. Open: mean robust prefixes. The first exact Muon, the population batch and the first
    κ; the figure says so where the experiment has more. Raises ValueError for an experiment of fewer steps.
    """
    here = {"optimizer": first_muon(fits), "batch_size": np.inf}
    shown = grid.sel(here).isel(kappa=0).sortby("d")
    fits = shown_fit(fits.sel(here)).isel(kappa=0)
    looks = [alpha_style(alpha) for alpha in shown.alpha.values]
    names = [rf"$\alpha$ = {alpha:g}" for alpha in shown.alpha.values]
    n_items = configuration(grid)["n_items"]
    figure, panels = panel_grid(len(steps), 2.3, sharey=True)
    fitted, ceilings, prefixes = [], [], False
    for axes, number in zip(panels, steps, strict=True):
        counts, lines = _after(shown, fits, number)
        fitted += lines
        _panel(axes, counts, lines, looks)
        prefixes |= _prefixes(axes, mean_prefix(shown).sel(step=number), looks)
        axes.set_title(f"{number} {label(shown.optimizer.item())} steps")
        if at_left(axes):
            axes.set_ylabel("recovered items")
        if len(steps) > 1:
            powers_under(axes, lines, looks)
        else:
            names = [with_power(*pair) for pair in zip(names, lines, strict=True)]
    if finite_size:
        ceilings = [ceiling_against_d(axes, shown.d.values, n_items) for axes in panels]
    handles = [handle(name, linestyle="", **look) for name, look in zip(names, looks, strict=True)]
    handles += seed_bars(shown) + [prefix_handle(grid, marker="o", **POINTS)] * prefixes
    handles += power_handles(fitted) + [ceiling_handle(n_items)] * any(ceilings)
    letters(figure)
    make_room(figure, legend_below(figure, handles, left_out(grid.isel(step=0), shown)))
    return figure


def _panel(axes: Axes, counts: xr.DataArray, powers: list[xr.Dataset], looks: list[dict]) -> None:
    """Counts (alpha, d, seed) and what was fitted to them."""
    d = counts.d.values
    powers_of_two(axes, d)
    count_axis(axes)
    axes.set_xlabel("embedding dimension $d$")
    for one, line, look, shift in zip(
        counts.values, powers, looks, apart(len(looks), 1.025), strict=True
    ):
        exponent, theory = line.exponent.item(), line.theory.item()
        counts_against_d(axes, d, one, exponent, theory=theory, shift=shift, **look)


def _prefixes(axes: Axes, means: xr.DataArray, looks: list[dict]) -> bool:
    """Robust prefixes (alpha, d), open, where the markers of the counts are; whether any is seen."""
    means = means.transpose("alpha", "d")
    for mean, look, shift in zip(means.values, looks, apart(len(looks), 1.025), strict=True):
        axes.plot(shift * means.d.values, mean, **look | POINTS)
    return bool(np.isfinite(means).any())


def _after(grid: xr.Dataset, fits: xr.Dataset, steps: int) -> tuple[xr.DataArray, list[xr.Dataset]]:
    """Counts (alpha, d, seed) after so many steps, and what was fitted to them, for each α."""
    if steps not in grid.step:
        raise ValueError(
            f"{steps} steps are to be shown, but the experiment makes {grid.step.values[-1]}: "
            f"give it steps: {steps} or more, or show another one"
        )
    counts = capacity_to_the_end(grid)[0].sel(step=steps)
    powers = fits.sel(quantity="capacity", step=steps)
    return counts.transpose("alpha", "d", "seed"), [
        powers.isel(alpha=i) for i in range(powers.alpha.size)
    ]
