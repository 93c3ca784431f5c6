"""Panels of a figure: how many stand side by side, and their letters."""

from __future__ import annotations

from itertools import product
from string import ascii_lowercase

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.common import COLUMN, PAGE, plt

LETTER = "letter"
"""The gid of letters, which tells them from what stands inside of panels."""


def columns_for(n: int) -> int:
    """How many of n panels stand side by side: three at most, and four as two by two."""
    return 2 if n == 4 else min(n, 3)


def panel_grid(n: int, height: float, **shape) -> tuple[Figure, np.ndarray]:
    """A figure of n panels in rows of this height, in inches, and its axes (n,) in reading order.

    One panel is a column wide, more are a page. ``shape``: what else ``subplots`` takes.
    """
    columns = columns_for(n)
    rows = -(-n // columns)
    size = (COLUMN if n == 1 else PAGE, 0.5 + height * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, **shape)
    for axes in panels.flat[n:]:
        axes.remove()
    return figure, panels.ravel()[:n]


def panel_stacks(n: int, heights: tuple[float, ...]) -> tuple[Figure, *tuple[np.ndarray, ...]]:
    """A figure of n panels in rows, others under each, and the axes of every storey, (n,) each, from the top.

    ``heights``: of the storeys, in inches. Those at the top share their y axis, numbered at the left only.
    """
    columns, storeys = columns_for(n), len(heights)
    rows = -(-n // columns)
    size = (PAGE if n > 1 else 0.65 * PAGE, 0.7 + sum(heights) * rows)
    shape = {"figsize": size, "squeeze": False, "height_ratios": heights * rows}
    figure, panels = plt.subplots(storeys * rows, columns, **shape)
    stacks = [panels[i::storeys].ravel() for i in range(storeys)]
    for axes in (axes for stack in stacks for axes in stack[n:]):
        axes.remove()
    for axes in stacks[0][1:n]:
        axes.sharey(stacks[0][0])
        axes.tick_params(labelleft=at_left(axes))
    return figure, *(stack[:n] for stack in stacks)


def at_left(axes: Axes) -> bool:
    """Whether a panel begins its row: there stand the names of y axes that a row shares."""
    return axes.get_subplotspec().is_first_col()


def letters(figure: Figure) -> None:
    """A bold letter above the top left corner of every panel, in reading order; none over a single one.

    Letters go on after z with aa.
    """
    names = (*ascii_lowercase, *map("".join, product(ascii_lowercase, repeat=2)))
    for name, axes in zip(names, figure.axes if len(figure.axes) > 1 else [], strict=False):
        axes.annotate(
            name,
            (0, 1),
            (-4, 4),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            fontweight="bold",
            fontsize=9,
            gid=LETTER,
            annotation_clip=False,
        )
