"""OOD accuracy of transformers against their width for several laws, a panel per optimizer."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.analysis.chosen_rates import at_chosen_rates
from spectral_capacity.figures.parts import incontext
from spectral_capacity.figures.parts.common import configuration
from spectral_capacity.figures.parts.legends import left_out, legend_below

SYMBOLS = {"alpha_triggers": r"$\alpha_t$", "alpha_outputs": r"$\alpha_o$"}


def plot(grid: xr.Dataset, varied: str, iteration: int | None, batch_size: int | None) -> Figure:
    """A curve per exponent of ``varied``, the other law being uniform.

    At this iteration and batch size or else the paper's, 512 and 256, or else the largest. ValueError where
    the experiment has no such iteration or batch size.
    """
    dims = [*SYMBOLS]
    time = incontext.picked(grid, "iteration", iteration, paper=512)
    size = incontext.picked(grid, "batch_size", batch_size, paper=256)
    i = dims.index(varied)
    pairs = configuration(grid)["exponents"]
    exponents = sorted(float(pair[i]) for pair in pairs if pair[1 - i] == 0)
    here = grid.sortby("d").sel({"batch_size": size, varied: exponents, dims[1 - i]: 0.0})
    lines = {alpha: f"{SYMBOLS[varied]} = {alpha:g}" for alpha in exponents}
    figure, handles = incontext.by_optimizer(
        at_chosen_rates(here, "accuracy_ood", time),
        "d",
        lines,
        incontext.NAMES["accuracy_ood"],
        incontext.baseline_levels(here, "accuracy_ood"),
    )
    figure.suptitle(f"$B$ = {size:,}, iteration {time:,}", fontsize="medium")
    legend_below(figure, handles, left_out(grid, here.sel(iteration=time)))
    return figure
