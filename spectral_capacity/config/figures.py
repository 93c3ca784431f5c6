"""Figures as the configuration knows them: read off their modules, which are not imported for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, create_model

from spectral_capacity.kinds.experiment import Experiment
from spectral_capacity.kinds.fields import Name, Strict, axis

RESERVED = ("all", "claims", "figures", "grids", "plan", "prune")
"""Targets of Snakemake, beside the figures' names."""


@dataclass(frozen=True)
class FigureModule:
    """One figure: the literals and the docstring of its module.

    caption: what a reader of the report sees. kind: of the experiments it shows. shows: its default
    experiment, or those by their roles. needs: what they must have, keys of the kind's ``needs`` and
    ``joint_needs``.
    """

    name: str
    module: str
    path: Path
    caption: str
    kind: str
    shows: str | Mapping[str, str]
    needs: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The caption's first sentence, in one line."""
        return re.split(r"\.(?:\s|$)", " ".join(self.caption.split()))[0]


def figure_modules(kinds: Mapping[str, type[Experiment]]) -> dict[str, FigureModule]:
    """Every figure of these kinds by its name, in alphabetical order.

    ValueError, for who wrote it, where a module needs what its kind does not know, or has a name that is taken.
    """
    packages = sorted({kind.figures for kind in kinds.values()})
    found = [figure for package in packages for figure in _modules_of(package)]
    seen = dict.fromkeys(FigureSettings.model_fields, "a key of the section figures")
    seen |= dict.fromkeys(RESERVED, "a target of Snakemake")
    for figure in found:
        if figure.name in seen:
            raise ValueError(f"{figure.path}: its name is taken: {seen[figure.name]}")
        seen[figure.name] = str(figure.path)
        kind = kinds.get(figure.kind)
        known = {*kind.needs, *kind.joint_needs} if kind else {*kinds}
        for word in figure.needs if kind else [figure.kind]:
            if word not in known:
                raise ValueError(
                    f"{figure.path}: {word!r} is not one of {', '.join(sorted(known))}"
                )
    return {figure.name: figure for figure in sorted(found, key=lambda figure: figure.name)}


@cache
def _modules_of(package: str) -> list[FigureModule]:
    folder = next(iter(find_spec(package).submodule_search_locations))
    paths = sorted(Path(folder).glob("*.py"))
    return [_read(path, package) for path in paths if path.stem != "__init__"]


def _read(path: Path, package: str) -> FigureModule:
    tree = ast.parse(path.read_bytes(), filename=str(path))
    values: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names = [t for target in node.targets for t in _names(target)]
            if {"KIND", "SHOWS", "NEEDS"} & {*names}:
                values |= _literals(names, node.value, path)
    missing = {"KIND", "SHOWS", "NEEDS"} - values.keys()
    if missing:
        raise ValueError(f"{path}: a figure says {', '.join(sorted(missing))}, as a literal")
    return FigureModule(
        path.stem,
        f"{package}.{path.stem}",
        path,
        ast.get_docstring(tree) or "",
        values["KIND"],
        values["SHOWS"],
        tuple(values["NEEDS"]),
    )


def _literals(names: list[str], value: ast.expr, path: Path) -> dict[str, Any]:
    try:
        written = ast.literal_eval(value)
    except ValueError as error:
        names = ", ".join(names)
        raise ValueError(f"{path}, line {value.lineno}: {names} must be literals") from error
    return {names[0]: written} if len(names) == 1 else dict(zip(names, written, strict=True))


def _names(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


class FigureSettings(Strict):
    """Which experiment each figure shows (null: do not draw it), and how figures look."""

    formats: axis(Literal["pdf", "svg", "png"]) = Field(["pdf", "svg", "png"])
    """what each figure is written as"""
    finite_size: bool = True
    """draw the prediction without a fit parameter"""
    style: str = "config/figures.mplstyle"
    """Matplotlib style of all figures"""


def figures_model(modules: Mapping[str, FigureModule]) -> type[FigureSettings]:
    """The section ``figures``: a key for each figure, beside what all have."""
    return create_model(
        "Figures",
        __base__=FigureSettings,
        __doc__=FigureSettings.__doc__,
        **{name: _field(figure) for name, figure in modules.items()},
    )


def _field(figure: FigureModule) -> tuple[Any, Any]:
    if isinstance(figure.shows, str):
        return Name | None, Field(figure.shows, description=figure.summary)
    roles = create_model(
        figure.name.title().replace("_", ""),
        __base__=Strict,
        __doc__="An experiment for each role.",
        **{
            role: (Name, Field(description=f"experiment in the role {role}"))
            for role in figure.shows
        },
    )
    return roles | None, Field(roles(**figure.shows), description=figure.summary)


def shown(settings: FigureSettings, figure: str) -> dict[str, str]:
    """The experiments that a figure shows by role, ``""`` for the only one; none for one left out."""
    names = getattr(settings, figure)
    if names is None:
        return {}
    return {"": names} if isinstance(names, str) else names.model_dump()


def problems(config: Any, modules: Mapping[str, FigureModule]) -> Iterator[tuple[tuple, str]]:
    """What figures miss in their experiments: (key, message) each."""
    for name, figure in modules.items():
        experiments = shown(config.figures, name)
        for role, experiment in experiments.items():
            for message in _of_one(config, figure, experiment):
                yield ("figures", name, *filter(None, [role])), message
        together = {
            r: (e, config.experiments[e]) for r, e in experiments.items() if e in config.experiments
        }
        kinds = {experiment.kind for _, experiment in together.values()}
        if together.keys() == experiments.keys() and kinds == {figure.kind}:
            joint_needs = next(iter(together.values()))[1].joint_needs
            for need in (joint_needs[n] for n in figure.needs if n in joint_needs):
                for key, message in need.problems(together):
                    yield ("figures", name, *key), message


def _of_one(config: Any, figure: FigureModule, name: str) -> Iterator[str]:
    if name not in config.experiments:
        yield (
            f"{name!r} is not defined; experiments has {', '.join(config.experiments)}; null leaves the "
            "figure out"
        )
        return
    experiment = config.experiments[name]
    if experiment.kind != figure.kind:
        yield f"{name!r} is of kind {experiment.kind}; this figure shows kind {figure.kind}"
        return
    for need in (experiment.needs[n] for n in figure.needs if n in experiment.needs):
        if not need.holds(experiment, config.shared):
            yield f"{name!r}: must have {need.text}"
