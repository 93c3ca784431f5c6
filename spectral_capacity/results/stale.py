"""Which cells of a bundle must be trained: each file says what it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spectral_capacity.results.bundles import Member
from spectral_capacity.results.files import is_complete
from spectral_capacity.results.netcdf import DamagedFile, open_netcdf, read_values

Content = Callable[[Member], str]
"""Digest of what a member's ``data`` hold."""


def no_data(member: Member) -> str:
    """Of a kind whose cells read no file."""
    return ""


def known_by(member: Member, content: str = "") -> dict[str, str]:
    """Attributes of a cell's file that say what it was made from; ``content`` of its data."""
    return {"identity": member.identity, "data": content}


def stale(members: Sequence[Member], content: Content = no_data) -> list[Member]:
    """Members whose file is missing, damaged, or of other settings, code or data."""
    return [
        member for member in members if not _is_fresh(member, known_by(member, content(member)))
    ]


def _is_fresh(member: Member, wanted: dict[str, str]) -> bool:
    if not is_complete(member.file):
        return False
    try:
        with open_netcdf(member.file) as file:
            if {name: getattr(file, name, None) for name in wanted} != wanted:
                return False
            read_values(file)  # all of them, held against their checksum
    except DamagedFile:
        return False
    return True
