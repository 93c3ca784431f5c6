"""Fields of the configuration: strict models, names, axes, and models read off functions' signatures.

A docstring below a field is its description: editors show it, and config/README.md's tables are made of them.
"""

from __future__ import annotations

import inspect
import typing
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from annotated_types import DocInfo, Ge, Le, MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from pydantic.types import StringConstraints

MOST_SHOWN = 100
"""Of many values or names, how many a message lists."""

NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A name that becomes part of a path.

So long, a cell's file and what it is called while it is written, with host and process, stay below 255 bytes.
"""


def _path(text: str) -> str:
    # Snakemake has names in <>; to NetCDF a backslash is the / of another system.
    if unfit := sorted({c for c in text if c < " " or c in "\\<>"}):
        raise ValueError(f"a path cannot have {', '.join(map(repr, unfit))} in it")
    if "://" in text:
        raise ValueError("must be a path on this system, no address")
    if len(text.encode()) > 1000 or any(len(part.encode()) > 255 for part in text.split("/")):
        raise ValueError("a path can have 1000 bytes, and 255 from one / to the next")
    return text


FilePath = Annotated[str, StringConstraints(min_length=1), AfterValidator(_path)]
"""A path as a system can have it; whether anything is there is asked elsewhere."""
FixedPath = Annotated[FilePath, StringConstraints(pattern=r"^[^{}]*$")]
"""The same without braces, which are wildcards to Snakemake."""


def count(least: int = 1, most: int = 10**9) -> Any:
    """Whole numbers from ``least`` to ``most``: beyond what makes sense the mistake is told, not tried."""
    return Annotated[int, Ge(least), Le(most)]


def axis(item: Any, most: int = 10_000) -> Any:
    """A list of different values, one or more."""
    return Annotated[list[item], MinLen(1), Field(max_length=most), AfterValidator(_all_different)]


def _all_different(values: list) -> list:
    repeated = [str(value) for value, times in Counter(values).items() if times > 1]
    if repeated:
        raise ValueError(f"each value once; repeated: {', '.join(repeated[:MOST_SHOWN])}")
    # -0.0 is 0.0, and must not be another name of a file.
    return [value + 0.0 if isinstance(value, float) else value for value in values]


class Strict(BaseModel):
    """No unknown keys; no silent conversions such as "3" to 3."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class Made(Strict):
    """A model that ``create_model`` makes. Its fields bring their descriptions; pydantic, not told so, looks
    for its source in every frame of the stack, which takes longer than all else that a start of Snakemake
    does with the configuration."""

    model_config = ConfigDict(use_attribute_docstrings=False)


def options_of(function: Callable, nested: Mapping[str, Any], **fields: Any) -> type[Strict]:
    """A model of a function's keyword-only arguments, beside other ``fields``.

    ``nested`` has the types of those arguments that are options of a function in turn.
    """
    hints = typing.get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            annotation = nested.get(name, hints[name])
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[name] = (annotation, Field(default, description=description(hints[name])))
    title = "".join(part.title() for part in function.__name__.split("_"))
    return create_model(title, __base__=Made, __doc__=summary(function), **fields)


def one_of(
    functions: Mapping[str, Callable], tag: str, nested: Mapping[str, Any], **fields: Any
) -> Any:
    """The options of one of ``functions``, chosen by the key ``tag``; each may have ``fields`` too."""
    return any_of(models_of(functions, tag, nested, **fields), tag)


def models_of(
    functions: Mapping[str, Callable], tag: str, nested: Mapping[str, Any], **fields: Any
) -> list[type[Strict]]:
    """:func:`options_of` each function, with its name under the key ``tag``."""
    return [
        options_of(function, nested, **{tag: (Literal[name], ...), **fields})
        for name, function in functions.items()
    ]


def any_of(models: Sequence[type[Strict]], tag: str) -> Any:
    """One of these models, chosen by the key ``tag``."""
    return Annotated[reduce(or_, models), Field(discriminator=tag)]


def summary(documented: Any) -> str:
    """The first paragraph of a docstring."""
    return (inspect.getdoc(documented) or "").split("\n\n")[0]


def description(hint: Any) -> str | None:
    """What an annotation's ``doc`` says."""
    return next(
        (m.documentation for m in getattr(hint, "__metadata__", ()) if isinstance(m, DocInfo)), None
    )
