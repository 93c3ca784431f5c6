"""What transformers recall against the batch size, a panel per optimizer."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.analysis.chosen_rates import at_chosen_rates
from spectral_capacity.figures.parts import incontext
from spectral_capacity.figures.parts.legends import left_out, legend_below


def plot(grid: xr.Dataset, metric: str, iteration: int | None) -> Figure:
    """A curve of ``metric`` per width, at the first exponents of the configuration.

    After this iteration, or else the paper's 1024 or else the last. ValueError where the experiment has no
    such iteration.
    """
    time = incontext.picked(grid, "iteration", iteration, paper=1024)
    here = incontext.first_laws(grid.sortby(["d", "batch_size"]))
    runs = at_chosen_rates(here, metric, time)
    lines = {d: f"$d$ = {d}" for d in here.d.values.tolist()}
    figure, handles = incontext.by_optimizer(
        runs, "batch_size", lines, incontext.NAMES[metric], incontext.baseline_levels(here, metric)
    )
    figure.suptitle(f"iteration {time:,}", fontsize="medium")
    legend_below(figure, handles, left_out(grid, here.sel(iteration=time)))
    return figure
