"""The section ``figures``: what is drawn, with which experiments, and how it looks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import combinations
from operator import or_
from types import UnionType, new_class
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator, ConfigDict, Field, create_model
from pydantic_core import PydanticCustomError

from spectral_capacity.config.figure_modules import FigureModule, is_reserved, title
from spectral_capacity.config.messages import listed
from spectral_capacity.kinds.experiment import Problem
from spectral_capacity.kinds.fields import (
    NAME_PATTERN,
    FixedPath,
    Made,
    Name,
    Strict,
    axis,
    description,
)
from spectral_capacity.kinds.registry import KINDS

if TYPE_CHECKING:
    from spectral_capacity.config.model import Config


MOST_FIGURES = 1000


class Drawn(Strict):
    """A figure module drawn with experiments, and with options where it has some."""

    module: ClassVar[FigureModule]
    draw: str
    """the figure module"""

    @property
    def experiments(self) -> dict[str, str]:
        """The experiments that it shows, by the key that names them."""
        return {role: getattr(self, role) for role in self.module.roles}

    def title(self, name: str) -> str:
        """How it is called under this name: as its module, if that is its name."""
        return self.module.title if name == self.draw else title(name)

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments of its ``plot``, in a fixed order."""
        return {name: getattr(self, name) for name in sorted(self.module.options)}


class FigureSettings(Strict):
    """Which figures are drawn with which experiments (null: not), and how they look."""

    model_config = ConfigDict(extra="allow")  # figures of the user's own, of one of the types drawn

    formats: axis(Literal["pdf", "svg", "png"]) = Field(["pdf", "svg", "png"])
    """what each figure is written as"""
    finite_size: bool = True
    """draw the prediction without a fit parameter"""
    style: FixedPath = "config/figures.mplstyle"
    """Matplotlib style of all figures"""

    def drawn(self) -> dict[str, Drawn]:
        """Every figure by the name of its files, those of the user's own last."""
        return {name: value for name, value in self if isinstance(value, Drawn)}


def figures_model(modules: Mapping[str, FigureModule]) -> type[FigureSettings]:
    """The section ``figures``: a key for each module, any other for a figure of the user's own."""
    for name in FigureSettings.model_fields.keys() & modules.keys():
        raise ValueError(f"{modules[name].path}: its name is taken: a key of the section figures")
    models = {name: _drawn(module) for name, module in modules.items()}
    own = Annotated[reduce(or_, models.values()), Field(discriminator="draw")]
    written = Annotated[own | None, BeforeValidator(_says_what_it_draws)]
    body = {
        "__annotations__": {"__pydantic_extra__": dict[str, written]},
        "model_config": Made.model_config | {"extra": "allow"},
    }
    base = new_class("Figures", (FigureSettings,), {}, lambda namespace: namespace.update(body))
    fields = {name: _field(model) for name, model in models.items()}
    return create_model("Figures", __base__=base, __doc__=FigureSettings.__doc__, **fields)


def _drawn(module: FigureModule) -> type[Drawn]:
    """The keys of one figure: an experiment for each role, and its options."""
    roles = module.shows if isinstance(module.shows, Mapping) else {"experiment": module.shows}
    fields: dict[str, Any] = {
        role: (Name, Field(... if shown is None else shown, description=f"{role} shown"))
        for role, shown in roles.items()
    }
    fields |= {
        name: (_with_axes(o.annotation), Field(o.default, description=description(o.annotation)))
        for name, o in module.options.items()
    }
    model = create_model(
        module.name.title().replace("_", ""),
        __base__=(Drawn, Made),
        __doc__=module.summary,
        draw=(Literal[module.name], Field(module.name, description="the figure module")),
        **fields,
    )
    model.module = module
    return model


def _with_axes(annotation: Any) -> Any:
    """The annotation of an option where a list is an axis: of different values, one or more."""
    inside = get_args(annotation)
    if get_origin(annotation) is list:
        return axis(*inside)
    if get_origin(annotation) is Annotated:
        return Annotated[_with_axes(inside[0]), *inside[1:]]
    if get_origin(annotation) in (Union, UnionType):
        return reduce(or_, map(_with_axes, inside))
    return annotation


def _field(model: type[Drawn]) -> tuple[Any, Any]:
    """The key of a figure under the name of its module: null, an experiment, or all its keys."""
    module = model.module

    def in_full(given: Any) -> Any:
        return {"experiment": given} if isinstance(given, str) else given

    short = Name | model if module.roles == ("experiment",) else model
    written = Annotated[model | None, BeforeValidator(in_full, json_schema_input_type=short | None)]
    default = None if module.shows is None else model()
    return written, Field(default, description=module.summary)


def _says_what_it_draws(given: Any) -> Any:
    if given is None or isinstance(given, Drawn):
        return given
    if isinstance(given, Mapping) and "draw" in given:
        return given
    raise PydanticCustomError("unknown_figure", "is no figure")


def problems(config: Config) -> Iterator[Problem]:
    """What is wrong with figures that no single key shows: (key, message) each.

    One that nobody wrote down is not drawn where its experiment is not defined, and that is no mistake.
    """
    figures = config.figures.drawn()
    if len(figures) > MOST_FIGURES:
        yield ("figures",), f"has {len(figures):,} figures; at most {MOST_FIGURES:,} are allowed"
        return
    for name, figure in figures.items():
        at = ("figures", name)
        if not re.fullmatch(NAME_PATTERN, name):
            yield at, f"{name!r}: must match pattern '{NAME_PATTERN}'"
        elif is_reserved(name, KINDS):
            yield at, f"{name!r} is a target of Snakemake: choose another name"
        for key, text in _of_equal_options(figure):
            yield (*at, key), text
        known = {*config.experiments, *config.dropped}
        missing = {key: e for key, e in figure.experiments.items() if e not in known}
        for key, experiment in missing.items() if name in config.figures.model_fields_set else ():
            defined = listed(config.experiments)
            yield (
                (*at, *_role(key)),
                f"{experiment!r} is not defined; experiments has {defined}; null in place of the figure "
                "leaves it out",
            )
        if not missing and not config.dropped & {*figure.experiments.values()}:
            for key, text in _of_needs(config, figure):
                yield (*at, *key), text


def _role(key: str) -> tuple[str, ...]:
    """What names an experiment, below a figure: nothing where there is one, which is written in short."""
    return () if key == "experiment" else (key,)


def _of_equal_options(figure: Drawn) -> Iterator[tuple[str, str]]:
    """Options that have one value and must not."""
    options = figure.options
    for group in figure.module.different:
        for one, other in combinations(group, 2):
            if options[one] is not None and options[one] == options[other]:
                yield (
                    other,
                    f"{options[other]!r} is what {one} has already; choose another one of the two",
                )


def _of_needs(config: Config, figure: Drawn) -> Iterator[Problem]:
    """What the experiments of a figure lack."""
    module = figure.module
    shown = {key: (name, config.experiments[name]) for key, name in figure.experiments.items()}
    strange = {key: pair for key, pair in shown.items() if pair[1].kind != module.kind}
    for key, (name, experiment) in strange.items():
        yield (
            _role(key),
            f"{name!r} is of kind {experiment.kind}; this figure shows kind {module.kind}",
        )
    if strange:
        return
    needs = module.needs_with(figure.options)
    for key, (name, experiment) in shown.items():
        for need in (experiment.needs[n] for n in needs if n in experiment.needs):
            if not need.holds(experiment, config.shared):
                yield _role(key), f"{name!r}: must have {need.text}"
    joint_needs = next(iter(shown.values()))[1].joint_needs
    for need in (joint_needs[n] for n in needs if n in joint_needs):
        yield from need.problems(shown)


def problems_of_selections(config: Config) -> Iterator[Problem]:
    """Options called as a dimension, or as its plural, choose among its values: are they there?

    Of experiments that have no problems themselves.
    """
    shown_in: dict[str, list[tuple[str, Drawn]]] = {}
    for name, figure in config.drawn(config.experiments).items():
        for experiment in figure.experiments.values():
            shown_in.setdefault(experiment, []).append((name, figure))
    for experiment, figures in shown_in.items():
        coordinates = config.experiments[experiment].coordinates(config.shared)
        for dimension, values in coordinates.items():
            there = {"population" if value == math.inf else value: None for value in values}
            for name, figure in figures:
                for option in {dimension, f"{dimension}s"} & figure.options.keys():
                    for at, value in _each(figure.options[option]):
                        if value not in there:
                            yield (
                                ("figures", name, option, *at),
                                f"{value!r}: experiment {experiment!r} has {listed(there)}",
                            )


def _each(option: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """The values of an option that is one, a list or null, each with its key below the option's."""
    if isinstance(option, list):
        yield from (((i,), value) for i, value in enumerate(option))
    elif option is not None:
        yield (), option
