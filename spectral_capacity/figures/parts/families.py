"""Optimizers that differ in the scale of their learning rate alone: one line along that rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

import numpy as np
import xarray as xr

from spectral_capacity.figures.parts.common import configuration
from spectral_capacity.theory.learning_rates import rate_at


def families(grid: xr.Dataset) -> dict[str, list[str]]:
    """{family: its optimizers, by their scale}, each optimizer of the grid once.

    A family is called by the words that its optimizers' names begin with, ``gd`` of ``gd_1`` and ``gd_4``;
    where there are none, or others begin so too, by all its names with spaces between them.
    """
    definitions = configuration(grid)["definitions"]
    groups: dict[str, list[str]] = {}
    for name in grid.optimizer.values.tolist():
        rate = definitions[name]["learning_rate"] | {"scale": None}
        groups.setdefault(repr(definitions[name] | {"learning_rate": rate}), []).append(name)
    for names in groups.values():
        names.sort(key=lambda name: definitions[name]["learning_rate"]["scale"])
    shared = [_shared_words(names) for names in groups.values()]
    found = {}
    for word, names in zip(shared, groups.values(), strict=True):
        others = {*grid.optimizer.values.tolist()}.difference(names)
        free = word and shared.count(word) == 1 and word not in others
        found[word if free else " ".join(names)] = names
    assert len(found) == len(groups)  # a name has no spaces
    return found


def by_learning_rate(grid: xr.Dataset, families: Mapping[str, Sequence[str]]) -> xr.Dataset:
    """The grid with :func:`families` in place of their optimizers, and a dimension ``rate`` of these.

    ``learning_rate`` (optimizer, rate, alpha, d) is η at the first step; rates that a family does not have
    are missing.
    """
    definitions = configuration(grid)["definitions"]
    parts = [
        grid.sel(optimizer=names)
        .assign(learning_rate=_rates(grid.sel(optimizer=names), definitions))
        .rename(optimizer="rate")
        .assign_coords(rate=range(len(names)))
        .reindex(rate=range(max(map(len, families.values()))))
        for names in families.values()
    ]
    dim = xr.DataArray([*families], dims="optimizer", name="optimizer")
    return xr.concat(parts, dim).assign_attrs(grid.attrs)


def _shared_words(names: Sequence[str]) -> str:
    words = zip(*(name.split("_") for name in names), strict=False)
    return "_".join(first for first, *_ in takewhile(lambda w: len(set(w)) == 1, words))


def _rates(grid: xr.Dataset, definitions: dict) -> xr.DataArray:
    coords = {dim: grid[dim].values for dim in ("optimizer", "alpha", "d")}
    rates = xr.DataArray(np.nan, coords, tuple(coords))
    for i in np.ndindex(rates.shape):
        name, alpha, d = (values[k].item() for values, k in zip(coords.values(), i, strict=True))
        rates[i] = rate_at(definitions[name]["learning_rate"], d, alpha)
    return rates
