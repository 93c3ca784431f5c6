"""Whether a finished file is still what was written: a digest beside it, under a hidden name.

Formats say where they end (:func:`results.files.is_complete`), not what was in the middle: a flipped bit in a
table or a picture looks like any other, and so does a file of another run, copied under this name.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

WHOLE = 2**26
"""Bytes up to which all of a file is read; of longer ones its two ends. What we write of that size, draws
and large grids, has checksums of its own, held against the values wherever they are read."""

END = 2**20
"""Bytes of an end."""


def digest(path: str | os.PathLike) -> str:
    """SHA-256 of a file; of a long one, of its size and its two ends."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= WHOLE:
            return hashlib.file_digest(file, "sha256").hexdigest()
        found = hashlib.sha256(f"{size} ".encode() + file.read(END))
        file.seek(-END, os.SEEK_END)
        found.update(file.read())
        return found.hexdigest()


def keep_digest(path: str | os.PathLike) -> None:
    """Write down what a finished file holds, for :func:`is_changed`."""
    beside = _beside(Path(path))
    temporary = beside.with_name(f"{beside.name}.{os.getpid()}.tmp")
    temporary.write_text(digest(path), encoding="ascii")
    os.replace(temporary, beside)


def is_changed(path: str | os.PathLike) -> bool:
    """Whether a file is another than the one that was finished under its name; where nobody wrote down
    what that was, it is taken for the same."""
    try:
        kept = _beside(Path(path)).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return False
    return kept != digest(path)


def forget_digest(path: str | os.PathLike) -> None:
    """Remove what was written down about a file that is no more."""
    _beside(Path(path)).unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")
