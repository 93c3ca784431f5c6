"""In-context recall at chosen learning rates: what is shown of a grid, curves of every run, baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts.axes import powers_of_two
from spectral_capacity.figures.parts.common import GUIDE, configuration, handle
from spectral_capacity.figures.parts.curves import apart
from spectral_capacity.figures.parts.looks import label, ordered
from spectral_capacity.figures.parts.panels import at_left, letters, panel_grid
from spectral_capacity.figures.parts.selection import chosen
from spectral_capacity.figures.parts.steps import DIVERGED
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.frequencies import power_law

NAMES = {
    "accuracy_id": "ID accuracy",
    "accuracy_ood": "OOD accuracy",
    "memory_recall": "memory recall",
}
"""What a metric is called."""
AXES = {"d": "width $d$", "batch_size": "batch size $B$"}
OPEN = {"markerfacecolor": "white"}
"""Of runs at a rate that is the least or the largest of its optimizer's."""
BASELINES = {
    "unigram": ("most frequent output", {"linestyle": "-."}),
    "copy": ("copy of any pair, $1/K$", {"linestyle": "--"}),
    "guess": ("guess, $1/|V|$", {"linestyle": ":"}),
}
"""What a legend says of what takes no learning, or little, and how that looks."""
KNOWN = {
    "accuracy_id": ("unigram",),
    "accuracy_ood": ("copy", "guess"),
    "memory_recall": ("guess",),
}
"""The baselines of each metric. Of ID sequences the most frequent output is also the best to copy."""


def picked(grid: xr.Dataset, dim: str, wanted: int | None, paper: int) -> int:
    """The value that is asked for or else the paper's or else the largest.

    ValueError where the one asked for is not there.
    """
    values = grid[dim].values
    if wanted is None:
        return paper if paper in values else values.max().item()
    return chosen(grid, {dim: [wanted]})[dim].item()


def first_laws(grid: xr.Dataset) -> xr.Dataset:
    """The grid at the first pair of exponents that the configuration lists."""
    triggers, outputs = configuration(grid)["exponents"][0]
    return grid.sel(alpha_triggers=float(triggers), alpha_outputs=float(outputs))


def by_optimizer(
    runs: xr.Dataset,
    x: str,
    lines: Mapping[Any, str],
    ylabel: str,
    levels: Mapping[str, float],
) -> tuple[Figure, list[Line2D]]:
    """A figure with a panel per optimizer, and what its legend says.

    runs: of :func:`analysis.chosen_rates.at_chosen_rates`, over optimizers, ``x`` and a dimension whose values
    are, in their order, the keys of ``lines``, names of the curves. levels: of baselines.
    """
    looks = ordered(len(lines))
    (dim,) = {*runs.value.dims} - {"optimizer", x, "seed"}
    figure, panels = panel_grid(runs.optimizer.size, 2.0, sharey=True)
    for axes, name in zip(panels, runs.optimizer.values.tolist(), strict=True):
        axes.set_title(label(name, minibatches=True))
        curves(axes, [runs.sel({"optimizer": name, dim: value}) for value in lines], x, looks)
        baselines(axes, levels)
        if at_left(axes):
            axes.set_ylabel(ylabel)
    letters(figure)
    handles = [handle(text, **look) for text, look in zip(lines.values(), looks, strict=True)]
    return figure, handles + run_handles(runs) + baseline_handles(levels)


def curves(
    axes: Axes, each: Sequence[xr.Dataset], x: str, looks: Sequence[Mapping[str, Any]]
) -> None:
    """Axes of shares against ``x``, of a few powers of two, with a curve for each of these runs."""
    powers_of_two(axes, each[0][x].values)
    axes.set_xlabel(AXES[x])
    share_axis(axes)
    range_ = max(each[0][x].values.max() / each[0][x].values.min(), 2)
    shifts = apart(len(each), range_**0.03)  # as far apart on paper, however long the axis is
    for runs, shift, look in zip(each, shifts, looks, strict=True):
        curve(axes, shift * runs[x].values, runs.transpose(x, ...), **look)


def share_axis(axes: Axes) -> None:
    """A vertical axis from 0 to 1, with room for markers at its ends."""
    axes.set_ylim(-0.05, 1.05)
    axes.set_yticks(np.linspace(0, 1, 6))


def curve(axes: Axes, x: np.ndarray, runs: xr.Dataset, *, color, marker: str) -> None:
    """Every run over (x, seed) as a point, with medians joined; a cross at zero for one that diverged.

    There is no median where a run diverged: how the others did says nothing of it. Points are open
    where ``at_edge``.
    """
    values, edge = runs.value.values, runs.at_edge.values
    axes.plot(x, medians(values), color=color)
    style = {"color": color, "linestyle": "", "zorder": 3}
    every = np.broadcast_to(x[:, None], values.shape)
    for these, fill in ((~edge, {}), (edge, OPEN)):
        axes.plot(every[these].ravel(), values[these].ravel(), marker=marker, **style | fill)
    lost = every[runs.status.values == Status.DIVERGED]
    axes.plot(lost, np.zeros_like(lost), **style | DIVERGED)


def medians(values: np.ndarray) -> np.ndarray:
    """Medians (m,) of (m, seeds); NaN where a seed is missing."""
    complete = np.isfinite(values).all(axis=1) & (values.shape[1] > 0)
    found = np.full(len(values), np.nan)
    found[complete] = np.median(values[complete], axis=1)
    return found


def run_handles(*runs: xr.Dataset) -> list[Line2D]:
    """What a legend says of points, of open ones and of crosses, as far as there are any."""
    edge = any((one.at_edge & one.value.notnull()).any() for one in runs)
    lost = any((one.status == Status.DIVERGED).any() for one in runs)
    many = any(one.seed.size > 1 for one in runs)
    point = {"marker": "o", "linestyle": "-" if many else ""}
    found = [handle("each run, and medians" if many else "each run", **point)]
    if edge:
        text = "rate at an end of its list"
        found.append(handle(text, linestyle="", marker="o", **OPEN))
    return found + [handle("a run diverges", **DIVERGED)] * lost


def baseline_levels(grid: xr.Dataset, *metrics: str) -> dict[str, float]:
    """Baselines of metrics: the share that each predicts, for the law of outputs if the grid has one."""
    settings = configuration(grid)
    outputs = grid.alpha_outputs.item() if grid.alpha_outputs.ndim == 0 else 0.0
    shares = {
        "unigram": power_law(settings["vocabulary"], outputs)[0].item(),
        "copy": 1 / settings["pairs"],
        "guess": 1 / settings["vocabulary"],
    }
    return {key: shares[key] for key in BASELINES for metric in metrics if key in KNOWN[metric]}


def baselines(axes: Axes, levels: Mapping[str, float]) -> None:
    """A thin grey line at each level, under the data."""
    for key, level in levels.items():
        axes.axhline(level, **_baseline(key))


def baseline_handles(levels: Mapping[str, float]) -> list[Line2D]:
    """What a legend says of :func:`baselines`."""
    return [handle(BASELINES[key][0], **_baseline(key)) for key in levels]


def _baseline(key: str) -> dict[str, Any]:
    return GUIDE | {"linewidth": 0.9} | BASELINES[key][1]
