r"""Newton–Schulz iterations that momentum needs, and those that the gradient of the same step would need.

So many lift the singular value at rank :math:`d/2` to 1: :math:`\ln(\Vert\cdot\Vert_F/\sigma) / \ln 3.4445`, as
the public Muon's polynomial multiplies small ones by 3.4445. **a**, **b**, …: a panel per batch size, at the
largest embedding dimension. Lines: momentum, means over seeds; bands: range over seeds. Dashed: gradient.
Dotted: a matrix whose singular values are all equal. Grey: the five iterations of the public Muon. Where a
sweep chooses a learning rate for every number of steps, each point is that of its own.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from annotated_types import doc
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.analysis.run_quantities import depth
from spectral_capacity.figures.parts import selection
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import GUIDE, handle
from spectral_capacity.figures.parts.legends import left_out, legend_below
from spectral_capacity.figures.parts.looks import label, optimizer_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.steps import seed_bands, step_axis, step_band
from spectral_capacity.theory.newton_schulz import JORDAN

KIND = "memory"
THEME = "Many steps"
SHOWS = None
NEEDS = ("momentum", "2 steps")

PUBLIC = 5
"""Iterations of the public Muon."""


def plot(
    grid: xr.Dataset,
    fits: xr.Dataset,
    *,
    finite_size: bool = True,
    optimizers: Annotated[
        list[str] | None, doc("those shown; by default all that have momentum")
    ] = None,
    batch_size: Annotated[
        list[float | Literal["population"]] | None,
        doc("those shown; by default the smallest, one between, and the largest"),
    ] = None,
) -> Figure:
    """A panel per batch size, a line per optimizer over steps, for the first α and κ and the largest d.

    ``fits`` and ``finite_size`` play no part. ValueError where no optimizer kept a momentum.
    """
    here = selection.chosen(grid, {"optimizer": optimizers, "batch_size": batch_size})
    here = here.isel(alpha=0, kappa=0, d=-1)
    of_momentum = depth(here.momentum_norm, here.momentum_bulk_singular_value)
    known = of_momentum.notnull().any(["batch_size", "seed", "step"]).values
    if not known.any():
        raise ValueError("optimizers: none of them keeps a momentum")
    here, of_momentum = here.isel(optimizer=known), of_momentum.isel(optimizer=known)
    grid = grid if optimizers else grid.sel(optimizer=here.optimizer.values)
    of_gradient = depth(here.gradient_norm, here.bulk_singular_value)
    last = here.batch_size.size - 1
    places = range(last + 1) if batch_size else sorted({0, last // 2, last})
    figure, panels = panel_grid(len(places), 2.3, sharey=True)
    for axes, place in zip(panels, places, strict=True):
        at = {"batch_size": place}
        axes.set_title(
            selection.text("batch_size", here.batch_size[place].item(), minibatches=True)
        )
        _panel(axes, of_momentum.isel(at), of_gradient.isel(at), here.d.item())
        if at_left(axes):
            axes.set_ylabel("iterations needed")
    letters(figure)
    figure.suptitle(f"$d$ = {here.d.item()}", fontsize="medium")
    handles = [
        handle(label(n, minibatches=True), **optimizer_style(n)) for n in here.optimizer.values
    ]
    handles += [
        handle("of the gradient", linestyle="--", linewidth=0.9),
        handle("equal singular values", linestyle=":"),
        handle("five iterations", **GUIDE),
        *seed_bands(here),
    ]
    make_room(figure, legend_below(figure, handles, left_out(grid, here)))
    return figure


def _panel(axes: Axes, momentum: xr.DataArray, gradient: xr.DataArray, d: int) -> None:
    steps = momentum.step.values
    step_axis(axes, steps, logarithmic=True)
    axes.axhline(PUBLIC, **GUIDE)
    axes.axhline(math.log(d) / 2 / math.log(JORDAN[0]), color="0.35", linestyle=":")
    for name in momentum.optimizer.values.tolist():
        style = optimizer_style(name)
        values = momentum.sel(optimizer=name).transpose("step", "seed").values
        step_band(axes, steps, values, **style, markersize=3)
        mean = gradient.sel(optimizer=name).mean("seed", skipna=False).values
        axes.plot(steps, mean, color=style["color"], linestyle="--", linewidth=0.9)
    axes.set_ylim(bottom=0, top=np.ceil(max(axes.get_ylim()[1], PUBLIC + 0.5)))
