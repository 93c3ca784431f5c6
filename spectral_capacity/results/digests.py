"""Whether a finished file is still what was written, and what it was made from: a note beside it, hidden.

Formats say where they end (:func:`results.files.is_complete`), not what was in the middle: a flipped bit in a
table or a picture looks like any other, and so does a file of another run, copied under this name. The note
of the other run, copied with it, says that it was made from something else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spectral_capacity.results.files import atomic_path

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
            return hashlib.sha256(file.read()).hexdigest()
        found = hashlib.sha256(f"{size} ".encode() + file.read(END))
        file.seek(-END, os.SEEK_END)
        found.update(file.read())
        return found.hexdigest()


@dataclass(frozen=True)
class Product:
    """The files that one job makes, and what from.

    params: plain, by name. results: the folder of results, whose name does not count.
    """

    outputs: Sequence[str]
    inputs: Sequence[str]
    params: Mapping[str, Any]
    results: str

    @classmethod
    def of(cls, job: Any) -> Product:
        """What a script makes, from what its ``job`` has: ``output``, ``input``, ``params``, ``config``."""
        return cls(job.output, job.input, job.params, job.config["results"])

    def origin(self) -> dict[str, str]:
        """Digests of what decides the outputs: ``params``, and the content of the ``inputs``, in order."""
        text = json.dumps(dict(self.params.items()), sort_keys=True, default=str)
        told = text.replace(f'"{self.results}/', '"')
        held = " ".join(map(digest, self.inputs))
        return {"params": _short(told), "inputs": _short(held)}

    def keep(self, origin: Mapping[str, str]) -> None:
        """Write down what the outputs hold, and their ``origin``, taken before anything was read."""
        for output in self.outputs:
            keep_digest(output, origin)

    def unlike(self) -> dict[str, list[str]]:
        """Outputs that were made from something else than today's, and what of it is another.

        Nothing while an input is missing: then the outputs are made again anyway.
        """
        try:
            today = self.origin()
        except FileNotFoundError:
            return {}
        notes = {output: _note(output) for output in self.outputs if os.path.exists(output)}
        found = {
            output: [name for name, value in today.items() if note.get(name) != value]
            for output, note in notes.items()
        }
        return {output: others for output, others in found.items() if others}


def keep_digest(path: str | os.PathLike, origin: Mapping[str, str] | None = None) -> None:
    """Write down what a finished file holds and what it was made from, for :func:`is_changed` and
    :meth:`Product.unlike`."""
    note = {"sha256": digest(path), **(origin or {})}
    with atomic_path(_beside(Path(path))) as temporary:
        temporary.write_text(json.dumps(note), encoding="ascii")


def is_changed(path: str | os.PathLike) -> bool:
    """Whether a file is another than the one that was finished under its name; where nobody wrote down
    what that was, it is taken for the same."""
    return _beside(Path(path)).exists() and _note(path).get("sha256") != digest(path)


def forget_digest(path: str | os.PathLike) -> None:
    """Remove what was written down about a file that is no more."""
    _beside(Path(path)).unlink(missing_ok=True)


def _note(path: str | os.PathLike) -> dict[str, str]:
    """What was written down; nothing where that is missing or damaged."""
    try:
        note = json.loads(_beside(Path(path)).read_bytes())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")
