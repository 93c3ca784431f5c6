r"""Items that long runs of Muon on the population store, against the dimension, by how their rate changes.

Of a run at a constant learning rate: the most after any step; it was stopped when it gained next to nothing any
more. Of a run whose rate falls to zero: what it has after its last step. Bars: range over seeds. Dashed: fitted
powers, with intervals over resampled seeds. Grey: the slope of :math:`d^2`, the information limit up to
logarithms, at the level of the means. Dash-dotted: the most that any linear memory holds against N competitors,
a share of :math:`d^2`. Markers of different lines stand a little apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from spectral_capacity.analysis.runs import capacity_to_the_end, peak
from spectral_capacity.figures.parts.axes import count_axis, powers_of_two
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import (
    COLUMN,
    configuration,
    exact_muons,
    handle,
    plt,
)
from spectral_capacity.figures.parts.curves import apart, counts_against_d, power_text, shown_fit
from spectral_capacity.figures.parts.legends import (
    left_out,
    legend_below,
    power_handles,
    seed_bars,
)
from spectral_capacity.figures.parts.looks import alpha_style, label, optimizer_style
from spectral_capacity.figures.parts.steps import ceiling_against_d, ceiling_handle, steps_made
from spectral_capacity.theory.learning_rates import DECAYING

KIND = "memory"
THEME = "Many steps"
SHOWS = "long_run"
NEEDS = ("population", "muon", "2 steps")

END, PEAK = "capacity", "peak_capacity"
"""What is shown of rates that decay and of others, as fits call it."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Mean counts with their range over seeds against d, a line per exact Muon and α.

    Counts are those after the last step where the learning rate decays, else the most after any step. Dashed
    are their fits ("ols") with intervals over resampled seeds, grey the slope of the limit through the middle
    of the means and, dash-dotted with ``finite_size``, the most that any linear memory holds against N
    competitors. The population batch and the first κ; the figure says so where the experiment has more.
    """
    names, settings = exact_muons(fits), configuration(grid)
    shown = grid.sel(optimizer=names, batch_size=np.inf).isel(kappa=0).sortby("d")
    ends = shown_fit(fits.sel(batch_size=np.inf)).isel(kappa=0, step=-1)
    ends = ends.reindex(quantity=[END, PEAK])
    alphas = shown.alpha.values.tolist()
    lines = [(name, alpha) for name in names for alpha in alphas]
    figure, axes = plt.subplots(figsize=(COLUMN, 2.8))
    powers_of_two(axes, shown.d.values)
    count_axis(axes)
    axes.set(xlabel="embedding dimension $d$", ylabel="recovered items")
    if len(alphas) == 1:
        axes.set_title(rf"$\alpha$ = {alphas[0]:g}")
    handles, powers = [], []
    for (name, alpha), shift in zip(lines, apart(len(lines), 1.025), strict=True):
        runs, end = (of.sel(optimizer=name, alpha=alpha) for of in (shown, ends))
        what = _of_what(settings["definitions"][name])
        power = end.sel(quantity=what).assign(theory=end.theory.sel(quantity=PEAK))
        exponents = {"exponent": power.exponent.item(), "theory": power.theory.item()}
        look, counts = _look(name, alpha, shown), _counts(runs, what)
        counts_against_d(axes, shown.d.values, counts, shift=shift, **exponents, **look)
        texts = filter(None, [_text(runs, shown, what), power_text(power)])
        handles.append(handle(":  ".join(texts), linestyle="", **look))
        powers.append(power)
    ceiling = finite_size and ceiling_against_d(axes, shown.d.values, settings["n_items"])
    handles += seed_bars(shown) + power_handles(powers)
    handles += [ceiling_handle(settings["n_items"])] * ceiling
    make_room(figure, legend_below(figure, handles, left_out(grid.isel(step=0), shown)))
    return figure


def _of_what(definition: Mapping[str, Any]) -> str:
    """At a constant rate counts alternate to the end, and the last is chance."""
    return END if definition["learning_rate"]["schedule"] in DECAYING else PEAK


def _counts(runs: xr.Dataset, what: str) -> np.ndarray:
    """Counts (d, seed) of one line."""
    counts = capacity_to_the_end(runs)[0].isel(step=-1) if what == END else peak(runs)
    return counts.transpose("d", "seed").values


FILLS = ("full", "none", "left", "right")
"""Of optimizers, where each has several α's; more repeat them."""


def _look(optimizer: str, alpha: float, shown: xr.Dataset) -> dict[str, Any]:
    """Optimizers look as everywhere; where there are several α's, these do, and optimizers fill them."""
    if shown.alpha.size == 1:
        return optimizer_style(optimizer)
    place = shown.optimizer.values.tolist().index(optimizer)
    return alpha_style(alpha) | {"fillstyle": FILLS[place % len(FILLS)]}


def _text(runs: xr.Dataset, shown: xr.Dataset, what: str) -> str:
    """A line's name, and of what its counts are: the end, or the peak of how many steps."""
    name, made = label(runs.optimizer.item()), steps_made(runs)
    if shown.alpha.size > 1:
        name = rf"$\alpha$ = {runs.alpha.item():g}, {name}"
    if made.size == 0:
        return name
    if what == END:
        return f"{name}, after {runs.step.size} steps"
    fewest, most = made.min(), made.max()
    return f"{name}, peak in {fewest}" + (f"–{most}" if fewest < most else "") + " steps"
