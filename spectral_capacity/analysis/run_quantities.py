"""What claims about runs of a memory are about: variables of a grid, and what is made of them run by run.

A file of claims is checked against the names here whenever a configuration is read: nothing slow is imported.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spectral_capacity.theory.newton_schulz import JORDAN

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class RunQuantity:
    """long_name: what it is, as a page says it. values: from a grid to an array of its dimensions."""

    long_name: str
    values: Callable[[xarray.Dataset], xarray.DataArray]


def depth(norm: xarray.DataArray, bulk: xarray.DataArray) -> xarray.DataArray:
    """Newton–Schulz iterations that lift the singular value at rank d/2 to 1: ln(‖·‖_F / σ) / ln 3.4445.

    Small singular values grow by the first coefficient of Jordan's quintic with every iteration.
    """
    return np.log(norm / bulk) / math.log(JORDAN[0])


def extra_depth(grid: xarray.Dataset) -> xarray.DataArray:
    """:func:`depth` that the momentum needs, less that of the gradient of the same step."""
    of_momentum = depth(grid.momentum_norm, grid.momentum_bulk_singular_value)
    return of_momentum - depth(grid.gradient_norm, grid.bulk_singular_value)


def swing(grid: xarray.Dataset) -> xarray.DataArray:
    """Mean change of the count from step to step, either way, relative to its mean, over a run's second half.

    The same at every step. Two-cycles of too large a rate swing by a lot, an end without one hardly.
    """
    half = grid.capacity.astype(float).isel(step=slice(grid.sizes["step"] // 2, None))
    change = np.abs(half.diff("step")).mean("step", skipna=False)
    return (change / half.mean("step", skipna=False)).broadcast_like(grid.capacity)


def _measured(name: str) -> Callable:
    return lambda grid: grid[name].astype(float)


RUN_QUANTITIES = {
    "capacity": RunQuantity("the number of items stored", _measured("capacity")),
    "robust_prefix": RunQuantity(
        "the number of most frequent items that are stored but for a share",
        _measured("robust_prefix"),
    ),
    "head_recall": RunQuantity(
        "the share of the d most frequent items that are stored", _measured("head_recall")
    ),
    "recovered_mass": RunQuantity("the frequency of the items stored", _measured("recovered_mass")),
    "loss": RunQuantity("the softmax loss", _measured("loss")),
    "swing": RunQuantity(
        "the change of the count from step to step ÷ its mean, over a run's second half", swing
    ),
    "gradient_bulk": RunQuantity(
        "the gradient's singular value at rank d/2 ÷ its Frobenius norm",
        lambda grid: grid.bulk_singular_value / grid.gradient_norm,
    ),
    "momentum_bulk": RunQuantity(
        "the momentum's singular value at rank d/2 ÷ its Frobenius norm",
        lambda grid: grid.momentum_bulk_singular_value / grid.momentum_norm,
    ),
    "extra_depth": RunQuantity(
        "the Newton–Schulz iterations that the momentum needs beyond those of the gradient",
        extra_depth,
    ),
}
"""By name in the file of claims."""
