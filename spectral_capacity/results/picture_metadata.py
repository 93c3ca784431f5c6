"""Provenance in the metadata of pictures; :mod:`results.read_provenance` reads it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectral_capacity.results.provenance import SOURCE, to_json

FIELDS = {".png": "Description", ".svg": "Description", ".pdf": "Keywords"}
"""Where the provenance is, by the suffix of the file."""

UNDATED = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""What keeps Matplotlib from writing the time: equal figures are equal files."""


def picture_metadata(suffix: str, title: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """For ``metadata`` of Matplotlib's savefig: title, creator, the paper, and the provenance as JSON.

    Infodict of a PDF has no field for a source, so the paper is its subject.
    """
    return {
        "Title": title,
        "Creator": f"spectral-capacity {provenance['versions']['spectral_capacity']}",
        "Subject" if suffix == ".pdf" else "Source": SOURCE,
        FIELDS[suffix]: to_json(provenance),
    }
