"""Items stored after one population step when the output embeddings have the spectrum k^(−κ).

Right, the exponent of the count over the largest d with its interval over resampled seeds. Bars left: range
over seeds. Dashed: fitted powers. Dotted: prediction without a fit parameter. Grey: 1 + 1/(2α) for Newton at
every κ; for Muon a heuristic of ours, lower by max(κ − 1, 0)/(2α).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.axes import powers_of_two, room_above
from spectral_capacity.figures.parts.common import GUIDE, PAGE, handle, plt, prediction_handle
from spectral_capacity.figures.parts.curves import apart, counts_against_d, interval_bars
from spectral_capacity.figures.parts.looks import label, marker, shades
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
    """A row per α: mean counts with their range over seeds against d, then exponents against κ.

    One line per κ. Dashed are the fits of the mean ("ols"), dotted the parameter-free prediction when
    ``finite_size``. Markers of different κ stand a little apart in d; Newton's lines, which lie on each
    other, take turns, and a note says by how much κ moves a count at most. The exponents are those
    over the largest d's with their intervals over resampled seeds, the dotted ones the prediction's.
    Shows the population batch and the last step.
    """
    grid = grid.sel(batch_size=np.inf).isel(step=-1).transpose(..., "d", "seed")
    fits = fits.sel(batch_size=np.inf, quantity="capacity").isel(step=-1)
    n_alphas, n_optimizers = grid.alpha.size, grid.optimizer.size
    size = (PAGE, 0.5 + 2.2 * n_alphas)
    shape = {"figsize": size, "squeeze": False, "sharex": "col"}
    figure, rows = plt.subplots(n_alphas, n_optimizers + 1, **shape)
    for (*panels, last), alpha in zip(rows, grid.alpha.values, strict=True):
        for axes, optimizer in zip(panels, grid.optimizer.values, strict=True):
            here = {"optimizer": optimizer, "alpha": alpha}
            _counts(axes, grid.sel(here), fits.sel(here), finite_size)
            axes.set_title(rf"One {label(optimizer)} step, $\alpha$ = {alpha:g}")
            axes.sharey(panels[0])
        room_above(panels[0], 0.05 * grid.kappa.size)
        panels[0].set_ylabel("recovered items")
        _exponents(last, fits.sel(alpha=alpha), finite_size)
        last.set_title(rf"Exponents, $\alpha$ = {alpha:g}")
    for axes in rows[-1, :-1]:
        axes.set_xlabel("embedding dimension $d$")
    rows[-1, -1].set_xlabel(r"spectral exponent $\kappa$")
    room_above(rows[0, -1], 0.1 * n_optimizers)
    rows[0, -1].legend(loc="upper left", handletextpad=0.3)
    rows[0, 0].legend(loc="upper left", handletextpad=0.3, labelspacing=0.25)
    handles = _handles(fits, finite_size)
    figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=2.4)
    return figure


def _counts(axes: Axes, grid: xr.Dataset, fits: xr.Dataset, finite_size: bool) -> None:
    d, kappas = grid.d.values, grid.kappa.values
    powers_of_two(axes, d)
    axes.set_yscale("log")
    n = kappas.size
    shift = apart(n, 1.05)
    alike = fits.family.item() == "newton"
    turns = n if alike else 1
    for i, (kappa, colour) in enumerate(zip(kappas, shades(n), strict=True)):
        one = fits.sel(kappa=kappa)
        counts_against_d(
            axes,
            d,
            grid.capacity.sel(kappa=kappa).values,
            one.exponent.sel(fit="ols").item(),
            color=colour,
            marker=marker(i),
            label=rf"$\kappa$ = {kappa:g}",
            shift=shift[i],
            dashes=(6 * i, (4, 6 * turns - 4)),
        )
        if finite_size:
            dots = (3 * i, (1, 3 * turns - 1))
            axes.plot(d, one.predicted_capacity, color=colour, linewidth=1.3, linestyle=dots)
    moved = (grid.capacity.max("kappa") - grid.capacity.min("kappa")).max().item()
    if alike and n > 1 and np.isfinite(moved):
        text = f"no count moves with $\\kappa$\nby more than {moved:g}"
        text = text if moved else "the same counts for every $\\kappa$"
        axes.text(0.96, 0.08, text, ha="right", transform=axes.transAxes, fontsize=7)


def _exponents(axes: Axes, fits: xr.Dataset, finite_size: bool) -> None:
    kappa = fits.kappa.values
    smooth = np.linspace(kappa.min(), kappa.max(), 101)
    shift = 0.02 * np.ptp(kappa)
    for i, optimizer in enumerate(fits.optimizer.values):
        line = fits.sel(optimizer=optimizer, fit="largest")
        where = kappa + shift * (2 * i - fits.optimizer.size + 1)
        style = {"fmt": marker(i), "color": f"C{i}", "label": label(optimizer)}
        axes.errorbar(where, line.exponent.values, interval_bars(line), elinewidth=0.8, **style)
        if finite_size:
            axes.plot(kappa, line.finite_size, ":", color=f"C{i}")
        if _has_theory(line):
            dashes, _, exponent = THEORY[line.family.item()]
            values = [exponent(line.alpha.item(), k) for k in smooth]
            axes.plot(smooth, values, dashes, **GUIDE)
    axes.set_xticks(kappa)
    axes.set_ylabel("exponent $C$")


def _has_theory(line: xr.Dataset) -> bool:
    return line.family.item() in THEORY and bool(np.isfinite(line.theory).any())


def _handles(fits: xr.Dataset, finite_size: bool) -> list[Line2D]:
    handles = [handle("power law fitted to the means", linestyle="--", linewidth=0.9)]
    if finite_size:
        handles.append(prediction_handle(linewidth=1.4))
    for optimizer in fits.optimizer.values:
        line = fits.sel(optimizer=optimizer)
        if _has_theory(line):
            dashes, name, _ = THEORY[line.family.item()]
            handles.append(handle(f"{name}, {label(optimizer)}", linestyle=dashes, **GUIDE))
    return handles
