r"""Items measured over items predicted without a fit parameter, against the embedding dimension.

**a**, **b**, …: a panel per experiment and optimizer: one step of the population, of isotropic embeddings by
:math:`α`, and by the exponent :math:`κ` of the outputs' spectrum; several steps on thresholded gradients, by
their number. The prediction knows the frequencies, N and d, and no matrix. Points: mean over seeds over the
prediction; bars: two standard errors of the mean. Grey band: ± 3 %. Points of different lines stand a little
apart. Left out: lines for which there is no prediction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.axes import powers_of_two
from spectral_capacity.figures.parts.common import GUIDE, handle
from spectral_capacity.figures.parts.curves import apart
from spectral_capacity.figures.parts.legends import legend_below
from spectral_capacity.figures.parts.looks import alpha_style, label, marker, ordered, shades
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid

KIND = "memory"
THEME = "One step"
TITLE = "Measured over predicted"
SHOWS = {"one_step": "one_step", "anisotropy": "anisotropy", "several_steps": "thresholded"}
NEEDS = ("population",)

WITHIN = 0.03
"""Half the width of the band."""
STEPS = 4
"""Most steps that are shown."""


def plot(
    grids: Sequence[xr.Dataset], fits: Sequence[xr.Dataset], *, finite_size: bool = True
) -> Figure:
    """A panel per experiment and optimizer that has any prediction, a line per α, α and κ, or number of steps.

    ``grids`` and ``fits`` are those of one step, of anisotropic outputs, and of several steps, the population's
    of each. ``finite_size`` plays no part: the prediction is what is shown.
    """
    panels = [
        (title, lines)
        for role, grid, of_grid in zip(SHOWS, grids, fits, strict=True)
        for title, lines in LINES[role](grid.sel(batch_size=np.inf), of_grid.sel(batch_size=np.inf))
        if lines
    ]
    figure, axes = panel_grid(max(len(panels), 1), 1.7, sharey=True)
    for one, (title, lines) in zip(axes, panels, strict=False):
        one.set_title(title)
        _panel(one, lines)
        if at_left(one):
            one.set_ylabel("measured / predicted")
    letters(figure)
    handles = [handle("two standard errors", linewidth=0.8), handle(f"± {WITHIN:.0%}", **BAND)]
    legend_below(figure, [*_handles(panels), *handles], None)
    return figure


BAND = {"color": "0.85", "linewidth": 6}

Line = tuple[str, dict, xr.DataArray]
"""A name, colour and marker, and measured over predicted over (d, seed)."""


def _one_step(grid: xr.Dataset, fits: xr.Dataset) -> Iterator[tuple[str, list[Line]]]:
    for name in grid.optimizer.values.tolist():
        at = {"optimizer": name, "kappa": 0.0, "step": 1}
        lines = [
            (
                rf"$\alpha$ = {alpha:g}",
                alpha_style(alpha),
                _ratio(grid, fits, at | {"alpha": alpha}),
            )
            for alpha in grid.alpha.values.tolist()
        ]
        yield f"One step, {label(name)}", _known(lines)


def _anisotropic(grid: xr.Dataset, fits: xr.Dataset) -> Iterator[tuple[str, list[Line]]]:
    kappas, alphas = grid.kappa.values.tolist(), grid.alpha.values.tolist()
    for name in grid.optimizer.values.tolist():
        lines = []
        for i, alpha in enumerate(alphas):
            for kappa, colour in zip(kappas, shades(len(kappas)), strict=True):
                at = {"optimizer": name, "kappa": kappa, "alpha": alpha, "step": 1}
                text = rf"$\kappa$ = {kappa:g}, $\alpha$ = {alpha:g}"
                lines.append(
                    (text, {"color": colour, "marker": marker(3 + i)}, _ratio(grid, fits, at))
                )
        yield f"{label(name)}, by $\\kappa$", _known(lines)


def _several_steps(grid: xr.Dataset, fits: xr.Dataset) -> Iterator[tuple[str, list[Line]]]:
    steps = [t for t in fits.step.values.tolist() if t <= STEPS]
    for name in grid.optimizer.values.tolist():
        at = {"optimizer": name, "kappa": 0.0, "alpha": grid.alpha.values[0].item()}
        lines = [
            (f"{t} step" + "s" * (t > 1), look, _ratio(grid, fits, at | {"step": t}))
            for t, look in zip(steps, ordered(len(steps)), strict=True)
        ]
        yield f"Thresholded, {label(name)}", _known(lines)


LINES = {"one_step": _one_step, "anisotropy": _anisotropic, "several_steps": _several_steps}


def _ratio(grid: xr.Dataset, fits: xr.Dataset, at: dict) -> xr.DataArray:
    at = {dim: value for dim, value in at.items() if dim in grid.dims}
    predicted = fits.predicted_capacity.sel(at)
    return (grid.capacity.sel(at) / predicted.where(predicted > 0)).transpose("d", "seed")


def _known(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line[2].notnull().any()]


def _panel(axes: Axes, lines: list[Line]) -> None:
    d = lines[0][2].d.values
    powers_of_two(axes, d)
    axes.set_xlabel("dimension $d$")
    axes.axhspan(1 - WITHIN, 1 + WITHIN, color=BAND["color"], linewidth=0, zorder=0)
    axes.axhline(1.0, **GUIDE | {"linewidth": 0.8})
    for (_, look, ratio), shift in zip(lines, apart(len(lines), 1.12), strict=True):
        mean = ratio.mean("seed", skipna=False)
        error = 2 * ratio.std("seed", ddof=1) / np.sqrt(ratio.seed.size)
        axes.errorbar(shift * ratio.d, mean, error.fillna(0), elinewidth=0.8, linestyle="", **look)


def _handles(panels: list[tuple[str, list[Line]]]) -> list[Line2D]:
    """Every line's name once, whatever panels it is in."""
    named = {name: look for _, lines in panels for name, look, _ in lines}
    return [handle(name, linestyle="", **look) for name, look in named.items()]
