"""Figures as the configuration knows them: read off their modules, which are not imported for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import doc

from spectral_capacity.kinds.experiment import Experiment

TARGETS = ("all", "claims", "figures", "grids", "page", "plan", "prune")
"""Of Snakemake, beside the names of figures and experiments."""

RULES = ("generate_embeddings", "assemble_grid", "fit_exponents", "check_claims", "write_page")
"""Of the workflow, beside those that train, and that draw figures."""

LITERALS = ("KIND", "THEME", "SHOWS", "NEEDS")
OPTIONAL = {"TITLE": None, "OPTION_NEEDS": {}, "DIFFERENT": ()}
COMMON = ("finite_size",)
"""Keyword arguments of ``plot`` that are set for all figures together."""

NAMES = {"Annotated": Annotated, "Literal": Literal, "doc": doc}
NAMES |= {kind.__name__: kind for kind in (bool, dict, float, int, list, str, tuple)}
"""What an annotation of an option may name."""


@dataclass(frozen=True)
class Option:
    """A keyword argument of a figure's ``plot``: a key of the figure in the configuration."""

    annotation: Any
    default: Any


@dataclass(frozen=True)
class FigureModule:
    """One figure: the literals, the docstring and the signature of its module.

    title: how it is called. caption: what a reader of the report sees. kind: of the experiments it shows.
    theme: what it stands under in the page of results. shows: its default experiment, or those by their
    roles, or None: it is drawn where the configuration says so. needs: what they must have, keys of the
    kind's ``needs`` and ``joint_needs``. option_needs: {option: {value: need}}, what a value of an option
    needs. different: groups of options, no two of which have the same value.
    """

    name: str
    module: str
    path: Path
    title: str
    caption: str
    kind: str
    theme: str
    shows: str | Mapping[str, str] | None
    needs: tuple[str, ...]
    option_needs: Mapping[str, Mapping[str, str]]
    different: tuple[tuple[str, ...], ...]
    options: Mapping[str, Option]

    @property
    def summary(self) -> str:
        """The caption's first sentence, in one line."""
        return re.split(r"\.(?:\s|$)", " ".join(self.caption.split()))[0]

    @property
    def roles(self) -> tuple[str, ...]:
        """Keys of the configuration that name its experiments."""
        return tuple(self.shows) if isinstance(self.shows, Mapping) else ("experiment",)

    def needs_with(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """All needs, where its options are these."""
        more = (needs.get(options[name]) for name, needs in self.option_needs.items())
        return (*self.needs, *filter(None, more))


def is_reserved(name: str, kinds: Mapping[str, type[Experiment]]) -> bool:
    """Whether Snakemake has a target or a rule of this name: no experiment and no figure can."""
    trainers = (Path(kind.script).stem for kind in kinds.values())
    return name in {*TARGETS, *RULES, *trainers} or name.startswith("plot_")


def title(name: str) -> str:
    """How a figure is called that has no title: Figure 2 for ``fig2``, and so on; others by their names."""
    numbered = re.fullmatch(r"fig(\d+\w*)", name)
    return f"Figure {numbered[1]}" if numbered else name.replace("_", " ").capitalize()


def figure_modules(kinds: Mapping[str, type[Experiment]]) -> dict[str, FigureModule]:
    """Every figure of these kinds by its name, in alphabetical order.

    ValueError, for who wrote it, where a module needs what its kind does not know, or two have one name.
    """
    packages = sorted({kind.figures for kind in kinds.values()})
    found: dict[str, FigureModule] = {}
    for figure in (figure for package in packages for figure in _modules_of(package)):
        if figure.name in found:
            raise ValueError(f"{figure.path}: its name is taken: {found[figure.name].path}")
        if is_reserved(figure.name, kinds):
            raise ValueError(f"{figure.path}: its name is taken: a target of Snakemake")
        found[figure.name] = figure
        _check_words(figure, kinds)
    return dict(sorted(found.items()))


def _check_words(figure: FigureModule, kinds: Mapping[str, type[Experiment]]) -> None:
    kind = kinds.get(figure.kind)
    known = {*kind.needs, *kind.joint_needs} if kind else {*kinds}
    needs = [*figure.needs, *(n for by in figure.option_needs.values() for n in by.values())]
    for word in needs if kind else [figure.kind]:
        if word not in known:
            raise ValueError(f"{figure.path}: {word!r} is not one of {', '.join(sorted(known))}")
    for option in {*figure.option_needs, *chain(*figure.different)} - figure.options.keys():
        raise ValueError(f"{figure.path}: {option!r} is not an option of its plot")


@cache
def _modules_of(package: str) -> list[FigureModule]:
    folder = next(iter(find_spec(package).submodule_search_locations))
    paths = sorted(Path(folder).glob("*.py"))
    return [_read(path, package) for path in paths if path.stem != "__init__"]


def _read(path: Path, package: str) -> FigureModule:
    tree = ast.parse(path.read_bytes(), filename=str(path))
    values: dict[str, Any] = dict(OPTIONAL) | {"TITLE": title(path.stem)}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names = [t for target in node.targets for t in _names(target)]
            if {*LITERALS, *OPTIONAL} & {*names}:
                values |= _literals(names, node.value, path)
    missing = {*LITERALS} - values.keys()
    if missing:
        raise ValueError(f"{path}: a figure says {', '.join(sorted(missing))}, as a literal")
    plots = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "plot"]
    return FigureModule(
        name=path.stem,
        module=f"{package}.{path.stem}",
        path=path,
        title=values["TITLE"],
        caption=ast.get_docstring(tree) or "",
        kind=values["KIND"],
        theme=values["THEME"],
        shows=values["SHOWS"],
        needs=tuple(values["NEEDS"]),
        option_needs=values["OPTION_NEEDS"],
        different=values["DIFFERENT"],
        options=dict(_options(plots[0].args, path)) if plots else {},
    )


def _options(arguments: ast.arguments, path: Path) -> Iterator[tuple[str, Option]]:
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if argument.arg in COMMON:
            continue
        where = f"{path}, line {argument.lineno}: option {argument.arg}"
        if argument.annotation is None or default is None:
            raise ValueError(f"{where} must have an annotation and a default")
        try:
            annotation = _annotation(argument.annotation)
            yield argument.arg, Option(annotation, ast.literal_eval(default))
        except (TypeError, ValueError) as error:
            allowed = ", ".join(sorted(NAMES))
            raise ValueError(
                f"{where} must have a literal default and an annotation of {allowed}: {error}"
            ) from error


def _annotation(node: ast.expr) -> Any:
    """What an annotation says. Read, not evaluated: a figure's module is not run to know its options."""
    match node:
        case ast.Name(name) if name in NAMES:
            return NAMES[name]
        case ast.BinOp(left, ast.BitOr(), right):
            return _annotation(left) | _annotation(right)
        case ast.Subscript(of, ast.Tuple(inside)):
            return _annotation(of)[tuple(map(_annotation, inside))]
        case ast.Subscript(of, inside):
            return _annotation(of)[_annotation(inside)]
        case ast.Call(ast.Name("doc"), [text], []):
            return doc(ast.literal_eval(text))
        case ast.Name(name):
            raise ValueError(f"{name!r} is not known")
    return ast.literal_eval(node)


def _literals(names: list[str], value: ast.expr, path: Path) -> dict[str, Any]:
    try:
        written = ast.literal_eval(value)
    except ValueError as error:
        names = ", ".join(names)
        raise ValueError(f"{path}, line {value.lineno}: {names} must be literals") from error
    return {names[0]: written} if len(names) == 1 else dict(zip(names, written, strict=True))


def _names(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]
