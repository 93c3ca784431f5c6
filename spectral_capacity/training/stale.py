"""Which cells of a bundle must be trained (no JAX: where there are none, it is not needed)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from spectral_capacity.results.bundles import Member
from spectral_capacity.results.files import is_complete
from spectral_capacity.results.netcdf import DamagedFile, open_netcdf, read_values
from spectral_capacity.sampling.content import content_digest


def stale(members: Sequence[Member]) -> list[Member]:
    """Members whose file is missing, damaged, or of other settings, code or embeddings."""
    content = cache(content_digest)
    return [member for member in members if not _is_fresh(member, content)]


def known_by(member: Member) -> dict[str, str]:
    """Attributes of a cell's file that say what it was made from."""
    data = content_digest(member.data, ours=member.generated)
    return {"identity": member.identity, "data": data}


def _is_fresh(member, content) -> bool:
    if not is_complete(member.file):
        return False
    wanted = {"identity": member.identity, "data": content(member.data, ours=member.generated)}
    try:
        with open_netcdf(member.file) as file:
            if {name: getattr(file, name, None) for name in wanted} != wanted:
                return False
            read_values(file)  # all of them, held against their checksum
    except DamagedFile:
        return False
    return True
