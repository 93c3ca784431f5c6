"""Learning rates of transformers: chosen by the runs of one seed, for what the other seeds then show.

Grids are those of :mod:`incontext.measured`. A rate is one of an optimizer's if any of its runs was made at it;
the others on the grid's axis belong to other optimizers and are as if they were not there.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from spectral_capacity.incontext.measured import TUNING
from spectral_capacity.results.near_best import at_edge, decades_near_best, rates_tried
from spectral_capacity.results.schema import Status


def at_chosen_rates(grid: xr.Dataset, metric: str, iteration: int) -> xr.Dataset:
    """What the reported seeds measured after ``iteration`` updates, at rates that the tuning seed chose.

    Of every optimizer, laws, d and batch size: ``learning_rate``, the one at which the run of the tuning seed
    has the largest ``metric`` at this iteration; of equal ones the least, never one at which it diverged, NaN
    where there is none. ``at_edge``: whether it is the least or the largest of the optimizer's rates, so that
    one beyond might be better. ``decades`` as of :func:`results.near_best.decades_near_best`, of the tuning
    seed. Of these and every other seed: ``value``, the metric, NaN where the run diverged, and ``status``.
    """
    here = grid.sel(iteration=iteration, drop=True).sortby("learning_rate")
    values = here[metric].where(here.status == Status.OK)
    tuned, tried = values.sel(seed=TUNING, drop=True), rates_tried(here)
    best = {"learning_rate": tuned.fillna(-np.inf).argmax("learning_rate")}
    known = tuned.notnull().any("learning_rate")
    others = here.seed.values[here.seed.values != TUNING]
    chosen = xr.Dataset(
        {
            "at_edge": known & at_edge(tried).isel(best),
            "value": values.sel(seed=others).isel(best).where(known),
            "status": here.status.sel(seed=others).isel(best).where(known, Status.NOT_RUN),
        }
    ).reset_coords("learning_rate")
    rate = chosen.learning_rate.where(known)
    return chosen.assign(learning_rate=rate, decades=decades_near_best(tuned, tried))


def of_chosen_runs(grid: xr.Dataset, runs: xr.Dataset, iteration: int) -> xr.Dataset:
    """All that was measured of the runs that :func:`at_chosen_rates` reports; NaN where there is no choice."""
    here = grid.drop_vars("status").sel(iteration=iteration, seed=runs.seed, drop=True)
    known = runs.learning_rate.notnull()
    rates = runs.learning_rate.fillna(grid.learning_rate.min())
    return here.sel(learning_rate=rates).where(known).drop_vars("learning_rate")
