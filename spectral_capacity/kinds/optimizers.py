"""Optimizers as the configuration writes them: a rule, its options, a learning rate."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt, MaxLen
from pydantic import Field

from spectral_capacity.kinds.fields import FilePath, Strict, any_of, axis, count, models_of, one_of
from spectral_capacity.optimizers import own_map
from spectral_capacity.optimizers.maps import MAPS
from spectral_capacity.optimizers.rules import RULES


class Smoothing(Strict):
    """What every rule without a state of its own may have beside its options."""

    momentum: Annotated[float, Ge(0), Lt(1)] = 0.0
    """β of M_t = β M_{t−1} + G_t, which then stands for the gradient"""
    nesterov: bool = False
    """Nesterov's momentum: G_t + β M_t stands for the gradient"""
    weight_decay: Annotated[float, Ge(0)] = 0.0
    """decoupled: W shrinks by η times it, at every step"""


class Sweep(Strict):
    """Learning rates to try: tuning seeds choose one for each d, α, κ and batch size, others show it."""

    factors: axis(Annotated[float, Gt(0)], most=1000)
    """multiples of scale · d^d_power that are tried. One cell runs them all"""
    by: Literal["capacity", "robust_prefix", "recovered_mass", "loss"] = "capacity"
    """what chooses: the largest mean over tuning seeds, of `loss` the least; of equal ones the least rate"""
    step: count(most=100_000) | Literal["each"] | None = None
    """after how many steps; left out, at the last. `each`: every number of steps has a rate of its own"""
    tuning_seeds: count(most=10_000) = 1
    """how many seeds, the first ones, choose. Fits, figures and claims show the others alone, of every
    optimizer in the experiment"""


class LearningRate(Strict):
    """η_t = scale · d^d_power, and how it changes from step to step."""

    scale: Annotated[float, Gt(0)] = 1.0
    """the constant of η = scale · d^d_power. What one step from zero recalls does not depend on the rate"""
    d_power: Annotated[float, Field(ge=-10, le=10)] = 0.0
    """its power of d"""
    schedule: Literal["constant", "linear", "cosine", "growing"] = "constant"
    """`constant`: the same at every step. `linear`, `cosine`: it falls to zero over the steps of the run.
    `growing`: times d^(α e_t) at step t, e_t = 1/(2α), 2/(2α), … the exponent that gradient descent can reach
    in t steps (Theorem 10)"""
    warmup: count(least=0, most=100_000) = 0
    """steps over which it rises in proportion to the step, before the schedule begins"""
    sweep: Sweep | None = None
    """`{factors: […]}`: rates that are found, not set. The grid has all of them along `learning_rate_factor`"""


LABEL = "how figures call it, `$…$` being mathematics; left out, its name does"
COLOUR = 'its colour in figures, as `"#d55e00"` or `crimson`; left out, the style\'s cycle does'

SpectralMap = one_of(MAPS, "name", {"file": FilePath})


@cache
def optimizer_model(rules: tuple[tuple[str, Callable], ...]) -> Any:
    """The model of one entry of ``optimizers``: any of these update rules with its options.

    Rules without a state have :class:`Smoothing` too. How it looks in figures is left out of its dump: it
    decides no result.
    """
    common = {
        key: (Annotated[str, MaxLen(100)] | None, Field(None, description=text, exclude=True))
        for key, text in (("label", LABEL), ("colour", COLOUR))
    }
    common["learning_rate"] = (LearningRate, Field(LearningRate(), description="see below"))
    smoothing = {name: (f.rebuild_annotation(), f) for name, f in Smoothing.model_fields.items()}
    plain = {name: rule for name, rule in rules if rule in RULES.values()}
    others = {name: rule for name, rule in rules if name not in plain}
    nested = {"map": SpectralMap, "file": FilePath}
    models = models_of(plain, "rule", nested, **smoothing, **common)
    return any_of([*models, *models_of(others, "rule", nested, **common)], "rule")


def rate_factors(optimizer: Any) -> list[float] | None:
    """The multiples of its learning rate that an optimizer is tried at, sorted; None without a sweep."""
    sweep = optimizer.learning_rate.sweep
    return sweep and sorted(sweep.factors)


def theory_of(optimizer: Any) -> Literal["muon", "gradient", "newton", "none"]:
    """Which theory speaks of a configured optimizer's capacity: of none with momentum or weight decay."""
    if _remembers(optimizer):
        return "none"
    if optimizer.rule in ("gradient", "newton"):
        return optimizer.rule
    maps = {"polar": "muon", "identity": "gradient"}
    return maps.get(optimizer.map.name, "none") if optimizer.rule == "spectral" else "none"


def spectral_map(optimizer: Any) -> dict[str, Any] | None:
    """The map of a gradient's singular values that an optimizer is, with its options; None where it is none."""
    known = optimizer.rule == "spectral" and not _remembers(optimizer)
    return optimizer.map.model_dump() if known else None


def _remembers(optimizer: Any) -> bool:
    """Whether a step depends on earlier ones: predictions, of gradients alone, are not of it."""
    return any(getattr(optimizer, name, 0) for name in ("momentum", "weight_decay"))


def numeric_options(optimizer: Any) -> dict[str, float]:
    """The numbers among an optimizer's options, those of its map included: what a sweep varies."""
    options = optimizer.model_dump(exclude={"learning_rate"})
    options |= options.pop("map", None) or {}
    options |= options.pop("options", None) or {}
    unused = [name for name in Smoothing.model_fields if not options.get(name, True)]
    options = {key: value for key, value in options.items() if key not in unused}
    return {
        key: float(value)
        for key, value in options.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def own_code(optimizer: Any) -> str | None:
    """The Python file of a user's own map or optimizer, None for one of the package."""
    own, _ = _own(optimizer)
    return own and own.file


def _own(optimizer: Any) -> tuple[Any, tuple[str, ...]]:
    """What names a file of the user's, and under which key it stands; None where nothing does."""
    if optimizer.rule == "own":
        return optimizer, ()
    spectral_map = getattr(optimizer, "map", None)
    known = spectral_map is None or spectral_map.name != "own"
    return (None, ()) if known else (spectral_map, ("map",))


def problems(optimizers: Mapping[str, Any], root: Path) -> Iterator[tuple[tuple, str]]:
    """What is wrong with users' own maps and optimizers: (key, message) each."""
    for name, optimizer in optimizers.items():
        own, key = _own(optimizer)
        if own is None:
            continue
        at = ("optimizers", name, *key)
        if not os.path.isfile(root / own.file):
            yield (*at, "file"), f"{own.file!r}: no such file"
            continue
        contract = own_map.MAP if key else own_map.OPTIMIZER
        try:
            own_map.check(root / own.file, own.function, own.options or {}, contract)
        except (OSError, ValueError) as error:
            yield at, str(error)
