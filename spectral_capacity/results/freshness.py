"""Which cells of a bundle need not be trained again: each file says what it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spectral_capacity.results.bundles import Member
from spectral_capacity.results.files import is_complete
from spectral_capacity.results.grids import Points
from spectral_capacity.results.netcdf import DamagedFile, open_netcdf

Content = Callable[[Member], str]
"""Digest of what a member's ``data`` hold."""


def no_data(member: Member) -> str:
    """Of a kind whose cells read no file."""
    return ""


def known_by(member: Member, content: str = "") -> dict[str, str]:
    """Attributes of a cell's file that say what it was made from; ``content`` of its data."""
    return {"identity": member.identity, "data": content}


def fresh(members: Sequence[Member], content: Content = no_data) -> dict[str, Points]:
    """What the files of members hold, by name, of those that are whole and were made from today's settings,
    code and data."""
    found = {
        member.name: _points(member, known_by(member, content(member)))
        for member in members
        if is_complete(member.file)
    }
    return {name: points for name, points in found.items() if points}


def _points(member: Member, wanted: dict[str, str]) -> Points | None:
    try:
        with open_netcdf(member.file) as file:
            if {name: getattr(file, name, None) for name in wanted} == wanted:
                return Points.of(file)
    except DamagedFile:
        pass
    return None
