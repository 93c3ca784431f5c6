"""Runs of many steps: which of them are fitted."""

from __future__ import annotations

import xarray as xr

from spectral_capacity.analysis.runs import capacity_to_the_end, peak


def fitted_steps(steps: int) -> list[int]:
    """Steps 1 … 4, the powers of two and the last of a run of ``steps`` steps, in order.

    The first few are what theorems speak of; from there on capacity moves slowly.
    """
    powers = {2**k for k in range(steps.bit_length())}
    return sorted(step for step in powers | {3, steps} if step <= steps)


def at_fitted_steps(grid: xr.Dataset) -> xr.Dataset:
    """A grid at its :func:`fitted_steps`, where runs that stopped early go on (:func:`capacity_to_the_end`).

    ``stopped``, of the grid's dimensions, is true where a capacity is such a copy. No other variable is
    copied. ``peak_capacity`` is that of all steps (:func:`peak`).
    """
    capacity, stopped = capacity_to_the_end(grid)
    grid = grid.assign(capacity=capacity, stopped=stopped, peak_capacity=peak(grid))
    return grid.sel(step=fitted_steps(grid.sizes["step"]))
