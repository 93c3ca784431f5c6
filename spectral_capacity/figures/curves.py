r"""What was measured against the dimension, the batch size, the step or the learning rate, as you choose.

**a**, **b**, …: a panel for each value in its title. Means over seeds, with their range; runs of the population
that stopped early keep their last value. Against d, dashed: powers fitted to the means, with intervals over
resampled seeds; grey: the theory's slope; against d or the step, dotted: prediction without a fit parameter.
Against the batch size, the population stands at ∞; grey: expected number of distinct items in a batch. Against
the step, crosses: a run diverges there, and from then on the others are thin lines, one by one. The learning
rate is that of the first step, :math:`\eta_1 = \mathrm{scale} \cdot d^{\,\mathrm{d\_power}}`. The robust prefix
is the largest m of which at least 95 % (the experiment's prefix_share) of the m most frequent items are
recovered.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import xarray as xr
from annotated_types import doc
from matplotlib.figure import Figure

from spectral_capacity.figures.parts import general, looks, selection
from spectral_capacity.figures.parts.below import make_room, powers_under, with_power
from spectral_capacity.figures.parts.common import handle
from spectral_capacity.figures.parts.families import by_learning_rate, families
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.steps import diverged_handle, seed_bands

KIND = "memory"
THEME = "Your own"
SHOWS = None
NEEDS = ()
OPTION_NEEDS = {"x": {"step": "2 steps"}, "y": {"loss": "any loss"}}
DIFFERENT = (("x", "lines", "panels"),)


def plot(
    grid: xr.Dataset,
    fits: xr.Dataset,
    *,
    finite_size: bool = True,
    x: Annotated[
        Literal["d", "batch_size", "step", "learning_rate"],
        doc("what the horizontal axis has; `learning_rate`: η of the first step"),
    ] = "d",
    y: Annotated[
        Literal[
            "capacity",
            "robust_prefix",
            "prefix_capacity",
            "recovered_mass",
            "head_recall",
            "forgotten",
            "loss",
        ],
        doc("what the vertical axis has"),
    ] = "capacity",
    optimizers: Annotated[list[str] | None, doc("those shown; all by default")] = None,
    alpha: Annotated[list[float] | None, doc("those shown; all by default")] = None,
    kappa: Annotated[list[float] | None, doc("those shown; all by default")] = None,
    d: Annotated[list[int] | None, doc("those shown; all by default")] = None,
    batch_size: Annotated[
        list[float | Literal["population"]] | None, doc("those shown; all by default")
    ] = None,
    step: Annotated[list[int] | None, doc("those shown; all by default")] = None,
    lines: Annotated[
        Literal["optimizer", "alpha", "d", "batch_size", "kappa", "step"] | None,
        doc(
            "what colours and markers tell apart; by default the first of these with several values, 9 at most"
        ),
    ] = None,
    panels: Annotated[
        Literal["optimizer", "alpha", "d", "batch_size", "kappa", "step"] | None,
        doc("what has a panel each; by default the next one with several values, 6 at most"),
    ] = None,
) -> Figure:
    """``y`` against ``x``, a line per value of one dimension and a panel per value of another.

    Of a dimension that is none of these the first optimizer, α or κ is shown, the last step, the largest d, and
    the population or else the largest batch; the figure says so. With ``finite_size``, predictions where
    there are any. Raises ValueError for coordinates that the experiment does not have, for a dimension that
    is asked for twice, and where ``y`` was not measured.
    """
    if not grid[y].notnull().any():
        raise ValueError(
            f"y: {y} was not measured in this experiment"
            + (": give it a section loss, or choose another y" if y == "loss" else "")
        )
    wanted = {"optimizer": optimizers, "alpha": alpha, "kappa": kappa}
    wanted |= {"d": d, "batch_size": batch_size, "step": step}
    grid = selection.to_the_end(grid, y)
    every, some, along = grid.sortby("batch_size"), selection.chosen(grid, wanted), x
    members = {name: [name] for name in some.optimizer.values.tolist()}
    one_by_one = some
    if x == "learning_rate":
        members, along = families(some), "rate"
        some = by_learning_rate(some, members)
    lines, panels = selection.roles(some, along, lines, panels)
    shown = selection.kept(some, along, lines, panels)
    names = [name for family in np.atleast_1d(shown.optimizer) for name in members[family]]
    told = selection.kept(one_by_one.sel(optimizer=names), "optimizer", along, lines, panels)
    note = left_out(every, told)
    with looks.families(members):
        return _drawn(shown, general.Curves(fits, x, y, finite_size), lines, panels, note)


def _drawn(
    grid: xr.Dataset, curves: general.Curves, lines: str, panels: str | None, note: str | None
) -> Figure:
    """Panels, each with the exponents under it, and the legend; of a single panel it has the exponents."""
    parts = [grid] if panels is None else [grid.sel({panels: v}) for v in grid[panels].values]
    figure, all_axes = panel_grid(len(parts), 2.4, sharey=True)
    values, styles = grid[lines].values.tolist(), selection.styles(lines, grid[lines].values)
    minibatches = bool(np.isfinite(grid.batch_size).any())
    names = [selection.text(lines, value, minibatches=minibatches) for value in values]
    drawn = set()
    for axes, part in zip(all_axes, parts, strict=True):
        drawn |= curves.panel(axes, part, lines)
        powers = [curves.power(part.sel({lines: value})) for value in values]
        if panels is None:
            names = [with_power(*pair) for pair in zip(names, powers, strict=True)]
        else:
            axes.set_title(selection.text(panels, part[panels].item(), minibatches=minibatches))
            powers_under(axes, powers, styles)
        if at_left(axes):
            axes.set_ylabel(general.NAMES[curves.y])
    for axes, part in zip(all_axes, parts, strict=True):  # their common axis is known now
        drawn |= curves.distinct_items(axes, part)
    letters(figure)
    figure.suptitle(_title(grid, minibatches), fontsize="medium")
    joined = "" if "fit" in drawn else "-"
    handles = [
        handle(name, linestyle=joined, **look) for name, look in zip(names, styles, strict=True)
    ]
    if curves.x == "step":
        handles += seed_bands(grid) + diverged_handle(grid)
    else:
        handles += seed_bars(grid)
    handles += [
        handle(text, **look) for key, (text, look) in general.BESIDES.items() if key in drawn
    ]
    make_room(figure, legend_below(figure, handles, note))
    return figure


def _title(grid: xr.Dataset, minibatches: bool) -> str:
    """What all lines have in common."""
    dims = [dim for dim in selection.ORDER if dim in grid.coords and grid[dim].ndim == 0]
    if grid.kappa.ndim == 0 and grid.kappa == 0:
        dims.remove("kappa")
    texts = [selection.text(dim, grid[dim].item(), minibatches=minibatches) for dim in dims]
    half = -(-len(texts) // 2) if len(texts) > 3 else len(texts)
    return ",\n".join(", ".join(line) for line in (texts[:half], texts[half:]) if line)
