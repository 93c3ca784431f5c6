"""Optimizers as a Python program gives them: functions and transformations beside definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol, runtime_checkable

from numpy.typing import ArrayLike

from spectral_capacity.kinds.experiment import Problem
from spectral_capacity.optimizers import own_map
from spectral_capacity.optimizers.gradient import Gradient, StepContext

SpectralMap = Callable[[Gradient, StepContext], ArrayLike]


@runtime_checkable
class Transformation(Protocol):
    """What ``optax.GradientTransformation`` is."""

    @property
    def init(self) -> Callable[..., Any]: ...
    @property
    def update(self) -> Callable[..., Any]: ...


Optimizer = Mapping[str, Any] | SpectralMap | Transformation

PYTHON = "(python)"
"""What stands for the file of a function that is no file's, in provenance."""

ALONE = "mine"
"""Name of an optimizer that is given without one."""


def split(
    optimizers: Mapping[str, Optimizer] | Transformation,
) -> tuple[dict[str, Any], dict[str, SpectralMap | Transformation]]:
    """Optimizers as the configuration writes them, and the functions and transformations that some are."""
    if is_transformation(optimizers):
        optimizers = {ALONE: optimizers}
    if not isinstance(optimizers, Mapping):
        raise TypeError(
            f"optimizers is {optimizers!r}; must be an optax transformation, or a mapping of names to what "
            'each is, as in {"muon": {"rule": "spectral", "map": {"name": "polar"}}, "mine": function}'
        )
    definitions: dict[str, Any] = {}
    of_python: dict[str, SpectralMap | Transformation] = {}
    for name, given in optimizers.items():
        if is_transformation(given):
            given = {"rule": given}
        elif callable(given):
            given = {"rule": "spectral", "map": given}
        definitions[name] = given
        if not isinstance(given, Mapping):
            continue
        if is_transformation(rule := given.get("rule")):
            of_python[name] = rule
            named = {"rule": "own", "file": PYTHON, "function": type(rule).__name__}
            definitions[name] = {**given, **named}
        elif callable(function := given.get("map")):
            of_python[name] = function
            known_as = getattr(function, "__qualname__", type(function).__name__)
            named = {"name": "own", "file": PYTHON, "function": known_as}
            definitions[name] = {**given, "map": named}
    return definitions, of_python


def is_transformation(given: Any) -> bool:
    """Whether it has what an optax transformation has."""
    return not isinstance(given, type) and isinstance(given, Transformation)


def problems(of_python: Mapping[str, SpectralMap | Transformation]) -> Iterator[Problem]:
    """What is wrong with functions that stand for maps: (key, message) each."""
    for name, function in of_python.items():
        if is_transformation(function):
            continue
        try:
            own_map.check_signature(function, "its function")
        except ValueError as error:
            yield ("optimizers", name), str(error)


def trained_with(
    definition: Mapping[str, Any], given: SpectralMap | Transformation | None, name: str
) -> Mapping[str, Any]:
    """The settings of an optimizer that call what was given in place of a file's function."""
    if given is None:
        return definition
    if is_transformation(given):
        return {**definition, "rule": given}
    return {**definition, "map": {"name": partial(own_map.call, given, f"the function of {name}")}}
