"""Where a result comes from: settings, versions, git revision."""

from __future__ import annotations

import json
import math
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

CONVENTIONS = "CF-1.11"
SOURCE = "arXiv:2603.26554"
PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "netCDF4")
"""Behind the numbers of a cell."""
MEMORY_PRECISION = (
    "embeddings float32; sums of gradients, singular values and near ties float64; other logits "
    "float32 with an error bound, for the items that weigh most in a softmax gradient float64"
)


def record(
    settings: Mapping[str, Any],
    backend: Mapping[str, str] | None = None,
    *,
    code: str | None = None,
    packages: Sequence[str] = PACKAGES,
    precision: str = MEMORY_PRECISION,
) -> dict[str, Any]:
    """What to store beside a result; no time and no path, so that equal runs give equal files.

    backend: the device it was computed on, and with it the policy of ``precision``. code: digest of the code
    behind it (:mod:`results.code_digest`), left out where there is none. packages: whose versions matter to it.
    """
    return {
        "configuration": settings,
        "versions": {
            "python": platform.python_version(),
            "spectral_capacity": _version("spectral-capacity"),
            **{p: _version(p) for p in packages},
        },
        "git_revision": git_revision(),
        **({"code": code} if code else {}),
        **({"dtype_policy": precision, **backend} if backend else {}),
    }


def git_revision() -> str:
    """Commit of the tree this package is in, with ``-dirty`` after it; ``unknown`` outside git."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        run = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def attributes(title: str, provenance: Mapping[str, Any]) -> dict[str, str]:
    """Global attributes of a NetCDF file; the provenance is one JSON string."""
    return {
        "title": title,
        "Conventions": CONVENTIONS,
        "references": SOURCE,
        "provenance": to_json(provenance),
    }


def to_json(value: Any) -> str:
    """One line of ASCII, which every format of a file keeps as it is; infinity is the text ``inf``."""
    return json.dumps(_json_ready(value), sort_keys=True, allow_nan=False)


def _json_ready(value: Any) -> Any:
    """``value`` with infinity written as text, which JSON has no number for."""
    if isinstance(value, Mapping):
        return {key: _json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_ready(item) for item in value]
    return "inf" if isinstance(value, float) and math.isinf(value) else value
