r"""Outputs that the second layer's values recall, against the width, from the linear memory to a transformer.

**a**: attention is built, and of the value matrices one is trained, from zero, in one step: this is the linear
memory. **b**: the same, in many steps. **e**: queries and keys are trained too. **f**: everything is. Points:
means over runs, bars their range, at the learning rate that a run chooses that is not shown; dashed are fitted
powers, grey the slopes of one step of the linear memory. Dotted: all outputs. **c**, **d**, **g**, **h**, each
under its panel: the singular value of half the rank of the gradient of the second layer's values, relative to
the largest; grey: the slope :math:`d^{−α}` of the first gradient. :math:`t`: iterations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import xarray as xr
from annotated_types import doc
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.analysis.chosen_rates import at_chosen_rates, of_chosen_runs
from spectral_capacity.analysis.recall_exponents import fitted_power
from spectral_capacity.figures.parts import curves, incontext
from spectral_capacity.figures.parts.axes import count_axis, powers_of_two
from spectral_capacity.figures.parts.below import make_room, powers_under
from spectral_capacity.figures.parts.common import GUIDE, configuration, handle
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_stacks
from spectral_capacity.incontext.measured import TUNING
from spectral_capacity.theory.exponents import bulk_exponent

KIND = "incontext"
THEME = "In-context recall"
TITLE = "In-context ladder"
SHOWS = {
    "one_step": "ladder_one_step",
    "many_steps": "ladder_built",
    "attention": "ladder_attention",
    "everything": "ladder_all",
}
NEEDS = ()

TITLES = ("One step", "Many steps", "Attention", "Everything")
ALL = {"color": "0.35", "linestyle": ":", "linewidth": 0.9, "zorder": 1}


def plot(
    grids: Sequence[xr.Dataset],
    fits: Sequence[None],
    *,
    finite_size: bool = True,
    iteration: Annotated[
        int | None, doc("of all but the first that is shown; by default the last")
    ] = None,
) -> Figure:
    """A column per rung, a curve per optimizer, at the first laws and the largest batch size of each.

    ``fits`` and ``finite_size`` play no part. ValueError for an iteration that a rung does not have.
    """
    figure, above, below = panel_stacks(len(grids), (1.7, 0.8))
    names = list(dict.fromkeys(name for grid in grids for name in grid.optimizer.values.tolist()))
    for number, (grid, title, upper, lower) in enumerate(
        zip(grids, TITLES, above, below, strict=True)
    ):
        size = incontext.picked(grid, "batch_size", None, paper=0)
        time = incontext.picked(grid, "iteration", iteration if number else None, paper=0)
        here = incontext.first_laws(grid.sel(batch_size=size)).sortby("d")
        upper.set_title(f"{title}: $B$ = {size:,}" + f", $t$ = {time:,}" * (number > 0))
        _rung(here, time, upper, lower, is_first_gradient=number == 0)
        if at_left(upper):
            upper.set_ylabel("outputs recalled")
            lower.set_ylabel(r"$\sigma_{d/2}\,/\,\sigma_1$")
    letters(figure)
    handles = [
        handle(label(name, minibatches=True), linestyle="", **optimizer_style(name))
        for name in names
    ]
    handles += [
        *seed_bars(grids[-1].sel(seed=grids[-1].seed != TUNING)),
        handle("fitted power", linestyle="--", linewidth=0.9),
        handle("slope of the theory of one step", **GUIDE | {"linewidth": 0.9}),
        handle("all outputs", **ALL),
    ]
    make_room(
        figure, legend_below(figure, handles, left_out(grids[-1], here.sel(iteration=[time])))
    )
    return figure


def _rung(
    grid: xr.Dataset, iteration: int, upper: Axes, lower: Axes, *, is_first_gradient: bool
) -> None:
    settings, d = configuration(grid), grid.d.values
    alpha, vocabulary = grid.alpha_outputs.item(), settings["vocabulary"]
    names = grid.optimizer.values.tolist()
    runs = at_chosen_rates(grid, "memory_recall", iteration)
    spectrum = of_chosen_runs(grid, runs, iteration)[
        ["value_gradient_bulk", "value_gradient_largest"]
    ]
    ratio = spectrum.value_gradient_bulk / spectrum.value_gradient_largest
    count_axis(upper)
    upper.set_ylim(0.5, 1.7 * vocabulary)
    count_axis(lower)
    lower.set_ylim(*_around(ratio))
    powers, looks = [], [optimizer_style(name) for name in names]
    for axes in (upper, lower):
        powers_of_two(axes, d)
    lower.sharex(upper)
    bulk = bulk_exponent(alpha) if alpha > 1 and is_first_gradient else np.nan
    for name, look, shift in zip(names, looks, curves.apart(len(names), 1.02), strict=True):
        counts = vocabulary * runs.value.sel(optimizer=name).transpose("d", "seed").values
        rule = settings["definitions"][name]["rule"]
        power = fitted_power(d, counts, rule, alpha)
        of_power = {"exponent": power.exponent.item(), "theory": power.theory.item()}
        curves.counts_against_d(upper, d, counts, **of_power, shift=shift, **look)
        powers.append(power)
        values = ratio.sel(optimizer=name).transpose("d", "seed").values
        curves.counts_against_d(lower, d, values, np.nan, theory=bulk, shift=shift, **look)
        bulk = np.nan  # the same line for all
    upper.axhline(vocabulary, **ALL)
    lower.set_xlabel("width $d$")
    upper.tick_params(labelbottom=False)
    powers_under(lower, powers, looks)


def _around(values: xr.DataArray) -> tuple[float, float]:
    """Ends of a logarithmic axis for these values; some where there are none."""
    seen = values.where(values > 0)
    low, high = seen.min().item(), seen.max().item()
    return (low / 1.5, high * 1.5) if np.isfinite(low) else (0.01, 1.0)
