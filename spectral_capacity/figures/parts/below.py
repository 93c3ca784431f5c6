"""What stands under panels: fitted exponents, and room for them and for the legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.transforms import ScaledTranslation

from spectral_capacity.figures.parts.common import handle
from spectral_capacity.figures.parts.curves import fit_text, power_text

BELOW = 30
"""Points from the axes to what stands under the name of the horizontal axis."""


def with_power(name: str, power: xr.Dataset | None) -> str:
    """A line's name with the power fitted to it and the theory's exponent, as far as they are known."""
    return ":  ".join(filter(None, [name, "" if power is None else fit_text(power)]))


def make_room(figure: Figure, legend: Legend) -> None:
    """Make a figure higher by what stands under its panels, which then have the height they were given."""
    rows: dict[int, float] = {}
    for axes in figure.axes:
        box = under.get_window_extent() if (under := axes.get_legend()) else None
        if box and box.y1 < axes.bbox.y0:
            row = axes.get_subplotspec().rowspan.start
            rows[row] = max(rows.get(row, 0.0), box.height)
    added = legend.get_window_extent().height + sum(rows.values())
    figure.set_figheight(figure.get_figheight() + added / figure.dpi)


def powers_under(
    axes: Axes, powers: Sequence[xr.Dataset | None], looks: Sequence[dict[str, Any]]
) -> None:
    """A row for each fit under the panel: marker, power with its interval, the theory's exponent.

    Nothing where no fit is known.
    """
    rows = [
        (_row(power), look)
        for power, look in zip(powers, looks, strict=True)
        if power is not None and np.isfinite(power.exponent)
    ]
    theory = any(np.isfinite(power.theory) for power in powers if power)
    rows_under(axes, rows, "fit, theory" if theory else "fit")


def rows_under(axes: Axes, rows: Sequence[tuple[str, dict[str, Any]]], title: str) -> None:
    """A title under the panel, and a row for each text with its marker under it; nothing without rows."""
    if not rows:
        return
    below = axes.transAxes + ScaledTranslation(0, -BELOW / 72, axes.figure.dpi_scale_trans)
    axes.legend(
        handles=[handle(text, linestyle="", **look) for text, look in rows],
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=below,
        borderaxespad=0,
        borderpad=0,
        handlelength=0.8,
        handletextpad=0.3,
        title=title,
        title_fontsize=7,
    )


def _row(power: xr.Dataset) -> str:
    theory = f", {power.theory.item():.2f}" if np.isfinite(power.theory) else ""
    return power_text(power) + theory
