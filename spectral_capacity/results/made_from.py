"""What fits, figures and pages know of the grids and fits that they were made from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

Datasets = xr.Dataset | Sequence[xr.Dataset] | None


def made_from(grids: Datasets = None, fits: Datasets = None) -> dict[str, Any]:
    """Provenance of datasets, as ``grids`` and ``fits`` by the name of their experiment.

    One dataset, several, or None where there are none. Fits know their grids themselves; that is left out
    where ``grids`` has them. Without folders of the machine.
    """
    found = {"grids": _by_experiment(grids), "fits": _by_experiment(fits)}
    if grids is not None:
        for made in found["fits"].values():
            made.pop("grids", None)
    return {what: each for what, each in found.items() if each}


def _by_experiment(datasets: Datasets) -> dict[str, dict[str, Any]]:
    if datasets is None:
        return {}
    several = datasets if isinstance(datasets, Sequence) else [datasets]
    made = [without_folders(json.loads(dataset.attrs["provenance"])) for dataset in several]
    return {each["configuration"]["experiment"]: each for each in made}


def without_folders(made: Any) -> Any:
    """Provenance in which a ``file`` with an absolute path is its name alone.

    For what is handed on: a grid keeps the path, since figures and fits read the file again.
    """
    if isinstance(made, Mapping):
        return {
            key: _name(item) if key == "file" else without_folders(item)
            for key, item in made.items()
        }
    return [without_folders(item) for item in made] if isinstance(made, list) else made


def _name(file: Any) -> Any:
    return Path(file).name if isinstance(file, str) and Path(file).is_absolute() else file
