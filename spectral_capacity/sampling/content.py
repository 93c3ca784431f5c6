"""Which embeddings a file gives, in a word (no JAX, so that it is quick to ask)."""

from __future__ import annotations

import hashlib
import os

from spectral_capacity.results.netcdf import open_netcdf


def content_digest(path: str | os.PathLike, *, ours: bool) -> str:
    """Digest of what a file of embeddings holds: of the fingerprints of generated ones, of all of a user's.

    Generated ones are the same whether they are stored as keys or as arrays, and whenever they were drawn.
    ``ours``: a rule made the file, so it is set aside when it is damaged (DamagedFile), to be made again.
    """
    if ours:
        with open_netcdf(path) as file:
            held = [file[name][...].tobytes() for name in ("seed", "fingerprint")]
        return hashlib.sha256(b"".join(held)).hexdigest()[:16]
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
