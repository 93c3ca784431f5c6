"""Optimizers as the configuration writes them: a rule, its options, a learning rate."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Gt, MaxLen
from pydantic import Field

from spectral_capacity.kinds.fields import FilePath, Strict, axis, count, one_of
from spectral_capacity.optimizers import own_map
from spectral_capacity.optimizers.maps import MAPS


class Sweep(Strict):
    """Learning rates to try: tuning seeds choose one for each d, α, κ and batch size, others show it."""

    factors: axis(Annotated[float, Gt(0)], most=1000)
    """multiples of scale · d^d_power that are tried. One cell runs them all"""
    by: Literal["capacity", "robust_prefix", "recovered_mass", "loss"] = "capacity"
    """what chooses: the largest mean over tuning seeds, of `loss` the least; of equal ones the least rate"""
    step: count(most=100_000) | None = None
    """after how many steps; left out, at the last"""
    tuning_seeds: count(most=10_000) = 1
    """how many seeds, the first ones, choose. Fits, figures and claims show the others alone, of every
    optimizer in the experiment"""


class LearningRate(Strict):
    """η_t = scale · d^d_power, and how it changes from step to step."""

    scale: Annotated[float, Gt(0)] = 1.0
    """the constant of η = scale · d^d_power. What one step from zero recalls does not depend on the rate"""
    d_power: Annotated[float, Field(ge=-10, le=10)] = 0.0
    """its power of d"""
    schedule: Literal["constant", "growing"] = "constant"
    """`constant`: the same at every step. `growing`: times d^(α e_t) at step t, e_t = 1/(2α), 2/(2α), … the
    exponent that gradient descent can reach in t steps (Theorem 10)"""
    sweep: Sweep | None = None
    """`{factors: […]}`: rates that are found, not set. The grid has all of them along `learning_rate_factor`"""


LABEL = "how figures call it, `$…$` being mathematics; left out, its name does"
COLOUR = 'its colour in figures, as `"#d55e00"` or `crimson`; left out, the style\'s cycle does'

SpectralMap = one_of(MAPS, "name", {"file": FilePath})


@cache
def optimizer_model(rules: tuple[tuple[str, Callable], ...]) -> Any:
    """The model of one entry of ``optimizers``: any of these update rules with its options.

    How it looks in figures is left out of its dump: it decides no result.
    """
    learning_rate = (LearningRate, Field(LearningRate(), description="see below"))
    looks = {
        key: (Annotated[str, MaxLen(100)] | None, Field(None, description=text, exclude=True))
        for key, text in (("label", LABEL), ("colour", COLOUR))
    }
    return one_of(dict(rules), "rule", {"map": SpectralMap}, learning_rate=learning_rate, **looks)


def rate_factors(optimizer: Any) -> list[float] | None:
    """The multiples of its learning rate that an optimizer is tried at, sorted; None without a sweep."""
    sweep = optimizer.learning_rate.sweep
    return sweep and sorted(sweep.factors)


def theory_of(optimizer: Any) -> Literal["muon", "gradient", "newton", "none"]:
    """Which theory speaks of a configured optimizer's one-step capacity."""
    if optimizer.rule in ("gradient", "newton"):
        return optimizer.rule
    maps = {"polar": "muon", "identity": "gradient"}
    return maps.get(optimizer.map.name, "none") if optimizer.rule == "spectral" else "none"


def spectral_map(optimizer: Any) -> dict[str, Any] | None:
    """The map of singular values that an optimizer has, with its options; None where it has none."""
    return optimizer.map.model_dump() if optimizer.rule == "spectral" else None


def numeric_options(optimizer: Any) -> dict[str, float]:
    """The numbers among an optimizer's options, those of its map included: what a sweep varies."""
    options = optimizer.model_dump(exclude={"learning_rate"})
    options |= options.pop("map", None) or {}
    options |= options.pop("options", None) or {}
    return {
        key: float(value)
        for key, value in options.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def own_code(optimizer: Any) -> str | None:
    """The Python file of a user's own map, None for a map of the package."""
    spectral_map = getattr(optimizer, "map", None)
    return spectral_map.file if spectral_map is not None and spectral_map.name == "own" else None


def problems(optimizers: Mapping[str, Any], root: Path) -> Iterator[tuple[tuple, str]]:
    """What is wrong with users' own maps: (key, message) each."""
    for name, optimizer in optimizers.items():
        if own_code(optimizer) is None:
            continue
        at, own = ("optimizers", name, "map"), optimizer.map
        if not os.path.isfile(root / own.file):
            yield (*at, "file"), f"{own.file!r}: no such file"
            continue
        try:
            own_map.check(root / own.file, own.function, own.options or {})
        except (OSError, ValueError) as error:
            yield at, str(error)
