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


def panel_pairs(n: int, heights: tuple[float, float]) -> tuple[Figure, np.ndarray, np.ndarray]:
    """A figure of n panels in rows, each with another one under it, and the axes of both, (n,) each.

    ``heights``: of the two, in inches. The upper ones share their y axis, numbered at the left only.
    """
    columns = columns_for(n)
    rows = -(-n // columns)
    size = (PAGE if n > 1 else 0.65 * PAGE, 0.7 + sum(heights) * rows)
    shape = {"figsize": size, "squeeze": False, "height_ratios": heights * rows}
    figure, panels = plt.subplots(2 * rows, columns, **shape)
    above, below = panels[::2].ravel(), panels[1::2].ravel()
    for axes in (*above[n:], *below[n:]):
        axes.remove()
    for axes in above[1:n]:
        axes.sharey(above[0])
        axes.tick_params(labelleft=at_left(axes))
    return figure, above[:n], below[:n]


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
