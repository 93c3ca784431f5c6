r"""Items stored after one population step when the output embeddings have the spectrum k^(−κ).

A row per frequency exponent :math:`\alpha`. **a**, **b**, **d**, **e** Counts, with fitted powers of
:math:`d`. **c**, **f** The exponent, over all :math:`d`, against :math:`\kappa`. Grey: :math:`1 + 1/(2\alpha)`
for Newton at every :math:`\kappa`; for Muon a heuristic of ours, lower by
:math:`\max(\kappa - 1, 0)/(2\alpha)`. Dotted: prediction without a fit parameter.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.axes import count_axis, named_ticks, note, powers_of_two
from spectral_capacity.figures.parts.common import GUIDE, PAGE, handle, plt, prediction_handle
from spectral_capacity.figures.parts.curves import (
    apart,
    counts_against_d,
    interval_bars,
    over,
    short_if_one,
    shown_fit,
)
from spectral_capacity.figures.parts.legends import (
    left_out,
    legend_below,
    resampled_bars,
    seed_bars,
)
from spectral_capacity.figures.parts.looks import label, marker, optimizer_style, shades
from spectral_capacity.figures.parts.panels import at_left, letters
from spectral_capacity.theory.exponents import muon_exponent

KIND = "memory"
THEME = "Optimizers"
SHOWS = "anisotropy"
NEEDS = ("population", "one step")

THEORY = {
    "muon": ("-.", "heuristic", muon_exponent),
    "newton": ("-", "theory", lambda alpha, kappa: muon_exponent(alpha)),
}
"""By family: how the exponent is drawn and called, and what it is. Other families have none over κ."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """Panels per α: mean counts with their range over seeds against d, and exponents against κ.

    A panel of counts per optimizer, on one y axis, with a line per κ. Dashed are the fits of the mean
    over all d's, dotted the parameter-free prediction when ``finite_size``. Lines of different κ stand a little
    apart in d; Newton's, which lie on each other, take turns, and a note says by how much κ moves a count
    at most. The exponents are those of the same fits with their intervals over resampled seeds, the
    dotted ones the prediction's. Shows the population batch and the last step.
    """
    here = grid.sel(batch_size=np.inf).isel(step=-1).sortby("d").transpose(..., "d", "seed")
    fits = fits.sel(batch_size=np.inf, quantity="capacity").isel(step=-1).sortby("d")
    names = here.optimizer.values
    figure, blocks = _panels(here.alpha.size, names.size + 1)
    then = ", " if blocks[0][0].get_gridspec().ncols < 4 else "\n"
    for (*panels, last), alpha in zip(blocks, here.alpha.values, strict=True):
        for axes, name in zip(panels, names, strict=True):
            one = {"optimizer": name, "alpha": alpha}
            _counts(axes, here.sel(one), fits.sel(one), finite_size)
            axes.set_title(rf"{label(name)}{then}$\alpha$ = {alpha:g}")
            if axes is not panels[0]:
                axes.sharey(panels[0])
            axes.tick_params(labelleft=at_left(axes))
            axes.set_ylabel("recovered items" if at_left(axes) else "")
        _exponents(last, fits.sel(alpha=alpha), finite_size)
        last.set_title(rf"Exponents{then}$\alpha$ = {alpha:g}")
    letters(figure)
    handles, _ = blocks[0][0].get_legend_handles_labels()
    handles += [handle(label(name), linestyle="", **optimizer_style(name)) for name in names]
    handles += _handles(fits, finite_size)
    handles += seed_bars(grid, "counts") + resampled_bars(fits, "exponents")
    legend_below(figure, handles, left_out(grid, here), handlelength=2.4)
    return figure


def _panels(blocks: int, n: int) -> tuple[Figure, list[list[Axes]]]:
    """Axes of each block of n panels: a row, of four panels at most, or the rows it takes."""
    rows = -(-n // 4)
    columns = -(-n // rows)
    size = (PAGE, 0.9 + 1.9 * rows * blocks)
    figure, panels = plt.subplots(rows * blocks, columns, figsize=size, squeeze=False)
    found = panels.reshape(blocks, rows * columns).tolist()
    for block in found:
        for axes in block[n:]:
            axes.remove()
    return figure, [block[:n] for block in found]


def _counts(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, finite_size: bool) -> None:
    d, kappas = grid.d.values, grid.kappa.values
    powers_of_two(axes, d)
    count_axis(axes)
    axes.set_xlabel("dimension $d$")
    n = kappas.size
    shift = apart(n, 1.05)
    alike = fits.family.item() == "newton"
    turns = n if alike else 1
    for i, (kappa, colour) in enumerate(zip(kappas, shades(n + 1)[:n], strict=True)):
        one = fits.sel(kappa=kappa)
        counts_against_d(
            axes,
            d,
            grid.capacity.sel(kappa=kappa).values,
            shown_fit(one).exponent.item(),
            color=colour,
            marker=marker(3 + i),
            label=rf"$\kappa$ = {kappa:g}",
            predicted=one.predicted_capacity.values if finite_size else None,
            shift=shift[i],
            dashes=(6 * i, (4, 6 * turns - 4)),
            dots=(3 * i, (1, 3 * turns - 1)),
        )
    moved = (grid.capacity.max("kappa") - grid.capacity.min("kappa")).max().item()
    if alike and n > 1 and np.isfinite(moved):
        text = f"$\\kappa$ moves no count\nby more than {moved:g}"
        text = text if moved else "the same counts\nfor every $\\kappa$"
        note(axes, text, (1, 0), (-3, 4), xycoords="axes fraction", ha="right")


def _exponents(axes: Axes, fits: xr.Dataset, finite_size: bool) -> None:
    """Of every optimizer at one α, side by side in κ."""
    kappa = fits.kappa.values
    smooth = np.linspace(kappa.min(), kappa.max(), 101) if kappa.size > 1 else kappa
    step = 0.02 * (np.ptp(kappa) or 1)
    for i, name in enumerate(fits.optimizer.values):
        line, style = shown_fit(fits.sel(optimizer=name)), optimizer_style(name)
        shift = step * (2 * i - fits.optimizer.size + 1)
        points = {"linestyle": "", "elinewidth": 0.8, **style}
        axes.errorbar(kappa + shift, line.exponent.values, interval_bars(line), **points)
        if finite_size:
            where, expected = short_if_one(kappa, line.finite_size.values)
            axes.plot(where + shift, expected, ":", color=style["color"])
        if _has_theory(line):
            dashes, _, exponent = THEORY[line.family.item()]
            values = [exponent(line.alpha.item(), k) for k in smooth]
            axes.plot(*short_if_one(smooth, values), dashes, **GUIDE)
    named_ticks(axes, kappa)
    axes.set_xlabel(r"exponent $\kappa$")
    axes.set_ylabel("exponent $C$")


def _has_theory(line: xr.Dataset) -> bool:
    return line.family.item() in THEORY and bool(np.isfinite(line.theory).any())


def _handles(fits: xr.Dataset, finite_size: bool) -> list[Line2D]:
    handles = [handle(f"power of $d$ fitted {over(fits.d)}", linestyle="--", linewidth=0.9)]
    if finite_size:
        handles.append(prediction_handle(linewidth=1.4))
    named = {}
    for name in fits.optimizer.values:
        line = fits.sel(optimizer=name)
        if _has_theory(line):
            named.setdefault(line.family.item(), label(name))
    for family, name in named.items():
        dashes, what, _ = THEORY[family]
        handles.append(handle(f"{what}, {name}", linestyle=dashes, **GUIDE))
    return handles
