"""Digests of the code behind a result: what a change must recompute, and nothing else."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "spectral_capacity"
"""Written out: the name of this module's own package would be that of a subpackage."""


def code_digest(script: str | Path, root: str | Path, *modules: str | Path) -> str:
    """Digest of a script and of every module of the package that it imports, transitively.

    ``modules`` are files that the script imports by names that it is told. Taken over normalised syntax
    trees: comments, docstrings, formatting and line numbers do not count, a changed constant does.
    ``root`` is the folder that holds the package. Modules of the script's own folder below it count too, and
    imports inside functions like those at the top; modules of other distributions do not (their versions
    are the environment's business).
    """
    root = Path(root).resolve()
    digest = hashlib.sha256()
    for module in _closure(root, *map(Path.resolve, map(Path, (script, *modules)))):
        digest.update(_read(module, module.stat().st_mtime_ns)[1].encode())
    return digest.hexdigest()[:16]


def _closure(root: Path, *scripts: Path) -> list[Path]:
    """``scripts`` and the package files behind them, in an order that depends on names only."""
    folders = {s.relative_to(root).parts[0] for s in scripts if s.is_relative_to(root)}
    packages = frozenset({PACKAGE, *folders})
    seen: set[Path] = set()
    todo = [*scripts]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo.extend(_imports(path, path.stat().st_mtime_ns, root, packages))
    return [*scripts, *sorted(seen - {*scripts})]


@cache
def _imports(path: Path, mtime_ns: int, root: Path, packages: frozenset[str]) -> tuple[Path, ...]:
    found: set[Path] = set()
    for name in _read(path, mtime_ns)[0]:
        parts = name.split(".")
        if parts[0] not in packages:
            continue
        # Importing a.b.c runs a, a.b and a.b.c; a name that is no module is an attribute.
        for depth in range(1, len(parts) + 1):
            base = root.joinpath(*parts[:depth])
            for candidate in (base / "__init__.py", base.with_suffix(".py")):
                if candidate.is_file():
                    found.add(candidate)
    return tuple(sorted(found))


@cache
def _read(path: Path, mtime_ns: int) -> tuple[tuple[str, ...], str]:
    """Names that a module imports, and the digest of its syntax tree."""
    tree = ast.parse(path.read_bytes(), filename=str(path))
    nodes = [*_blocks_and_statements(tree)]
    names = tuple(_imported_names(nodes, path))
    for node in nodes:
        if hasattr(node, "body"):
            # Bare strings are documentation wherever they stand: of modules, functions, constants.
            node.body = [s for s in node.body if not _is_string(s)] or [ast.Pass()]
    return names, hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _blocks_and_statements(node: ast.AST) -> Iterator[ast.AST]:
    """A module and all below it that is no expression: a tenth of what ``ast.walk`` goes through."""
    yield node
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        for child in getattr(node, name, ()):
            yield from _blocks_and_statements(child)


def _imported_names(nodes: Iterable[ast.AST], path: Path) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise ValueError(
                f"{path}: relative import in line {node.lineno}: write the full module name"
            )


def _is_string(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
