"""Files of results that nothing names any more."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from spectral_capacity.results.digests import forget_digest

FOLDERS = ("embeddings", "cells", "bundles", "checkpoints", "grids", "fits", "figures")
"""Where files are named by a configuration. Logs and benchmarks are small, and stay."""


def unnamed(results: str | os.PathLike, named: Collection[str | os.PathLike]) -> list[Path]:
    """Files below :data:`FOLDERS` of ``results`` that are not among ``named``, in order.

    Hidden files are left out: a job may be writing them.
    """
    known = {Path(path) for path in named}
    files = (path for folder in FOLDERS for path in Path(results, folder).rglob("*"))
    return sorted(
        path
        for path in files
        if path.is_file() and path not in known and not path.name.startswith(".")
    )


def prune(
    results: str | os.PathLike, named: Collection[str | os.PathLike], *, delete: bool = False
) -> str:
    """What :func:`unnamed` finds, a line each with its size, and in all; ``delete`` removes them.

    Folders that are empty then go too.
    """
    files = unnamed(results, named)
    if not files:
        return f"{results}: nothing that the configuration does not name"
    sizes = [path.stat().st_size for path in files]
    lines = [f"{size / 1e6:10.2f} MB  {path}" for size, path in zip(sizes, files, strict=True)]
    total = f"{len(files)} files, {sum(sizes) / 1e6:.2f} MB"
    if not delete:
        return "\n".join(
            [*lines, f"{total}; the same command with --config prune=delete deletes them"]
        )
    for path in files:
        path.unlink()
        forget_digest(path)
    for path in sorted({path.parent for path in files}, reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
    return "\n".join([*lines, f"{total}: deleted"])
