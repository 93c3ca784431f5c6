"""Any measured quantity against any axis: lines of means with their ranges over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from spectral_capacity.analysis.quantities import LINE
from spectral_capacity.figures.parts.axes import count_axis, powers_of_two
from spectral_capacity.figures.parts.batches import (
    batch_axis,
    batch_curve,
    batch_prediction,
    distinct_items,
)
from spectral_capacity.figures.parts.common import GUIDE
from spectral_capacity.figures.parts.curves import (
    apart,
    counts_against_d,
    seed_range,
    short_if_one,
    shown_fit,
)
from spectral_capacity.figures.parts.selection import styles
from spectral_capacity.figures.parts.steps import step_axis, step_curve
from spectral_capacity.figures.parts.zeros import mark_zeros

NAMES = {
    "capacity": "recovered items",
    "robust_prefix": "robust prefix, in items",
    "prefix_capacity": "items before the first miss",
    "recovered_mass": "share of occurrences recalled",
    "head_recall": "share of the $d$ most frequent",
    "forgotten": "items once recovered and lost",
    "loss": "softmax loss",
}
"""What the vertical axis is called."""
SHARES = ("recovered_mass", "head_recall")
"""Of these, between zero and one, the vertical axis is linear."""
BESIDES = {
    "fit": ("power fitted to the means", {"linestyle": "--", "linewidth": 0.9}),
    "theory": ("slope of the theory", GUIDE | {"linewidth": 0.9}),
    "prediction": ("prediction without a fit parameter", {"linestyle": ":"}),
    "prediction of batches": (
        "prediction without a fit parameter",
        {"linestyle": ":", "marker": "o", "markerfacecolor": "white"},
    ),
    "items": ("distinct items in the batch", GUIDE),
}
"""What a legend says of what stands beside the means, and how that looks."""


@dataclass(frozen=True)
class Curves:
    """``y`` against ``x``; ``fits`` have the powers of d and, where ``finite_size``, the predictions."""

    fits: xr.Dataset
    x: str
    y: str
    finite_size: bool

    def panel(self, axes: Axes, grid: xr.Dataset, lines: str) -> set[str]:
        """Axes and a line for each value of ``lines``; the keys of :data:`BESIDES` that are drawn.

        The grid has the dimensions seed, ``lines``, and that of ``x``: ``rate`` of a learning rate.
        """
        draw = getattr(self, f"_against_{self.x}")
        if self.y not in SHARES:
            count_axis(axes)
        values, drawn = grid[lines].values, set()
        looks = zip(values.tolist(), styles(lines, values), strict=True)
        for (value, style), shift in zip(looks, apart(values.size, 1.03), strict=True):
            drawn |= draw(axes, grid.sel({lines: value}), style, shift)
        return drawn

    def distinct_items(self, axes: Axes, grid: xr.Dataset) -> set[str]:
        """The expected number of distinct items in a batch, where that is what one step can store."""
        one_curve = grid.alpha.ndim == 0 and grid.step.ndim == 0 and grid.step.item() == 1
        if self.x != "batch_size" or self.y != "capacity" or not one_curve:
            return set()
        axes.set_ylim(axes.get_ylim())  # the line may leave the axes
        distinct_items(axes, grid)
        return {"items"}

    def power(self, runs: xr.Dataset) -> xr.Dataset | None:
        """What was fitted to the means of these runs over d, if just their d's were fitted."""
        known = self.x == "d" and self.y in self.fits.quantity
        known = known and runs.step.item() in self.fits.step
        if not known or set(self.fits.d.values) != set(runs.d.values):
            return None
        at = {dim: runs[dim].item() for dim in LINE}
        return shown_fit(self.fits.sel(quantity=self.y, **at))

    def _predicted(self, runs: xr.Dataset, along: str) -> np.ndarray:
        """What is predicted of ``y`` at these runs, missing where nothing is."""
        name = f"predicted_{self.y}"
        if not self.finite_size or name not in self.fits:
            return np.full(runs.sizes[along], np.nan)
        at = {dim: np.atleast_1d(runs[dim].values) for dim in (*LINE, "d")}
        return self.fits[name].reindex(at).values.ravel()

    def _against_d(
        self, axes: Axes, runs: xr.Dataset, style: dict[str, Any], shift: float
    ) -> set[str]:
        d, values = runs.d.values, runs[self.y].transpose("d", "seed").values
        powers_of_two(axes, d)
        axes.set_xlabel("embedding dimension $d$")
        power, predicted = self.power(runs), self._predicted(runs, "d")
        if power is None:
            _joined(axes, d * shift, values, style)
            exponent = theory = np.nan
        else:
            exponent, theory = power.exponent.item(), power.theory.item()
            counts_against_d(axes, d, values, exponent, theory=theory, shift=shift, **style)
        if np.isfinite(predicted).any():
            where, level = short_if_one(d, predicted)
            axes.plot(where * shift, level, ":", color=style["color"])
        found = {"fit": exponent, "theory": theory, "prediction": predicted}
        return {name for name, numbers in found.items() if np.isfinite(numbers).any()}

    def _against_batch_size(
        self, axes: Axes, runs: xr.Dataset, style: dict[str, Any], _: float
    ) -> set[str]:
        sizes, values = runs.batch_size.values, runs[self.y].transpose("batch_size", "seed").values
        infinity = batch_axis(axes, sizes)
        if self.y in SHARES:
            axes.set_yscale("linear")
        batch_curve(axes, sizes, values, infinity, linewidth=0.9, **style)
        known = np.isfinite(self._predicted(runs, "batch_size")[np.isinf(sizes)]).any()
        if known and self.y == "capacity":  # of which the curve over all batches is known
            at = {dim: runs[dim].item() for dim in (*LINE, "d") if dim != "batch_size"}
            if "predicted_critical_batch_size" in self.fits:
                batch_prediction(axes, self.fits.sel(at), sizes, infinity, color=style["color"])
                return {"prediction of batches"}
        return set()

    def _against_step(
        self, axes: Axes, runs: xr.Dataset, style: dict[str, Any], _: float
    ) -> set[str]:
        steps, predicted = runs.step.values, self._predicted(runs, "step")
        step_axis(axes, steps)
        step_curve(axes, runs.assign(capacity=runs[self.y]), **style)
        if not np.isfinite(predicted).any():
            return set()
        axes.plot(*short_if_one(steps, predicted), ":", color=style["color"])
        return {"prediction"}

    def _against_learning_rate(
        self, axes: Axes, runs: xr.Dataset, style: dict[str, Any], _: float
    ) -> set[str]:
        axes.set_xscale("log")
        axes.set_xlabel(r"learning rate $\eta_1$")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        values = runs[self.y].transpose("rate", "seed").values
        _joined(axes, runs.learning_rate.values, values, style)
        return set()


def _joined(axes: Axes, x: np.ndarray, values: np.ndarray, style: dict[str, Any]) -> None:
    """Means (m, seeds) with their ranges, joined in the order of x; none where a seed is missing."""
    mean, bars = seed_range(values)
    mark_zeros(axes, x, values, style["color"])
    order = np.argsort(x)
    order = order[np.isfinite(x[order]) & np.isfinite(mean[order])]
    axes.errorbar(x[order], mean[order], bars[:, order], elinewidth=0.8, linewidth=0.9, **style)
