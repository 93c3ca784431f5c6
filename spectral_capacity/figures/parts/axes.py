"""Axes: ticks, room for what stands inside, and notes beside a point."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter


def powers_of_two(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic x axis, of d or of steps, with a tick at each value, written as a number."""
    axes.set_xscale("log", base=2)
    range_ = np.max(values) / np.min(values)
    beyond = 1.06 * range_**0.04 if range_ > 1 else 1.3
    axes.set_xlim(np.min(values) / beyond, np.max(values) * beyond)
    named_ticks(axes, values)
    axes.xaxis.set_minor_locator(LogLocator(base=2, subs=()))
    axes.xaxis.set_minor_formatter(NullFormatter())


def named_ticks(axes: Axes, values: Sequence[Real] | np.ndarray) -> None:
    """A tick of the x axis, with its limits as they are, at each value; its number where there is room."""
    axes.set_xlim(axes.get_xlim())
    at = np.reshape([(value, 1) for value in values], (-1, 2))
    places = axes.transData.transform(at)[:, 0]
    texts, taken = [], -np.inf
    for value, place in zip(values, places * 72 / axes.figure.dpi, strict=True):
        half = 2.1 * len(f"{value:g}")
        fits = place - half > taken
        texts.append(f"{value:g}" if fits else "")
        taken = place + half + 2 if fits else taken
    axes.set_xticks(values, texts)


def count_axis(axes: Axes) -> None:
    """A logarithmic y axis with plain numbers, between powers of ten too where there are few of them."""

    def between(value: float, _) -> str:
        low, high = axes.get_ylim()
        decades = np.log10(high / low)
        first = round(value / 10 ** np.floor(np.log10(value)))
        return f"{value:,g}" if decades < 0.5 or (decades < 2 and first in (2, 5)) else ""

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_formatter(between)


def plain_numbers(axes: Axes, multiples: Sequence[int]) -> None:
    """Ticks of a logarithmic y axis at these multiples of powers of ten, written as numbers."""
    axes.yaxis.set_major_locator(LogLocator(subs=multiples))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


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
