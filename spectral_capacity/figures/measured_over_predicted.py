r"""Items stored over items predicted without a fit parameter, against the embedding dimension.

A panel per experiment and optimizer for which there is a prediction: one population step by :math:`\alpha`;
with output embeddings of the spectrum :math:`k^{-\kappa}`; on batches of :math:`B`; several steps on
thresholded and on exact gradients. The prediction knows the frequencies, :math:`N`, :math:`d` and :math:`B`,
and no matrix. Bars: two standard errors of the mean over seeds. Grey band: ± 3 %. Over a panel: the mean of
its points from :math:`d = 128` on, and its standard error over seeds. Points of different lines stand a little
apart. Axes are wider where seeds differ more; an arrow is a point beyond them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.axes import powers_of_two
from spectral_capacity.figures.parts.below import make_room
from spectral_capacity.figures.parts.common import GUIDE, handle
from spectral_capacity.figures.parts.curves import apart
from spectral_capacity.figures.parts.legends import bars_handle, legend_below
from spectral_capacity.figures.parts.looks import alpha_style, label, ordered, shades
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid

KIND = "memory"
THEME = "One step"
TITLE = "Measured over predicted"
SHOWS = {
    "one_step": "one_step",
    "anisotropy": "anisotropy",
    "batches": "minibatch",
    "thresholded": "thresholded",
    "thresholded_gd": "thresholded_gd",
    "exact": "steps",
}
NEEDS = ("population",)

TITLES = {
    "one_step": "{}, one step",
    "anisotropy": r"{}, outputs $k^{{-\kappa}}$",
    "batches": "{}, one batch",
    "thresholded": "{}, thresholded",
    "thresholded_gd": "{}, thresholded",
    "exact": "{}, exact steps",
}
WITHIN = 0.03
"""Half the width of the band."""
LARGE_D = 128
"""From here on points count for the mean over a panel."""
STEPS = 4
"""Most steps that are shown."""
SMALLEST_BATCH, BATCHES = 256, 4
"""Smaller batches hold a few items, of which so few seeds tell nothing; so many sizes are shown at most."""
MARKERS = "voDX"
"""Of batches, in their order; those of α are others."""
BAND = {"color": "0.87", "linewidth": 6}
NARROW, WIDE = 0.16, 0.55
"""How far the axes of a panel reach from one: wide where any bar at large d is longer than narrow ones are."""


@dataclass(frozen=True)
class Line:
    """Measured over predicted over (d, seed), with its name, colour and marker."""

    name: str
    look: dict
    ratio: xr.DataArray


def plot(
    grids: Sequence[xr.Dataset], fits: Sequence[xr.Dataset], *, finite_size: bool = True
) -> Figure:
    """A panel per experiment and optimizer that has predictions, a line per α, α and κ, B or number of steps.

    ``grids`` and ``fits`` are in the order of :data:`SHOWS`. All d's share an axis, so that columns can be
    compared. ``finite_size`` plays no part: the prediction is what is shown.
    """
    panels = []
    for role, grid, of_grid in zip(SHOWS, grids, fits, strict=True):
        for name in grid.optimizer.values.tolist():
            one = grid.sel(optimizer=name), of_grid.sel(optimizer=name)
            lines = [line for line in LINES[role](*one) if line.ratio.notnull().any()]
            if lines:
                title = TITLES[role].format(label(name, minibatches=role == "batches"))
                panels.append((title, lines))
    figure, axes = panel_grid(max(len(panels), 1), 1.75)
    every_d = np.unique([d for _, lines in panels for line in lines for d in line.ratio.d.values])
    for one, (title, lines) in zip(axes, panels, strict=False):
        one.set_title("\n".join(filter(None, [title, _mean(lines)])), fontsize=8)
        _panel(one, lines, every_d)
        if at_left(one):
            one.set_ylabel("measured / expected")
    letters(figure)
    about = rf"Over a panel: mean of its points from $d$ = {LARGE_D} on ± standard error"
    handles = [
        bars_handle("", "two standard errors"),
        handle(f"± {100 * WITHIN:g}\N{NO-BREAK SPACE}%", **BAND),
    ]
    make_room(figure, legend_below(figure, [*_handles(panels), *handles], title=about))
    return figure


def _one_step(grid: xr.Dataset, fits: xr.Dataset) -> Iterator[Line]:
    at = {"kappa": 0.0, "step": 1, "batch_size": np.inf}
    for alpha in grid.alpha.values.tolist():
        name, look = rf"$\alpha$ = {alpha:g}", alpha_style(alpha)
        yield Line(name, look, _ratio(grid, fits, at | {"alpha": alpha}))


def _anisotropic(grid: xr.Dataset, fits: xr.Dataset) -> Iterator[Line]:
    kappas = grid.kappa.values.tolist()
    for alpha in grid.alpha.values.tolist():
        for kappa, colour in zip(kappas, shades(len(kappas)), strict=True):
            at = {"kappa": kappa, "alpha": alpha, "step": 1, "batch_size": np.inf}
            look = {"color": colour, "marker": alpha_style(alpha)["marker"], "mfc": "white"}
            name = rf"$\kappa$ = {kappa:g}, $\alpha$ = {alpha:g}"
            yield Line(name, look, _ratio(grid, fits, at))


def _batches(grid: xr.Dataset, fits: xr.Dataset) -> Iterator[Line]:
    finite = np.sort(grid.batch_size.values[np.isfinite(grid.batch_size.values)])
    finite = finite[finite >= SMALLEST_BATCH]
    sizes = finite[:: -(-finite.size // BATCHES)] if finite.size else finite
    at = {"kappa": 0.0, "alpha": grid.alpha.values[0].item(), "step": 1}
    for i, (size, colour) in enumerate(zip(sizes.tolist(), shades(sizes.size)[::-1], strict=True)):
        look = {"color": colour, "marker": MARKERS[i], "mfc": "white"}
        yield Line(f"$B$ = {size:,.0f}", look, _ratio(grid, fits, at | {"batch_size": size}))


def _steps(grid: xr.Dataset, fits: xr.Dataset) -> Iterator[Line]:
    """Of the second step on: the first is that of exact gradients, too."""
    steps = [t for t in fits.step.values.tolist() if 1 < t <= STEPS]
    at = {"kappa": 0.0, "alpha": grid.alpha.values[0].item(), "batch_size": np.inf}
    for t, look in zip(steps, ordered(len(steps)), strict=True):
        yield Line(f"{t} steps", look, _ratio(grid, fits, at | {"step": t}))


LINES = {
    "one_step": _one_step,
    "anisotropy": _anisotropic,
    "batches": _batches,
    "thresholded": _steps,
    "thresholded_gd": _steps,
    "exact": _steps,
}


def _ratio(grid: xr.Dataset, fits: xr.Dataset, at: dict) -> xr.DataArray:
    """Over (d, seed), missing where nothing is predicted, and at coordinates that an experiment lacks."""
    measured = grid.capacity.reindex({dim: [value] for dim, value in at.items()})
    predicted = fits.predicted_capacity.reindex({dim: [value] for dim, value in at.items()})
    ratio = measured / predicted.where(predicted > 0)
    return ratio.squeeze([*at], drop=True).transpose("d", "seed").sortby("d")


def _panel(axes: Axes, lines: list[Line], every_d: np.ndarray) -> None:
    bars = [_two_errors(line.ratio)[line.ratio.d.values >= LARGE_D] for line in lines]
    reach = WIDE if np.concatenate(bars).max(initial=0) > NARROW else NARROW
    powers_of_two(axes, every_d)
    axes.set_xlabel("dimension $d$")
    axes.set_ylim(1 - reach, 1 + reach)
    axes.axhspan(1 - WITHIN, 1 + WITHIN, color=BAND["color"], linewidth=0, zorder=0)
    axes.axhline(1.0, **GUIDE | {"linewidth": 0.8})
    for line, shift in zip(lines, apart(len(lines), 1.1), strict=True):
        x, mean = shift * line.ratio.d.values, line.ratio.mean("seed", skipna=False).values
        style = line.look | {"linestyle": "", "markersize": 3}
        axes.errorbar(x, mean, _two_errors(line.ratio), elinewidth=0.7, capsize=0, **style)
        for beyond, edge, arrow in ((mean > 1 + reach, 1, "^"), (mean < 1 - reach, 0, "v")):
            place = {"transform": axes.get_xaxis_transform(), "clip_on": False, "marker": arrow}
            if beyond.any():
                axes.plot(x[beyond], np.full(beyond.sum(), edge), **style | place)


def _two_errors(ratio: xr.DataArray) -> np.ndarray:
    """Two standard errors of the mean over seeds, (d,); zeros for one seed, of which there is none."""
    if ratio.seed.size == 1:
        return np.zeros(ratio.d.size)
    return np.nan_to_num(2 * ratio.std("seed", ddof=1).values / np.sqrt(ratio.seed.size))


def _mean(lines: list[Line]) -> str:
    """The mean over all points at large d, and its standard error over seeds, which all points share."""
    ratios = xr.concat([line.ratio for line in lines], "line", join="outer")
    seeds = ratios.where(ratios.d >= LARGE_D).mean(["line", "d"]).values
    if seeds.size < 2 or not np.isfinite(seeds).all():
        return ""
    return f"{seeds.mean():.3f} ± {seeds.std(ddof=1) / np.sqrt(seeds.size):.3f}"


def _handles(panels: list[tuple[str, list[Line]]]) -> list[Line2D]:
    """Every line's name once, whatever panels it is in."""
    named = {line.name: line.look for _, lines in panels for line in lines}
    return [handle(name, linestyle="", **look) for name, look in named.items()]
