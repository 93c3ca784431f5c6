"""Exponent of the number of items stored after one step, against the exponent of the item frequencies.

Grey: the theorems of arXiv:2603.26554.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import note
from spectral_capacity.figures.parts.common import COLUMN, GUIDE, handle, plt
from spectral_capacity.figures.parts.curves import interval_bars
from spectral_capacity.figures.parts.looks import label, marker

KIND = "memory"
THEME = "One step"
SHOWS = "one_step"
NEEDS = ("population", "one step")

GRADIENT = r"theory: $\frac{1}{2\alpha}$"
SPECTRAL = r"theory: $1+\frac{1}{2\alpha}$"
THEORY = {"gradient": GRADIENT, "muon": SPECTRAL, "newton": SPECTRAL}


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """C(α) of each optimizer: the fit over all d's, over the largest d's, and the theory.

    Filled markers are the fit over all d's ("ols"), open ones that over the largest d's, bars their
    intervals over resampled seeds; the thin line is C(α) = c1 + c2/α, the grey line the theorem,
    and the dotted line the fit over all d's of the parameter-free prediction. ``grid`` is not shown, nor any
    κ but the first.
    """
    fits = fits.sel(quantity="capacity", batch_size=np.inf).isel(step=-1, kappa=0)
    alpha = fits.alpha.values
    smooth = np.linspace(alpha.min(), alpha.max(), 100)
    figure, axes = plt.subplots(figsize=(COLUMN, 3.3))
    for i, optimizer in enumerate(fits.optimizer.values):
        one = fits.sel(optimizer=optimizer)
        _fitted(axes, one, i)
        axes.plot(smooth, one.c1.item() + one.c2.item() / smooth, color=f"C{i}", linewidth=0.8)
        if np.isfinite(one.theory).any():
            theory = one.sel(fit="ols").theory
            axes.plot(alpha, theory, **GUIDE | {"color": "0.55"})
            text, end = THEORY[one.family.item()], (alpha[-1], theory[-1])
            note(axes, text, end, (0, -4), ha="right", va="top")
        if finite_size:
            axes.plot(alpha, one.sel(fit="ols").finite_size, ":", color=f"C{i}")
    axes.set_xlabel(r"frequency exponent $\alpha$")
    axes.set_ylabel(r"capacity exponent $C$,  items $\propto d^{\,C}$")
    axes.set_ylim(min(0, axes.get_ylim()[0]), None)
    handles, _ = axes.get_legend_handles_labels()
    handles.append(handle(r"$c_1 + c_2/\alpha$", linewidth=0.8))
    if finite_size:
        handles.append(handle("prediction, all $d$", linestyle=":"))
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _fitted(axes: Axes, fits: xr.Dataset, i: int) -> None:
    """Both fits of the i-th optimizer, side by side."""
    alpha, name = fits.alpha.values, label(fits.optimizer.item())
    step = 0.012 * np.ptp(alpha)
    for fit, shift, fill, text in (
        ("ols", -step, f"C{i}", f"{name}, all $d$"),
        ("largest", step, "white", f"{name}, largest $d$"),
    ):
        line = fits.sel(fit=fit)
        axes.errorbar(
            alpha + shift,
            line.exponent.values,
            interval_bars(line),
            fmt=marker(i),
            color=f"C{i}",
            markerfacecolor=fill,
            elinewidth=0.8,
            label=text,
        )
