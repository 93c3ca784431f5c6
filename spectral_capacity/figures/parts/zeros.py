"""Zeros on logarithmic axes, where they have no place: marks at the edge, and what a legend says of them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.common import handle

MARKS = {
    "all seeds are zero": ("at the edge, open: no seed recovered an item", "white"),
    "a seed is zero": ("at the edge, filled: a seed recovered none", None),
}
"""By gid: what a legend says of a mark, and the filling of its marker, None the colour of the line."""


def mark_zeros(axes: Axes, x: np.ndarray, values: np.ndarray, colour, *, of: str = "y") -> None:
    """Marks at the edge of a logarithmic axis (``of``: x or y) where zeros among values (m, seeds) lie.

    An open one where all seeds are zero: there is no point then. A filled one where some are: the range over
    seeds goes through the edge. ``x`` (m,): places along the other axis. Nothing on a linear axis.
    """
    if getattr(axes, f"get_{of}scale")() != "log":
        return
    least, most = values.min(axis=1), values.max(axis=1)
    found = (most == 0), (least == 0) & (most > 0)
    for (gid, (_, fill)), here in zip(MARKS.items(), found, strict=True):
        if here.any():
            places, edge = x[here], np.zeros(here.sum())
            where = (places, edge) if of == "y" else (edge, places)
            across = axes.get_xaxis_transform() if of == "y" else axes.get_yaxis_transform()
            style = {"marker": "v" if of == "y" else "<", "markersize": 3.5, "linestyle": ""}
            style |= {"color": colour, "markerfacecolor": fill or colour, "markeredgewidth": 0.7}
            axes.plot(*where, transform=across, gid=gid, clip_on=False, zorder=6, **style)


def zero_handles(figure: Figure) -> list[Line2D]:
    """The legend's entries of the marks that a figure has; none where nothing is zero."""
    handles = []
    for gid, (text, fill) in MARKS.items():
        marks = [line for axes in figure.axes for line in axes.lines if line.get_gid() == gid]
        if marks:
            style = {"marker": marks[0].get_marker(), "markersize": 3.5, "linestyle": ""}
            handles.append(handle(text, **style, **({"markerfacecolor": fill} if fill else {})))
    return handles
