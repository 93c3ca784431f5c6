"""Capacity against d after several Muon steps, or the most of long runs."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.analysis.runs import capacity_to_the_end, peak
from spectral_capacity.figures.parts.axes import powers_of_two
from spectral_capacity.figures.parts.common import COLUMN, configuration, first_muon, plt
from spectral_capacity.figures.parts.curves import apart, counts_against_d, fit_text
from spectral_capacity.figures.parts.looks import label, marker, shades
from spectral_capacity.figures.parts.steps import limits_against_d, steps_made


def plot(
    grid: xr.Dataset, fits: xr.Dataset, *, steps: int | None = None, finite_size: bool = True
) -> Figure:
    """Mean counts with their range over seeds against d, a line per α, after ``steps`` steps.

    None is the most that every run recovered after any step. Dashed are the
    fits of the mean ("ols") with their intervals over resampled seeds and the theorem's exponent.
    Grey are d² and, with ``finite_size``, the most that any linear memory holds against N
    competitors. The first exact Muon, the population batch and the first κ. Raises ValueError for
    an experiment of fewer steps.
    """
    here = {"optimizer": first_muon(fits), "batch_size": np.inf}
    grid = grid.sel(here).isel(kappa=0).sortby("d")
    counts, powers = _after(grid, fits.sel(here).sel(fit="ols").isel(kappa=0), steps)
    d, alphas = grid.d.values, grid.alpha.values
    figure, axes = plt.subplots(figsize=(COLUMN, 2.9 + 0.13 * alphas.size))
    powers_of_two(axes, d)
    axes.set_yscale("log")
    shift = apart(alphas.size, 1.025)  # the ceiling is near and steep
    for i, colour in enumerate(shades(alphas.size)):
        one = powers.isel(alpha=i)
        counts_against_d(
            axes,
            d,
            counts.values[i],
            one.exponent.item(),
            color=colour,
            marker=marker(i),
            label=rf"$\alpha$ = {alphas[i]:g}:  {fit_text(one)}",
            shift=shift[i],
        )
    limits_against_d(axes, d, configuration(grid)["n_items"], finite_size=finite_size)
    axes.set_xlabel("embedding dimension $d$")
    axes.set_ylabel("recovered items" + (", peak of each run" if steps is None else ""))
    muon = label(grid.optimizer.item())
    axes.set_title(_long_title(grid, muon) if steps is None else f"{steps} {muon} steps")
    figure.legend(loc="outside lower center", handletextpad=0.3, labelspacing=0.3)
    return figure


def _after(
    grid: xr.Dataset, fits: xr.Dataset, steps: int | None
) -> tuple[xr.DataArray, xr.Dataset]:
    """Counts (alpha, d, seed) after so many steps, and what was fitted to them."""
    last = grid.step.values[-1]
    if steps is None:
        counts, quantity, step = peak(grid), "peak_capacity", last
    elif steps in grid.step:
        counts, quantity, step = capacity_to_the_end(grid)[0].sel(step=steps), "capacity", steps
    else:
        raise ValueError(
            f"{steps} steps are to be shown, but the experiment makes {last}: "
            f"give it steps: {steps} or more, or show another one"
        )
    powers = fits.reindex(quantity=[quantity]).isel(quantity=0).sel(step=step)
    return counts.transpose("alpha", "d", "seed"), powers


def _long_title(grid: xr.Dataset, muon: str) -> str:
    """How many steps there were at most, and after how many runs ended if that was earlier."""
    made, most = steps_made(grid), grid.step.values[-1]
    title = f"At most {most} {muon} steps"
    fewest, longest = made.min(initial=most), made.max(initial=1)
    if fewest == most:
        return title
    return f"{title},\nstopped after {fewest}" + (f"–{longest}" if fewest < longest else "")
