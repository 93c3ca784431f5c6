"""Errors of the configuration, said so that they can be mended without reading code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

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
    ("rule", "muon"): "spectral with map: {name: polar}",
    ("rule", "gd"): "gradient",
    ("rule", "sgd"): "gradient, with a finite batch_size",
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


class ConfigError(ValueError):
    """One line per bad value: the path of its key, what was found, what is allowed."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "the configuration cannot be used:\n" + "\n".join(f"  {p}" for p in problems)
        )


def key_path(parts: Sequence[str | int]) -> str:
    """``experiments.one_step.alpha[2]``."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def describe_all(errors: Sequence[ErrorDetails], given: Any, model: type[BaseModel]) -> list[str]:
    """One line for each bad value; what the branches of a union allow is joined by "or"."""
    lines: dict[str, str] = {}
    for error in errors:
        path, _, message = _describe(error, given, model).partition(": ")
        if path in lines:
            lines[path] += f" or {message.removeprefix(repr(error['input']) + ': ')}"
        else:
            lines[path] = message
    return [f"{path}: {message}" for path, message in lines.items()]


def _describe(error: ErrorDetails, given: Any, model: type[BaseModel]) -> str:
    kind, where = error["type"], _written_path(error["loc"], given, error["type"])
    context = {key: _plain(value) for key, value in error.get("ctx", {}).items()}
    if kind == "extra_forbidden":
        known = _siblings(error["loc"], model)
        close = get_close_matches(str(where[-1]), known, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; known keys: {', '.join(known)}"
        return f"{key_path(where)}: unknown key{hint if known else ''}"
    if kind == "unknown_figure":
        known = _siblings(error["loc"], model)
        close = get_close_matches(str(where[-1]), known, n=1)
        hint = f"did you mean {close[0]}? A figure" if close else "a figure"
        return (
            f"{key_path(where)}: unknown key; {hint} of your own says what it draws, as "
            "{draw: fig2, experiment: …} (docs/figures.md)"
        )
    if kind == "missing":
        return f"{key_path(where)}: is missing"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        tag = context["discriminator"].strip("'()")
        if kind == "union_tag_not_found":
            return f"{key_path([*where, tag])}: is missing"
        return (
            f"{key_path([*where, tag])}: {_unknown(tag, context['tag'], context['expected_tags'])}"
        )
    text = TEXTS.get(kind, error["msg"]).format(**context)
    if kind == "float_type" and _reads_as_number(error["input"]):
        text += f"; YAML takes {error['input']} for text, write it with a point, as 1.0e-3"
    if error["input"] == "null":
        text += "; on the command line Snakemake takes null for text: write it in a file"
    if kind == "bool_type" and str(error["input"]).lower() in ("true", "false"):
        text += f"; Snakemake takes it for text, write {str(error['input']).capitalize()}"
    found = "" if isinstance(error["input"], Mapping | list) else f"{error['input']!r}: "
    return f"{key_path(where)}: {found}{text}"


def _unknown(key: str, name: str, allowed: str) -> str:
    """What to do about a name that is none of those allowed ('a', 'b')."""
    known = [text.strip(" '") for text in allowed.split(",")]
    meant = MEANT.get((key, name.lower()))
    if meant is None and key == "rule" and name in MAPS:
        meant = f"spectral with map: {{name: {name}}}"
    if meant is None and (close := get_close_matches(name, known, n=1)):
        meant = close[0]
    text = f"{name!r} is not known; " + (f"did you mean {meant}? Allowed" if meant else "allowed")
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


def _siblings(loc: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """Names of the fields beside an unknown key."""
    schema = model.model_json_schema()
    node = schema

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
