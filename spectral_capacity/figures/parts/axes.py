"""Axes: ticks, room for what stands inside, and notes beside a point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter, LogLocator, NullFormatter


def powers_of_two(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic x axis, of d or of steps, with a tick at each value, written as a number."""
    axes.set_xscale("log", base=2)
    beyond = 1.06 * (np.max(values) / np.min(values)) ** 0.04
    axes.set_xlim(np.min(values) / beyond, np.max(values) * beyond)
    axes.set_xticks(values, [f"{v:g}" for v in values])
    axes.xaxis.set_minor_locator(LogLocator(base=2, subs=()))
    axes.xaxis.set_minor_formatter(NullFormatter())


def count_axis(axes: Axes) -> None:
    """A logarithmic y axis of counts with plain numbers, between powers of ten too where these are few."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.3, 0.5)))


def plain_numbers(axes: Axes, multiples: Sequence[int]) -> None:
    """Ticks of a logarithmic y axis at these multiples of powers of ten, written as numbers."""
    axes.yaxis.set_major_locator(LogLocator(subs=multiples))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def room_above(axes: Axes, share: float) -> None:
    """Lengthen a y axis upwards by this share of itself, for a legend above the data."""
    transform = axes.yaxis.get_transform()
    low, high = transform.transform(np.array(axes.get_ylim()))
    axes.set_ylim(top=transform.inverted().transform(np.array([high + share * (high - low)]))[0])


def note(axes: Axes, text: str, at: tuple, offset: tuple[int, int], **place) -> None:
    """Small dark grey text, ``offset`` in points from ``at``."""
    style = {"textcoords": "offset points", "color": "0.35", "fontsize": 7}
    axes.annotate(text, at, offset, **style | place)


def free_corner(axes: Axes, level: float) -> str:
    """Where a legend stands clear of curves that rise to the right, when their middle is at ``level``.

    Above them, unless that is above the middle of the axis: then below them.
    """
    transform = axes.yaxis.get_transform()
    low, high, middle = transform.transform(np.array([*axes.get_ylim(), level]))
    return "lower right" if middle > (low + high) / 2 else "upper left"
