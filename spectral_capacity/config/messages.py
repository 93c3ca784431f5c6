"""Errors of the configuration, said so that they can be mended without reading code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from spectral_capacity.kinds.fields import MOST_SHOWN, NAME_PATTERN
from spectral_capacity.optimizers.maps import MAPS

TEXTS = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be greater than or equal to {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be less than or equal to {le}",
    "finite_number": "must be a finite number",
    "int_type": "must be a valid integer",
    "float_type": "must be a valid number",
    "bool_type": "must be a valid boolean",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} character",
    "string_too_long": "must have at most {max_length} characters",
    "list_type": "must be a valid list",
    "dict_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "model_attributes_type": "must be a mapping of keys",
    "too_short": "must have at least {min_length} item",
    "too_long": "must have at most {max_length} items",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match pattern '{pattern}'",
    "value_error": "{error}",
}
"""What is allowed, by Pydantic's type of error and with its context; its own text for any other."""


MEANT = {
    ("rule", "gd"): "gradient",
    ("rule", "signsgd"): "sign",
    ("name", "muon"): "polar",
    ("name", "gd"): "identity",
}
"""What is written under another name here: (key, name) and how."""

LOOK = {
    "rule": "a rule of your own: docs/extending.md; optimizers with momentum or other state are not there",
    "name": "a map of your own: docs/own_map.md",
    "draw": "what each draws: docs/figures.md",
}
"""Where to look for more than there is, by key."""


LONGEST_SHOWN = 200
"""Characters of a value or a key in a message."""


class ConfigError(ValueError):
    """One line per bad value: the path of its key, what was found, what is allowed.

    Of very many, the first ones.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        first = [*islice(problems, MOST_SHOWN + 1)]
        more = ["…: there are more, told when these are mended"] if len(first) > MOST_SHOWN else []
        self.problems = (*first[:MOST_SHOWN], *more)
        super().__init__(
            "the configuration cannot be used:\n" + "\n".join(f"  {p}" for p in problems)
        )


def key_path(parts: Sequence[str | int]) -> str:
    """``experiments.one_step.alpha[2]``."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            # As it is written, unless no terminal could show it.
            key = part if part.isprintable() and len(part) <= LONGEST_SHOWN else shown(part)
            text += f".{key}" if text else key
    return text or "the configuration"


def shown(value: Any) -> str:
    """A value as Python writes it, shortened."""
    if isinstance(value, int) and abs(value) >= 2**63:
        return "a number of more than 18 digits"  # of thousands, Python writes none
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def listed(names: Iterable[Any]) -> str:
    """``a, b, c``, shortened."""
    first = [*islice(map(str, names), MOST_SHOWN + 1)]
    return ", ".join([*first[:MOST_SHOWN], "…"] if len(first) > MOST_SHOWN else first)


def describe_all(errors: Sequence[ErrorDetails], given: Any, model: type[BaseModel]) -> list[str]:
    """One line for each bad value; what the branches of a union allow is joined by "or"."""
    lines: dict[str, str] = {}
    for error in errors:
        path, message = _describe(error, given, model)
        if path in lines:
            lines[path] += f" or {message.removeprefix(shown(error['input']) + ': ')}"
        elif len(lines) > MOST_SHOWN:
            break
        else:
            lines[path] = message
    return [f"{path}: {message}" for path, message in lines.items()]


def _describe(error: ErrorDetails, given: Any, model: type[BaseModel]) -> tuple[str, str]:
    """The path of a key, and what is wrong with its value."""
    kind, where = error["type"], _written_path(error["loc"], given, error["type"])
    context = {key: _plain(value) for key, value in error.get("ctx", {}).items()}
    if kind == "extra_forbidden":
        known = _siblings(error["loc"], model)
        close = get_close_matches(str(where[-1]), known, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; known keys: {', '.join(known)}"
        return key_path(where), f"unknown key{hint if known else ''}"
    if kind == "unknown_figure":
        known = _siblings(error["loc"], model)
        close = get_close_matches(str(where[-1]), known, n=1)
        hint = f"did you mean {close[0]}? A figure" if close else "a figure"
        return (
            key_path(where),
            f"unknown key; {hint} of your own says what it draws, as "
            "{draw: fig2, experiment: …} (docs/figures.md)",
        )
    if kind == "missing":
        return key_path(where), "is missing"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        tag = context["discriminator"].strip("'()")
        path = key_path([*where, tag])
        if kind == "union_tag_not_found":
            return path, "is missing"
        return path, _unknown(tag, context["tag"], context["expected_tags"])
    text = TEXTS[kind].format(**context) if kind in TEXTS else error["msg"]
    if context.get("pattern") == NAME_PATTERN:
        text += ": a letter, then letters, digits and _, 64 characters at most"
    if kind == "float_type" and _reads_as_number(error["input"]):
        text += f"; YAML takes {error['input']} for text, write it with a point, as 1.0e-3"
    if error["input"] == "null":
        text += "; on the command line Snakemake takes null for text: write it in a file"
    if kind == "bool_type" and str(error["input"]).lower() in ("true", "false"):
        text += f"; Snakemake takes it for text, write {str(error['input']).capitalize()}"
    found = "" if isinstance(error["input"], Mapping | list) else f"{shown(error['input'])}: "
    return key_path(where), f"{found}{text}"


def _unknown(key: str, name: str, allowed: str) -> str:
    """What to do about a name that is none of those allowed ('a', 'b')."""
    known = [text.strip(" '") for text in allowed.split(",")]
    meant = MEANT.get((key, name.lower()))
    if meant is None and key == "rule" and name in MAPS:
        meant = f"spectral with map: {{name: {name}}}"
    if meant is None and (close := get_close_matches(name, known, n=1)):
        meant = close[0]
    text = f"{shown(name)} is not known; " + (
        f"did you mean {meant}? Allowed" if meant else "allowed"
    )
    return f"{text}: {allowed}" + (f"; {LOOK[key]}" if key in LOOK and not meant else "")


def _plain(bound: Any) -> Any:
    """0 for 0.0."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _reads_as_number(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(float(value))
    except ValueError:
        return False


def _written_path(loc: Sequence[str | int], given: Any, kind: str) -> list[str | int]:
    """``loc`` without the tags of unions that pydantic puts in but nobody wrote."""
    path: list[str | int] = []
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if (isinstance(given, Mapping) and part in given) or (
            isinstance(given, list) and isinstance(part, int)
        ):
            given = given[part]
        elif not (last and kind == "missing"):
            continue
        path.append(part)
    return path


def _has_tag(node: Mapping[str, Any], tag: str | int) -> bool:
    return any(field.get("const") == tag for field in node.get("properties", {}).values())


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _siblings(loc: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """Names of the fields beside an unknown key."""
    node = schema = _schema(model)

    def resolve(node: Any) -> Any:
        while True:
            # What may be left out, or written in short.
            models = [o for o in node.get("anyOf", ()) if o.get("type") not in ("null", "string")]
            if "$ref" in node:
                node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
            elif len(models) == 1:
                node = models[0]
            else:
                return node

    for part in loc[:-1]:
        node = resolve(node)
        options = node.get("oneOf") or node.get("anyOf")
        if isinstance(part, int):
            node = node.get("items", {})
        elif options:  # the one whose tag this is
            found = (o for o in map(resolve, options) if _has_tag(o, part))
            node = next(found, {})
        elif part in node.get("properties", {}):
            node = node["properties"][part]
        else:
            patterned = node.get("patternProperties", {"": {}})
            node = node.get("additionalProperties") or next(iter(patterned.values()))
    return sorted(resolve(node).get("properties", {}))
