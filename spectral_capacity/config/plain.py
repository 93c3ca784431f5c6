"""What any configuration is made of, wherever it comes from, told before a single key is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from spectral_capacity.config.messages import shown
from spectral_capacity.kinds.experiment import Problem
from spectral_capacity.results.plain_yaml import MOST_DEEP, MOST_VALUES

LONGEST_TEXT = 1_000
"""Characters of a text or of a key."""

UNPRINTABLE = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")
"""Control characters but for tab and line feed, and halves of characters."""


def problems(given: Any) -> Iterator[Problem]:
    """What no key takes: (key, message) each.

    Mappings have texts as keys; values are texts, numbers, booleans, null, lists and mappings. Numbers are
    those of 64 bits; texts, depth and number of values are limited. Ends at the first limit of these that is
    exceeded, so that what repeats itself without end is told, too.
    """
    seen = 0
    todo: list[tuple[tuple, Any]] = [((), given)]
    while todo:
        at, value = todo.pop()
        seen += 1
        if isinstance(value, Mapping | list):
            if value and len(at) == MOST_DEEP:
                yield at[:3], f"has more than {MOST_DEEP} lists and mappings inside of each other"
                return
            if seen + len(todo) + len(value) > MOST_VALUES:
                yield at[:3], f"with it there are more than {MOST_VALUES:,} keys and values"
                return
        inside: list[tuple[tuple, Any]] = []
        if isinstance(value, Mapping):
            yield from ((at, text) for key in value if (text := _of_key(key)))
            inside = [((*at, key), value[key]) for key in value if isinstance(key, str)]
        elif isinstance(value, list):
            inside = [((*at, i), item) for i, item in enumerate(value)]
        elif text := _of_value(value):
            yield at, text
        todo += reversed(inside)


def _of_key(key: Any) -> str | None:
    if not isinstance(key, str):
        return f"the key {shown(key)} must be text: write it in quotes"
    return f"the key {shown(key)}: {wrong}" if (wrong := _of_text(key)) else None


def _of_value(value: Any) -> str | None:
    if isinstance(value, str):
        return f"{shown(value)}: {wrong}" if (wrong := _of_text(value)) else None
    if isinstance(value, int):
        beyond = not -(2**63) <= value < 2**63
        return "must be less than 2^63, 19 digits, in size" if beyond else None
    if value is None or isinstance(value, float):
        return None
    return f"{shown(value)}: is a {type(value).__name__}; a text needs quotes"


def _of_text(text: str) -> str | None:
    if len(text) > LONGEST_TEXT:
        return f"has {len(text):,} characters; at most {LONGEST_TEXT:,} are allowed"
    if found := UNPRINTABLE.search(text):
        return f"has the character {found[0]!r}, which no text here can have"
    return None
