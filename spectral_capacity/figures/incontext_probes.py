r"""What transformers learn of recall in context, update by update: their memories, and the accuracy.

Memory recall, the share of outputs that the second layer's values recall; trigger recall, the share of triggers
that its queries match best with what the first layer writes of them; position recall, the share of positions
whose best key in the first layer is the position before: the memories :math:`W_O^2`, :math:`W_K^2` and
:math:`W_K^1` of arXiv:2306.00802. OOD: on uniform sequences. **a**, **b**, …: a panel per optimizer. Thin:
runs; thick, with markers: medians. The learning rate of each optimizer is chosen by a run that is not shown, by
OOD accuracy after the last update. Open: it is the least or the largest tried. Crosses: a run diverges.
Grey line: 0.95; under each panel, the first iteration looked at after which a metric is there, median of runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from annotated_types import doc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spectral_capacity.analysis.chosen_rates import at_chosen_rates
from spectral_capacity.analysis.reached import first_reached
from spectral_capacity.figures.parts import incontext
from spectral_capacity.figures.parts.below import make_room, rows_under
from spectral_capacity.figures.parts.common import GUIDE, handle
from spectral_capacity.figures.parts.legends import left_out, legend_below
from spectral_capacity.figures.parts.looks import label, ordered
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.steps import DIVERGED
from spectral_capacity.incontext.measured import TUNING
from spectral_capacity.results.schema import Status

KIND = "incontext"
THEME = "In-context recall"
TITLE = "In-context probes"
SHOWS = None
NEEDS = ("two iterations",)

CHOOSES = "accuracy_ood"
LEVEL = 0.95
LINE = GUIDE | {"linewidth": 0.9, "linestyle": "--"}
MARKED = 6
"""Markers of a curve, at most."""
NAMES = incontext.NAMES | {
    "trigger_recall": "trigger recall",
    "position_recall": "position recall",
    "previous_token_score_ood": "previous-token score",
    "induction_score_ood": "induction score",
}
METRICS = ["memory_recall", "trigger_recall", "position_recall", "accuracy_ood"]
THIN, THICK = 0.6, 1.6
"""Widths of a run's line, and of their median's."""


def plot(
    grid: xr.Dataset,
    fits: None,
    *,
    finite_size: bool = True,
    metrics: Annotated[
        list[
            Literal[
                "memory_recall",
                "trigger_recall",
                "position_recall",
                "accuracy_ood",
                "accuracy_id",
                "previous_token_score_ood",
                "induction_score_ood",
            ]
        ]
        | None,
        doc(
            "those shown, also `accuracy_id`, `previous_token_score_ood`, `induction_score_ood`; by default "
            "the three memories and `accuracy_ood`"
        ),
    ] = None,
    d: Annotated[int | None, doc("the one shown; by default the largest")] = None,
    batch_size: Annotated[
        int | None, doc("the one shown; by default 256, or else the largest")
    ] = None,
) -> Figure:
    """A panel per optimizer, a curve per metric, at the first exponents of the configuration.

    ``fits`` and ``finite_size`` play no part. ValueError for what the experiment does not have.
    """
    names = [*dict.fromkeys(metrics or METRICS)]
    width = incontext.picked(grid, "d", d, paper=grid.d.values.max().item())
    size = incontext.picked(grid, "batch_size", batch_size, paper=256)
    here = incontext.first_laws(grid.sel(d=width, batch_size=size)).sortby("iteration")
    chosen = at_chosen_rates(here, CHOOSES, here.iteration.values[-1].item())
    runs = here.sel(seed=here.seed != TUNING)
    looks = dict(zip(names, ordered(len(names)), strict=True))
    figure, panels = panel_grid(runs.optimizer.size, 2.0, sharey=True)
    for axes, name in zip(panels, runs.optimizer.values.tolist(), strict=True):
        axes.set_title(label(name, minibatches=True))
        best = chosen.sel(optimizer=name)
        if best.learning_rate.notnull():
            axes.set_title(rf"{axes.get_title()}, $\eta$ = {best.learning_rate.item():g}")
            own = runs.sel(optimizer=name, learning_rate=best.learning_rate)
            _panel(axes, own.transpose("iteration", "seed", ...), looks, best.at_edge.item())
        _shape(axes, runs.iteration.values)
        if at_left(axes):
            axes.set_ylabel("share")
    letters(figure)
    legend = legend_below(figure, _handles(looks, chosen), left_out(grid, runs))
    make_room(figure, legend)
    return figure


def _panel(
    axes: Axes, runs: xr.Dataset, looks: Mapping[str, Mapping[str, Any]], at_edge: bool
) -> None:
    """Curves of one optimizer, ``runs`` over (iteration, seed); under it when each metric is at the level."""
    rows, lost = [], (runs.status == Status.DIVERGED).values
    for name, look in looks.items():
        values = runs[name].where(runs.status == Status.OK)
        axes.plot(runs.iteration, values, color=look["color"], linewidth=THIN, alpha=0.7)
        median = incontext.medians(values.values)
        style = look | (incontext.OPEN if at_edge else {}) | {"linewidth": THICK}
        axes.plot(runs.iteration, median, markevery=_few(median.size), **style)
        if values.notnull().any():
            rows.append((f"{NAMES[name]}: {_when(values)}", look))
    ends = runs.iteration.values[lost.argmax(axis=0)][lost.any(axis=0)]
    axes.plot(ends, np.zeros_like(ends, float), color="0.35", zorder=3, **DIVERGED)
    rows_under(axes, rows, f"iterations to {LEVEL:g}")


def _few(n: int) -> int:
    """Of n points each how many-th has a marker."""
    return -(-n // MARKED)


def _when(values: xr.DataArray) -> str:
    """The median over runs of the iteration at which they are at the level."""
    found = float(np.median(first_reached(values, LEVEL)))
    return f"{found:g}" if np.isfinite(found) else "\N{EN DASH}"


def _shape(axes: Axes, iterations: np.ndarray) -> None:
    axes.axhline(LEVEL, **LINE)
    incontext.share_axis(axes)
    axes.set_xlim(0, 1.03 * iterations.max())
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("iteration")


def _handles(looks: Mapping[str, Mapping[str, Any]], chosen: xr.Dataset) -> list[Line2D]:
    """What the legend says."""
    found = [handle(NAMES[name], linewidth=THICK, **look) for name, look in looks.items()]
    if chosen.seed.size > 1:
        found += [handle("each run", linewidth=THIN), handle("median", linewidth=THICK)]
    found.append(handle(f"{LEVEL:g}", **LINE))
    return found + incontext.run_handles(chosen)[1:]
