r"""In-context accuracy against the width of the model, on sequences as in training (ID) and uniform ones (OOD).

Transformers of two layers that must recall, behind the second occurrence of a trigger, what stood behind the
first. **a**, **b**, …: metric and iteration of its title. Points: runs; lines: medians. The learning rate of
each optimizer and width is chosen by a run that is not shown, by the metric and at the iteration of the panel.
Open: the chosen rate is the least or the largest that was tried. Crosses: a run diverges. Grey lines: the
frequency of the most frequent output (ID); :math:`1/K`, a copy of any of the :math:`K` pairs of the context,
and :math:`1/|V|`, a guess (OOD).
"""

from __future__ import annotations

from itertools import product
from typing import Annotated

import numpy as np
import xarray as xr
from annotated_types import doc
from matplotlib.figure import Figure

from spectral_capacity.analysis.chosen_rates import at_chosen_rates
from spectral_capacity.figures.parts import incontext
from spectral_capacity.figures.parts.common import handle
from spectral_capacity.figures.parts.legends import left_out, legend_below
from spectral_capacity.figures.parts.looks import label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.selection import chosen

KIND = "incontext"
THEME = "In-context recall"
SHOWS = "incontext"
NEEDS = ("two iterations",)

METRICS = ("accuracy_id", "accuracy_ood")
ITERATIONS = [128, 1024]
"""The paper's."""


def plot(
    grid: xr.Dataset,
    fits: None,
    *,
    finite_size: bool = True,
    iterations: Annotated[
        list[int] | None, doc("those shown; by default 128 and 1024, or else the two largest")
    ] = None,
    batch_size: Annotated[
        int | None, doc("the one shown; by default 256, or else the largest")
    ] = None,
) -> Figure:
    """A panel per metric and iteration, a curve per optimizer, at the first exponents of the configuration.

    ``fits`` and ``finite_size`` play no part. ValueError for what the experiment does not have.
    """
    there = grid.iteration.values
    default = ITERATIONS if np.isin(ITERATIONS, there).all() else np.sort(there)[-2:].tolist()
    here = chosen(grid, {"iteration": iterations or default}).sortby("iteration")
    size = incontext.picked(grid, "batch_size", batch_size, paper=256)
    here = incontext.first_laws(here.sel(batch_size=size))
    names = here.optimizer.values.tolist()
    looks, times = [optimizer_style(name) for name in names], here.iteration.values.tolist()
    figure, panels = panel_grid(len(METRICS) * len(times), 1.9, sharey=True)
    every = []
    for axes, (metric, time) in zip(panels, product(METRICS, times), strict=True):
        runs = at_chosen_rates(here, metric, time)
        axes.set_title(f"{incontext.NAMES[metric]}, iteration {time:,}")
        incontext.curves(axes, [runs.sel(optimizer=name) for name in names], "d", looks)
        incontext.baselines(axes, incontext.baseline_levels(here, metric))
        if at_left(axes):
            axes.set_ylabel("accuracy")
        every.append(runs)
    letters(figure)
    texts = (label(name, minibatches=True) for name in names)
    handles = [handle(text, **look) for text, look in zip(texts, looks, strict=True)]
    handles += incontext.run_handles(*every)
    handles += incontext.baseline_handles(incontext.baseline_levels(here, *METRICS))
    legend_below(figure, handles, left_out(grid, here))
    return figure
