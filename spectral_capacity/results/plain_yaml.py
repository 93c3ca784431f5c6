"""YAML that a user writes: plain values, with a limit on what a file can make of memory and time.

Its tags make objects, its aliases make much of little, and deep nesting ends a process inside of libyaml. So
a file is first looked through, one event after the other; only then are values made of it.
"""

from __future__ import annotations

import os
from typing import Any

import yaml

MOST_BYTES = 10_000_000
MOST_VALUES = 100_000
"""Keys and values of one file, what an alias repeats counted again."""
MOST_DEEP = 30
"""Lists and mappings inside of each other."""

PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null", "str")}
"""Tags that may be written before a value."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """YAML of which a key that is there twice is an error: of two sections one would be lost."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, LookupError, ValueError):  # 2001-02-30, or thousands of digits
            kind = node.tag.rsplit(":", 1)[-1]
            raise _error(f"{node.value!r:.100} cannot be read as {kind}", node) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                twice = f"{key.value!r} is there twice: write one, with all that belongs below it"
                raise _error(twice, key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: str | os.PathLike) -> Any:
    """What a file of YAML says: None, numbers, text, dates, lists and mappings of these.

    Raises ValueError, which names the file and, where it is known, line and column, for what is no YAML in
    UTF-8, has a key twice in one mapping, a tag that is not :data:`PLAIN`, an alias inside of itself, or more
    than the limits of this module; OSError where there is no file.
    """
    with open(path, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"{path}: has more than {MOST_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
        _look_through(text)
        return yaml.load(text, _Loader)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        told = str(error).replace('"<unicode string>"', str(path))
        raise ValueError(f"{path} cannot be read as YAML: {told}") from None


def _look_through(text: str) -> None:
    """Raise a YAMLError for what would take too much to make values of, without making any."""
    sizes: dict[str, int] = {}  # of what has an anchor, once it has ended
    open_nodes: list[tuple[str | None, int]] = []  # its anchor, and the values before it
    values = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            sizes[anchor or ""] = values - before
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise _error(f"*{event.anchor} stands for nothing that has ended", event)
            values += sizes[event.anchor]
        elif isinstance(event, yaml.NodeEvent):
            _check_tag(event)
            values += 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, values - 1))
            else:
                sizes[event.anchor or ""] = 1
        if values > MOST_VALUES:
            raise _error(f"has more than {MOST_VALUES:,} keys and values", event)
        if len(open_nodes) > MOST_DEEP:
            raise _error(f"more than {MOST_DEEP} lists and mappings inside of each other", event)


def _check_tag(event: Any) -> None:
    if event.tag is not None and not (event.tag in PLAIN and isinstance(event, yaml.ScalarEvent)):
        raise _error(f"the tag {event.tag!r:.100} is not read: write plain values", event)


def _error(problem: str, where: Any) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, where.start_mark)
