"""What stands under a figure: the legend, what its bars are, and what it leaves out of an experiment."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.common import GUIDE, configuration, handle
from spectral_capacity.figures.parts.curves import over
from spectral_capacity.figures.parts.looks import label, listed
from spectral_capacity.figures.parts.zeros import zero_handles

SYMBOLS = {
    "optimizer": "optimizer",
    "alpha": r"$\alpha$",
    "alpha_triggers": r"$\alpha_t$",
    "alpha_outputs": r"$\alpha_o$",
    "kappa": r"$\kappa$",
    "d": "$d$",
    "batch_size": "$B$",
    "step": "$t$",
    "iteration": "iteration",
}


def legend_below(
    figure: Figure,
    handles: Sequence[Artist | Container],
    left_out: str | None = None,
    wrap: int | None = None,
    **style,
) -> Legend:
    """The figure's legend under its panels, in as many columns as fit its width; it explains marks of zeros.

    left_out: as of :func:`left_out`, written above it; also the figure's attribute of this name. wrap: break
    entries at so many characters, for more columns.
    """
    handles = [*handles, *zero_handles(figure)]
    for one in handles if wrap else ():
        one.set_label(_wrapped(one.get_label(), wrap))
    figure.left_out = left_out
    note = left_out and _wrapped(left_out, int(16 * figure.get_figwidth()))
    style = {"loc": "outside lower center", "title": note, "title_fontsize": 7} | style
    for columns in range(max(len(handles), 1), 0, -1):
        legend = figure.legend(handles=handles, ncols=columns, **style)
        if columns == 1 or legend.get_window_extent().width <= 0.98 * figure.bbox.width:
            break
        legend.remove()
    legend.get_title().set_color("0.35")
    return legend


def _wrapped(text: str, width: int) -> str:
    """In lines of this many characters, without a break in what holds no space, as mathematics."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def left_out(grid: xr.Dataset, shown: xr.Dataset | xr.DataArray) -> str | None:
    """What a figure shows of an experiment where that has more; None where it shows all.

    ``shown``: the grid with what was chosen of it, as coordinates. Seeds are not spoken of.
    """
    parts = []
    for dim, symbol in SYMBOLS.items():
        if dim not in grid.dims or dim not in shown.coords:
            continue
        every, some = grid[dim].values, np.atleast_1d(shown[dim].values)
        if some.size < every.size:
            parts.append(f"{symbol} = {_written(some)} of {_written(every)}")
    return "Shown: " + "; ".join(parts) if parts else None


def left_out_of_all(grids: Sequence[xr.Dataset], shown: Sequence[xr.Dataset]) -> str | None:
    """The same of several experiments, what is said of more than one once."""
    begin = "Shown: "
    notes = (left_out(grid, one) for grid, one in zip(grids, shown, strict=True))
    parts = dict.fromkeys(note.removeprefix(begin) for note in notes if note)
    return begin + "; ".join(parts) if parts else None


def _written(values: np.ndarray) -> str:
    if values.dtype.kind in "OUT":
        return listed(map(label, values.tolist()))
    return listed(f"{v:g}" if np.isfinite(v) else r"$\infty$" for v in values.tolist())


def seed_bars(grid: xr.Dataset, of: str = "") -> list[Line2D]:
    """The legend's entry of bars that are ranges over seeds, if only those ``of`` this; none for one seed."""
    return [bars_handle(of, "range over seeds")] if grid.seed.size > 1 else []


def power_handles(powers: Sequence[xr.Dataset]) -> list[Line2D]:
    """The legend's entries of dashed fits and of grey slopes of the theory, as far as some line has them."""
    found = []
    if any(np.isfinite(power.exponent) for power in powers):
        found.append(handle(f"power fitted {over(powers[0].d)}", linestyle="--", linewidth=0.9))
    if any(np.isfinite(power.theory) for power in powers):
        found.append(handle("slope of the theory", **GUIDE | {"linewidth": 0.9}))
    return found


def resampled_bars(fits: xr.Dataset, of: str = "") -> list[Line2D]:
    """The legend's entry of bars that are intervals over resampled seeds; none where none is known."""
    if not np.isfinite(fits.boot_low).any():
        return []
    confidence = configuration(fits)["confidence"]
    return [
        bars_handle(of, f"{100 * confidence:g}\N{NO-BREAK SPACE}% interval over resampled seeds")
    ]


def bars_handle(of: str, what: str) -> Line2D:
    """The legend's entry of bars: of what, and what they are."""
    of = f" of {of}" if of else ""
    return handle(f"bars{of}: {what}", linestyle="", marker="|", markersize=8)
