r"""Softmax loss after one population step of Muon against its learning rate: the mean, and the worst item's.

**a**, **b** The mean over items, weighted by frequency. **c**, **d** The largest loss of an item over
:math:`\log N` (natural logarithm); 1 is a uniform guess, and the dashed line what Corollary 4 allows with five
per cent. Rates are in units of :math:`\sqrt{d}`, at which a competitor's logit has standard deviation 1. Rates
that leave no item worse off learn little at these d; at those that learn most the worst item loses about twice
what a guess does.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spectral_capacity.figures.parts.axes import plain_numbers
from spectral_capacity.figures.parts.common import (
    GUIDE,
    configuration,
    first_muon,
    frequencies,
    handle,
    prediction_handle,
)
from spectral_capacity.figures.parts.curves import seed_range
from spectral_capacity.figures.parts.legends import left_out, legend_below, seed_bars
from spectral_capacity.figures.parts.looks import d_style
from spectral_capacity.figures.parts.panels import at_left, letters, panel_stacks
from spectral_capacity.results.schema import RATE_FACTOR
from spectral_capacity.results.swept_rates import reported_seeds
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.learning_rates import rate_at
from spectral_capacity.theory.step_loss import mean_loss, worst_loss

KIND = "memory"
THEME = "One step"
SHOWS = "loss_rates"
NEEDS = ("population", "one step", "loss", "sweep", "muon")

ALLOWED = 1.05
"""Loss of the worst item, over log N, that still counts as no worse than a guess."""


def plot(grid: xr.Dataset, fits: xr.Dataset, *, finite_size: bool = True) -> Figure:
    """A column per α, curves per d, over all rates of the first exact Muon's sweep.

    Means over the seeds that choose no rate, with their ranges. With ``finite_size`` the predictions of
    :mod:`theory.step_loss`, dotted. For the population batch and the first κ.
    """
    name, settings = first_muon(fits), configuration(grid)
    here = grid.sel(optimizer=name, batch_size=np.inf).isel(step=-1, kappa=0).sortby("d")
    here = here.dropna(RATE_FACTOR, how="all", subset=["loss"]).sel(seed=reported_seeds(grid))
    log_n = np.log(settings["n_items"])
    rates = settings["definitions"][name]["learning_rate"]
    figure, above, below = panel_stacks(here.alpha.size, (2.2, 2.0))
    for alpha, mean, worst in zip(here.alpha.values, above, below, strict=True):
        of_alpha = here.sel(alpha=alpha)
        items = Items.of(frequencies(grid, alpha))
        mean.set_title(rf"$\alpha$ = {alpha:g}")
        worst.axhline(1, **GUIDE)
        worst.axhline(ALLOWED, **GUIDE | {"linestyle": "--"})
        for d in here.d.values.tolist():
            one = of_alpha.sel(d=d)
            noise = one[RATE_FACTOR].values * rate_at(rates, d, alpha) / np.sqrt(d)
            line = "" if finite_size else "-"
            _curve(mean, noise, one.loss, d, line)
            _curve(worst, noise, one.worst_item_loss / log_n, d, line)
            if finite_size:
                fine = np.geomspace(noise.min(), noise.max(), 60)
                dotted = {"linestyle": ":", "linewidth": 1.4}
                mean.plot(fine, mean_loss(items, d, fine), color=d_style(d)["color"], **dotted)
        if finite_size:
            worst.plot(fine, worst_loss(settings["n_items"], fine) / log_n, color="0.35", **dotted)
        for axes, name_of_y in ((mean, "mean loss, nats"), (worst, r"worst loss $/\;\log N$")):
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_ylabel(name_of_y if at_left(axes) else "")
        mean.sharex(worst)
        mean.tick_params(labelbottom=False)
        plain_numbers(worst, (1, 2, 5))
        worst.set_xlabel(r"learning rate $\eta\;/\;\sqrt{d}$")
        if worst is not below[0]:
            worst.sharey(below[0])
            worst.tick_params(labelleft=at_left(worst))
    letters(figure)
    handles = [handle(f"$d$ = {d}", **d_style(d), linestyle=line) for d in here.d.values]
    handles += [prediction_handle()] if finite_size else []
    handles += [
        handle(r"uniform guess, $\log N$", **GUIDE),
        handle(rf"{ALLOWED} $\log N$", **GUIDE | {"linestyle": "--"}),
        *seed_bars(here),
    ]
    legend_below(figure, handles, left_out(grid, here))
    return figure


def _curve(axes: Axes, noise: np.ndarray, losses: xr.DataArray, d: int, line: str) -> None:
    mean, bars = seed_range(losses.transpose(RATE_FACTOR, "seed").values)
    style = d_style(d) | {"linestyle": line, "linewidth": 0.9, "elinewidth": 0.8}
    axes.errorbar(noise, mean, bars, **style, markersize=4)
