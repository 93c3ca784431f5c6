"""Figures 4a–4d: capacity against d after several Muon steps, and the most of long runs."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.analysis.runs import carried, peak
from spectral_capacity.figures.parts.common import (
    COLUMN,
    MARKERS,
    apart,
    configuration,
    counts_against_d,
    first_muon,
    fit_text,
    label,
    plt,
    powers_of_two,
    shades,
)
from spectral_capacity.figures.parts.steps import limits_against_d, steps_made

NAMES = {2: "fig4a", 3: "fig4b", 4: "fig4c"}


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
    if steps is not None and steps not in grid.step:
        raise ValueError(
            f"{NAMES.get(steps, 'this figure')} shows {steps} steps; its experiment makes "
            f"{grid.step.values[-1]}: give it steps: {steps} or more, or another experiment"
        )
    here = {"optimizer": first_muon(fits), "batch_size": np.inf}
    grid = grid.sel(here).isel(kappa=0).sortby("d")
    quantity = "peak_capacity" if steps is None else "capacity"
    step = grid.step.values[-1] if steps is None else steps
    powers = fits.reindex(quantity=[quantity]).sel(here | {"fit": "ols", "step": step})
    powers = powers.isel(quantity=0, kappa=0)
    counts = peak(grid) if steps is None else carried(grid)[0].sel(step=step)
    counts = counts.transpose("alpha", "d", "seed")
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
            colour=colour,
            marker=MARKERS[i % len(MARKERS)],
            label=rf"$\alpha$ = {alphas[i]:g}:  {fit_text(one)}",
            shift=shift[i],
        )
    limits_against_d(axes, d, configuration(grid)["n_items"], finite_size=finite_size)
    axes.set_xlabel("embedding dimension $d$")
    axes.set_ylabel("recovered items" + (", peak of each run" if steps is None else ""))
    axes.set_title(
        _title(grid) if steps is None else f"{steps} {label(grid.optimizer.item())} steps"
    )
    figure.legend(loc="outside lower center", handletextpad=0.3, labelspacing=0.3)
    return figure


def _title(grid: xr.Dataset) -> str:
    """How many steps there were at most, and after how many runs ended if that was earlier."""
    made, most = steps_made(grid), grid.step.values[-1]
    title = f"At most {most} {label(grid.optimizer.item())} steps"
    fewest, longest = made.min(initial=most), made.max(initial=1)
    if fewest == most:
        return title
    return f"{title},\nstopped after {fewest}" + (f"–{longest}" if fewest < longest else "")
