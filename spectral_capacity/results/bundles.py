"""What a bundle has to train, and the manifest that it leaves: its cells, and what their files hold.

A cell's file says what it was made from: ``identity``, a digest of its settings and code, and ``data``, one of
the embeddings that it learnt from. One that says so of today's is fresh, whatever its time and whoever asks.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spectral_capacity.results.digests import digest
from spectral_capacity.results.files import atomic_path, is_complete, set_aside


@dataclass(frozen=True)
class Member:
    """A cell as the job of its bundle is told of it: what decides its numbers, and where its files are.

    settings: plain. code, own_code: digests. data: the file that it learns from, None where there is none;
    generated: a rule makes that. memory: bytes, estimated.
    """

    name: str
    settings: Mapping[str, Any]
    code: str
    own_code: str
    data: str | None
    generated: bool
    memory: float
    file: str
    log: str
    checkpoint: str

    @property
    def identity(self) -> str:
        """Digest of all that its numbers depend on, beside the content of the embeddings."""
        return identity(self.settings, self.code, self.own_code)


def identity(settings: Mapping[str, Any], code: str, own_code: str) -> str:
    """Digest of settings, code and own code: what a cell's file carries under this name."""
    text = json.dumps([settings, code, own_code], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def begun(checkpoint: str | os.PathLike) -> str:
    """The file beside a checkpoint that is there while a process works on its cell, and where it was killed."""
    return f"{os.fspath(checkpoint)}.begun"


def write_manifest(path: str | os.PathLike, members: Iterable[Member]) -> None:
    """List the finished cells of a bundle with their identities and digests of their files."""
    cells = {m.name: {"identity": m.identity, "sha256": digest(m.file)} for m in members}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"cells": cells}, indent=1) + "\n", encoding="ascii")


def read_manifest(path: str | os.PathLike) -> dict[str, dict[str, str]]:
    """``identity`` and ``sha256`` of each cell by name; empty where there is no manifest to be read."""
    try:
        return json.loads(Path(path).read_bytes())["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def unsound_cells(path: str | os.PathLike, members: Iterable[Member]) -> list[str]:
    """What is wrong with the cells of a manifest, a line each.

    A file that is not the one it lists is set aside. What it lists of other settings or code than a
    member's says nothing of that.
    """
    listed = read_manifest(path)
    problems = []
    for member in members:
        known = listed.get(member.name, {})
        if known.get("identity") != member.identity:
            continue
        if not os.path.exists(member.file):
            problems.append(f"{member.file}: is missing, to be made again")
        elif digest(member.file) != known.get("sha256"):
            what = "not what was written" if is_complete(member.file) else "truncated"
            problems.append(f"{member.file}: {what}; {set_aside(member.file)}")
    return problems


def seems_fresh(member: Member, listed: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a member is there, and of today's settings and code as far as a manifest ``listed`` says.

    For an estimate before a run: the job itself looks into the file.
    """
    known = listed.get(member.name, {}).get("identity", member.identity)
    return known == member.identity and Path(member.file).exists()
