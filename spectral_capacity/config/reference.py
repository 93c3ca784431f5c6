"""Pages of the documentation that are made of the code: keys of the configuration, and figures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from spectral_capacity.config.figure_modules import FigureModule, figure_modules
from spectral_capacity.config.figures import FigureSettings, figures_model
from spectral_capacity.config.model import Config, Fits
from spectral_capacity.kinds.fields import options_of, summary
from spectral_capacity.kinds.optimizers import COLOUR, LABEL, LearningRate, Smoothing
from spectral_capacity.kinds.registry import KINDS
from spectral_capacity.optimizers.maps import MAPS

SECTIONS = {"optimizers", "experiments", "fits", "figures"}
"""Top-level keys that have tables of their own."""


def keys(page: str) -> str:
    """config/README.md with its tables as the models have them now; the rest of the page stays."""
    tables = {
        "top": table(Config, leave_out=SECTIONS),
        "learning rate": table(LearningRate, prefix="learning_rate."),
        "smoothing": table(Smoothing),
        "looks": _table([("label", "", LABEL), ("colour", "", COLOUR)]),
        "rules": functions("rule", _rules()),
        "maps": functions("map", MAPS),
        "fits": table(Fits),
        "figures": table(FigureSettings),
        "each figure": _experiments_of(figure_modules(KINDS).values()),
    }
    tables |= {f"kind {name}": table(kind) for name, kind in KINDS.items()}
    return filled(page, tables)


def figures(page: str) -> str:
    """docs/figures.md with its list as the modules have it now."""
    return filled(page, {"figures": "\n".join(_listed(figure_modules(KINDS)))})


def filled(page: str, tables: Mapping[str, str]) -> str:
    """``page`` with everything between ``<!-- table: NAME -->`` and ``<!-- end -->`` replaced."""
    for name, text in tables.items():
        pattern = re.compile(rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        page, found = pattern.subn(lambda m, text=text: f"{m[1]}{text}\n{m[2]}", page)
        if found != 1:
            raise ValueError(f"the page must have one <!-- table: {name} -->")
    return page


def table(model: type[BaseModel], *, prefix: str = "", leave_out: Iterable[str] = ()) -> str:
    """A row a key, keys of nested models below theirs: default and meaning."""
    return _table(_rows(model, prefix, leave_out))


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [f"| `{key}` | {default} | {text} |" for key, default, text in rows]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *lines])


def functions(what: str, of: Mapping[str, Callable]) -> str:
    """A row a function: its summary, and its options with defaults and meanings."""
    rows = []
    for name, function in of.items():
        fields = options_of(function, {}).model_fields
        options = "; ".join(f"`{key}`{_option(field)}" for key, field in fields.items())
        rows.append(f"| `{name}` | {_line(summary(function))} | {options} |")
    return "\n".join([f"| {what} | what it does | options |", "|---|---|---|", *rows])


def _rules() -> dict[str, Callable]:
    return {name: rule for kind in KINDS.values() for name, rule in kind.rules.items()}


def _option(field: FieldInfo) -> str:
    left_out = field.is_required() or field.default is None
    default = "" if left_out else f" ({_plain(field.default)})"
    return f"{default}: {_line(field.description or '')}".removesuffix(": ")


def _rows(model: type[BaseModel], prefix: str, leave_out: Iterable[str]) -> Iterator[tuple]:
    own = [name for name in model.model_fields if name in model.__annotations__]
    # What all kinds have comes after what this one has.
    for name in [*own, *(name for name in model.model_fields if name not in own)]:
        field = model.model_fields[name]
        if name in leave_out:
            continue
        if nested := _model_in(field.annotation):
            if field.default is None:
                yield f"{prefix}{name}", "", _line(field.description)
            yield from _rows(nested, f"{prefix}{name}.", ())
        else:
            left_out = field.is_required() or field.default is None
            default = "" if left_out else f"`{_plain(field.default)}`"
            yield f"{prefix}{name}", default, _line(field.description)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model among an annotation's alternatives."""
    alternatives = [annotation, *get_args(annotation)]
    models = (a for a in alternatives if isinstance(a, type) and issubclass(a, BaseModel))
    return next(models, None)


def _plain(value: Any) -> str:
    """A value as it is written in YAML."""
    if isinstance(value, float):
        return f"{value:.1e}" if 0 < abs(value) < 1e-3 else repr(value)
    return value if isinstance(value, str) else re.sub('"', "", json.dumps(value))


def _line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|").replace("``", "`")


def _experiments_of(modules: Iterable[FigureModule]) -> str:
    rows = [
        f"| `{figure.name}` | `{_plain(figure.shows)}` | {_line(figure.summary)} |"
        for figure in modules
    ]
    return "\n".join(["| key | default | what it shows |", "|---|---|---|", *rows])


def _listed(modules: Mapping[str, FigureModule]) -> Iterator[str]:
    models = figures_model(modules).model_fields
    for name, figure in modules.items():
        yield f"## {name}"
        yield f"{_shows(figure)}\n"
        yield f"{_line(_markdown(figure.caption))}\n"
        if figure.options:
            fields = _model_in(models[name].annotation).model_fields
            rows = [(key, fields[key]) for key in figure.options]
            yield _table((key, f"`{_plain(f.default)}`", _meaning(f)) for key, f in rows)
            yield ""


def _meaning(field: FieldInfo) -> str:
    """The description, and the words that are allowed where there are only some."""
    words = [o for o in get_args(field.annotation) if isinstance(o, str)]
    words += [
        w for o in get_args(field.annotation) for w in get_args(o) if get_origin(o) is Literal
    ]
    allowed = f" ({', '.join(f'`{word}`' for word in words)})" if words else ""
    return f"{_line(field.description)}{allowed}"


def _shows(figure: FigureModule) -> str:
    kind = KINDS[figure.kind]
    needs = [(kind.needs.get(n) or kind.joint_needs[n]).text for n in figure.needs]
    must = f" It must have {'; '.join(needs)}." if needs else ""
    if figure.shows is None:
        return f"Any experiment that you name.{must}"
    shown = [figure.shows] if isinstance(figure.shows, str) else figure.shows.values()
    return f"Experiment: {', '.join(f'`{name}`' for name in shown)}.{must}"


def _markdown(caption: str) -> str:
    """A caption, RST, in Markdown."""
    caption = re.sub(r":math:`([^`]*)`", r"$`\1`$", caption)
    caption = re.sub(r"\\ ?:sup:`([^`]*)`", r"<sup>\1</sup>", caption)
    return re.sub(r"\\ ?:sub:`([^`]*)`", r"<sub>\1</sub>", caption)
