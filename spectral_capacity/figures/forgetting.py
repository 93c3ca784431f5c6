r"""What several Muon steps take back and forget: competitors' noise, overlaps, the head, items lost.

A column per experiment, at its first α; under each other, against the step: **a**, …
:math:`V_t = d\, (\tau/\eta)^2`, τ the standard deviation of a competitor's logit; grey: :math:`t`, directions
that are orthogonal, and :math:`t^2`, one direction. **d**, … cosine of a step's direction with the memory
before it, :math:`(V_t - V_{t-1} - 1) / (2 \sqrt{V_{t-1}})`: below zero it takes back. **g**, … share of the
head, the d most frequent items. **j**, … items recovered after an earlier step and not now, as a share of all
recovered so far. Exact gradients push back what the memory says already, so that :math:`V_t` all but stops
growing; at the larger rate they take back so much that, at small d, part of the head is lost at every other
step and regained at the next. Thresholded gradients take nothing back: :math:`V_t` grows like :math:`t^2`, and
the head goes within about a step of where competitors, :math:`k_N \sqrt{V_t}`, come up to what an item can have
that was learnt at once, :math:`\sqrt d` (dotted); :math:`k_N` is the mean maximum of N normal variables. Open:
predictions without a fit parameter, where there are any. Means over seeds; bands: range over seeds; thin lines,
one by one, where a run has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import plain_numbers
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import GUIDE, configuration, first_muon, handle
from spectral_capacity.figures.parts.legends import left_out_of_all, legend_below
from spectral_capacity.figures.parts.looks import d_style
from spectral_capacity.figures.parts.panels import letters, panel_grid
from spectral_capacity.figures.parts.steps import seed_bands, step_axis, step_band
from spectral_capacity.theory.learning_rates import rate_at
from spectral_capacity.theory.predictions import expected_maximum

KIND = "memory"
THEME = "Many steps"
SHOWS = {
    "exact": "long_run",
    "slow": "gd_against_muon",
    "thresholded": "gd_against_muon_thresholded",
}
NEEDS = ("population", "muon", "2 steps")

MOST_STEPS = 16
"""On a linear axis alternation from step to step is seen; of more steps it would be a band."""
ROWS = {
    "variance": "variance of\ncompetitors $V_t$",
    "cosine": "cosine of step\nand memory",
    "head": "share of the\nhead recovered",
    "forgotten": "share of items\nforgotten",
}
PREDICTED = {
    "linestyle": "",
    "markerfacecolor": "none",
    "markersize": 5,
    "markeredgewidth": 0.7,
    "zorder": 3,
}
OVERTAKEN = {"linestyle": ":", "linewidth": 1.2}
THIN = GUIDE | {"linewidth": 1.0}


def plot(
    grids: Sequence[xr.Dataset], fits: Sequence[xr.Dataset], *, finite_size: bool = True
) -> Figure:
    """A column per experiment and a line per d: mean with the range over seeds against the step.

    Rows: V_t = d (τ/η)², τ the standard deviation of a competitor's logit and η the rate; the cosine of the
    last direction with the memory before it, for a constant rate and κ = 0; the share of the head, the d most
    frequent items, that is recovered; items recovered after an earlier step and not now, as a share of all
    recovered so far. With ``finite_size``, open: predictions of all but the last without a fit parameter, where
    there are any; and, dotted, for thresholded gradients, d/k_N², the V_t at which competitors come up to the
    most that an item has that was learnt at once. Of each experiment the first exact Muon, the population
    batch, the first α and the first κ; the steps that all have, ``MOST_STEPS`` at most, and the d that all
    have, or else those of each. The figure says so where one has more.
    """
    shown = _in_common(
        [
            grid.sel(optimizer=first_muon(of), batch_size=np.inf).isel(alpha=0, kappa=0)
            for grid, of in zip(grids, fits, strict=True)
        ]
    )
    figure, panels = panel_grid(len(ROWS) * len(grids), 1.15, sharex=True, sharey="row")
    panels = panels.reshape(len(ROWS), len(grids))
    drawn = set()
    for column, one, of in zip(panels.T, shown, fits, strict=True):
        drawn |= _column(dict(zip(ROWS, column, strict=True)), one, of, finite_size)
    for row, name in zip(panels, ROWS.values(), strict=True):
        row[0].set_ylabel(name)
    letters(figure)
    note = left_out_of_all(grids, shown)
    make_room(figure, legend_below(figure, _handles(shown, drawn), note))
    return figure


def _in_common(grids: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """The grids at their common first steps, and at the d that all have if there are any."""
    steps = min(MOST_STEPS, *(grid.sizes["step"] for grid in grids))
    shared = reduce(np.intersect1d, [grid.d.values for grid in grids])
    grids = [grid.isel(step=slice(steps)).sortby("d") for grid in grids]
    return [grid.sel(d=shared) for grid in grids] if shared.size else grids


def _column(
    panels: Mapping[str, Axes], grid: xr.Dataset, fits: xr.Dataset, finite_size: bool
) -> set[str]:
    """One experiment; which of the legend's entries it needs, ``prediction`` and ``overtaken``."""
    settings, steps, drawn = configuration(grid), grid.step.values, set()
    rate = settings["definitions"][grid.optimizer.item()]["learning_rate"]
    _axes(panels, steps, f"{settings['gradient']} gradient,\n{_written(rate)}")
    for d in grid.d.values.tolist():
        look, runs = d_style(d), grid.sel(d=d)
        for name, values in _measured(runs, rate).items():
            values = values.transpose("step", "seed").values
            step_band(panels[name], steps, values, floor=0.0, markersize=2.5, **look)
        if not finite_size:
            continue
        for name, values in _predicted(fits, runs, rate).items():
            panels[name].plot(steps, values.values, **look | PREDICTED)
            drawn |= {"prediction"} if values.notnull().any() else set()
        if settings["gradient"] == "thresholded":
            level = d / expected_maximum(settings["n_items"] - 1) ** 2
            panels["variance"].axhline(level, color=look["color"], **OVERTAKEN)
            drawn.add("overtaken")
    return drawn


def _axes(panels: Mapping[str, Axes], steps: np.ndarray, title: str) -> None:
    """Names and guides of a column: V_t of directions that are orthogonal, and all the same."""
    for name, axes in panels.items():
        step_axis(axes, steps, logarithmic=False)
        axes.set_xlabel("step $t$" if name == "forgotten" else "")
    panels["variance"].set_title(title)
    panels["variance"].set_yscale("log")
    plain_numbers(panels["variance"], (1,))
    for power in (1, 2):
        panels["variance"].plot(steps, steps.astype(float) ** power, **THIN)
    panels["cosine"].axhline(0, **THIN)
    for name in ("head", "forgotten"):
        panels[name].set(ylim=(-0.04, 1.04), yticks=(0, 0.5, 1))


def _measured(runs: xr.Dataset, rate: Mapping[str, Any]) -> dict[str, xr.DataArray]:
    """What the rows show of one d, over (step, seed)."""
    once = runs.capacity + runs.forgotten
    return {
        **_of_noise(runs.logit_noise, rate),
        "head": runs.head_recall,
        "forgotten": runs.forgotten / once.where(once > 0),
    }


def _predicted(
    fits: xr.Dataset, runs: xr.Dataset, rate: Mapping[str, Any]
) -> dict[str, xr.DataArray]:
    """What is predicted of it over the steps; missing where nothing is, and where fits know no such step."""
    at = {dim: runs[dim].item() for dim in ("optimizer", "alpha", "kappa", "batch_size", "d")}
    of = fits[["predicted_logit_noise", "predicted_head_recall"]].sel(at).reindex(step=runs.step)
    return {**_of_noise(of.predicted_logit_noise, rate), "head": of.predicted_head_recall}


def _of_noise(noise: xr.DataArray, rate: Mapping[str, Any]) -> dict[str, xr.DataArray]:
    """V, and the cosines, of logits' standard deviation over the steps, for one d, α and κ.

    τ = ‖W‖/d and ‖P_t‖² = d, so V_t = ‖W_t‖² / (η² d) and V_t = V_(t−1) + 1 + 2 cos √V_(t−1).
    """
    d, alpha = noise.d.item(), noise.alpha.item()
    variance = d * (noise / rate_at(rate, d, alpha)) ** 2
    before = variance.shift(step=1)
    cosine = (variance - before - 1) / (2 * np.sqrt(before))
    known = rate["schedule"] == "constant" and noise.kappa.item() == 0
    return {"variance": variance, "cosine": cosine.where(known)}


def _written(rate: Mapping[str, Any]) -> str:
    """The learning rate of the first step."""
    scale, power = f"{rate['scale']:g}", rate["d_power"]
    if power == 0:
        return rf"$\eta$ = {scale}"
    size = r"\sqrt{d}" if power == 0.5 else f"d^{{{power:g}}}"
    return rf"$\eta$ = {'' if scale == '1' else scale}${size}$"


def _handles(shown: Sequence[xr.Dataset], drawn: set[str]) -> list[Artist]:
    sizes = sorted({d for grid in shown for d in grid.d.values.tolist()})
    handles: list[Artist] = [handle(f"$d$ = {d}", **d_style(d)) for d in sizes]
    handles += max(map(seed_bands, shown), key=len)
    handles.append(handle("$V_t = t$ and $t^2$; cosine 0", **THIN))
    if "prediction" in drawn:
        handles.append(handle("prediction without a fit parameter", **PREDICTED | {"marker": "o"}))
    if "overtaken" in drawn:
        handles.append(handle(r"competitors overtake: $k_N \sqrt{V_t} = \sqrt{d}$", **OVERTAKEN))
    return handles
