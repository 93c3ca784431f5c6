"""What a figure takes of an experiment: coordinates that are asked for, what lines and panels stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from spectral_capacity.analysis.runs import capacity_to_the_end
from spectral_capacity.figures.parts.looks import (
    MARKERS,
    alpha_style,
    d_style,
    label,
    listed,
    optimizer_style,
    shades,
)

ORDER = ("optimizer", "alpha", "d", "batch_size", "kappa", "step")
"""Dimensions that lines and panels may stand for, in the order in which they are taken."""
KEPT = {"optimizer": 0, "alpha": 0, "d": -1, "batch_size": -1, "kappa": 0, "step": -1}
"""Which value is shown of a dimension that nothing stands for; d and batch sizes ascend."""
OPTIONS = {"optimizer": "optimizers"}
"""What the choice among values is called where that is not the name of the dimension."""
MOST = {"lines": 9, "panels": 6}
"""Values of a dimension that becomes lines or panels without being asked for."""
MOST_ASKED_FOR = {"lines": 20, "panels": 12}


def to_the_end(grid: xr.Dataset, y: str) -> xr.Dataset:
    """The grid where ``y`` of runs of the population that stopped early stays at its last value."""
    return grid.assign({y: capacity_to_the_end(grid.assign(capacity=grid[y]))[0]})


def chosen(grid: xr.Dataset, wanted: dict[str, Sequence | None]) -> xr.Dataset:
    """The grid at the coordinates asked for, d and batch sizes ascending.

    ``wanted``: values by dimension, None for all. ValueError where the experiment has no such value.
    """
    for dim, values in wanted.items():
        if values is None:
            continue
        option = OPTIONS.get(dim, dim)
        values = [np.inf if value == "population" else value for value in values]
        missing = [value for value in values if value not in grid[dim].values]
        if missing or not values:
            raise ValueError(
                f"{option}: the experiment has no {_keys(missing) or 'values in an empty list'}; "
                f"it has {_keys(grid[dim].values.tolist())}"
            )
        grid = grid.sel({dim: values})
    return grid.sortby(["d", "batch_size"])


def _keys(values: Sequence) -> str:
    """Values as the configuration has them."""
    texts = (value if isinstance(value, str) else f"{value:g}" for value in values)
    return listed("population" if text == "inf" else text for text in texts)


def roles(
    grid: xr.Dataset, x: str, lines: str | None = None, panels: str | None = None
) -> tuple[str, str | None]:
    """The dimensions that lines and panels stand for; ``x`` is the horizontal axis's.

    Those asked for, else the first ones of :data:`ORDER` that have several values, and not too many.
    ValueError where one is asked for twice, or has more values than can be told apart.
    """
    asked = {"the horizontal axis": x}
    for option, dim in (("lines", lines), ("panels", panels)):
        if dim is not None and dim in asked.values():
            taken = next(name for name, other in asked.items() if other == dim)
            raise ValueError(f"{option}: {dim} is what {taken} has already; choose another one")
        if dim is not None and grid.sizes[dim] > MOST_ASKED_FOR[option]:
            raise ValueError(
                f"{option}: {dim} has {grid.sizes[dim]} values, and {MOST_ASKED_FOR[option]} {option} are the "
                f"most; choose some of them, {OPTIONS.get(dim, dim)}: […]"
            )
        asked[option] = dim
    found = {"lines": lines, "panels": panels}
    for option in found:
        free = (dim for dim in ORDER if dim not in (x, *found.values()))
        fitting = (dim for dim in free if 1 < grid.sizes[dim] <= MOST[option])
        found[option] = found[option] or next(fitting, None)
    return found["lines"] or next(dim for dim in ORDER if dim not in (x, panels)), found["panels"]


def kept(grid: xr.Dataset, *varied: str | None) -> xr.Dataset:
    """The grid at one value of each dimension that nothing stands for (:data:`KEPT`)."""
    return grid.isel({dim: i for dim, i in KEPT.items() if dim in grid.dims and dim not in varied})


def styles(dim: str, values: np.ndarray) -> list[dict[str, Any]]:
    """Colours and markers of the values of a dimension; larger batches are darker, as later steps are."""
    known = {"optimizer": optimizer_style, "alpha": alpha_style, "d": d_style}
    if dim in known:
        return [known[dim](value) for value in values.tolist()]
    colours = shades(values.size)[:: 1 if dim == "kappa" else -1]
    return [
        {"color": colour, "marker": MARKERS[i % len(MARKERS)]} for i, colour in enumerate(colours)
    ]


def text(dim: str, value: str | float | int, *, minibatches: bool = False) -> str:
    """A value as it is written in a figure."""
    if dim == "optimizer":
        return label(value, minibatches=minibatches)
    if dim == "batch_size":
        return f"$B$ = {value:,.0f}" if np.isfinite(value) else "population"
    symbols = {"alpha": r"$\alpha$ = ", "d": "$d$ = ", "kappa": r"$\kappa$ = ", "step": "step "}
    return f"{symbols[dim]}{value:g}"
