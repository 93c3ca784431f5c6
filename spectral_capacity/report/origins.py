"""Where results come from, for the end of the page of a run: read off the files themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spectral_capacity.report.run import ExperimentRun
from spectral_capacity.results.made_from import without_folders
from spectral_capacity.results.read_provenance import read_provenance


@dataclass(frozen=True)
class Origin:
    """Of one experiment.

    seeds: of its draws, and root: the seed of all random streams. code: digests by what they are of, each once.
    commits, devices, versions: distinct ones of its cells, its grid and its fits. settings: of the experiment
    and its optimizers, and of its fits where they are others, as YAML; without the coordinates, which follow
    from them.
    """

    name: str
    seeds: str
    root: Any
    code: Mapping[str, list[str]]
    commits: list[str]
    devices: list[str]
    versions: list[str]
    settings: str


def origin(experiment: ExperimentRun, fits: Mapping[str, Any]) -> Origin:
    """Of an experiment, from the provenance of its grid and of its fits, empty where it has none."""
    grid, cells = experiment.provenance, experiment.origins
    settings = dict(grid["configuration"])
    coordinates = settings.pop("coordinates")
    of_fits = {k: v for k, v in fits.get("configuration", {}).items() if settings.get(k, "") != v}
    shown = {"experiment": settings} | ({"fits": of_fits} if of_fits else {})
    files = [*cells, grid, *([fits] if fits else [])]
    code = {"training": cells if "cells" in grid else [], "grid": [grid], "fits": [fits]}
    return Origin(
        name=experiment.name,
        seeds=_extent(coordinates.get("seed", ())),
        root=settings.get("seed", "–"),
        code={what: found for what, each in code.items() if (found := _distinct(each, "code"))},
        commits=_distinct(files, "git_revision"),
        devices=_distinct(cells, "device"),
        versions=versions_of(files),
        settings=yaml.safe_dump(
            shown, sort_keys=False, default_flow_style=None, allow_unicode=True, width=88
        ),
    )


def provenance_of(paths: Iterable[str]) -> Mapping[str, Any]:
    """What the first of these files says of itself that says anything; empty where none does."""
    for path in sorted(paths, key=lambda path: Path(path).suffix):  # an SVG, slow to read, last
        try:
            return without_folders(read_provenance(path))
        except (OSError, ValueError):
            continue
    return {}


def versions_of(made: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every package with its version, more than once where they differ."""
    versions = {item for each in made for item in each.get("versions", {}).items()}
    return [f"{name} {version}" for name, version in sorted(versions)]


def _distinct(made: Iterable[Mapping[str, Any]], key: str) -> list[str]:
    return sorted({each[key] for each in made if key in each})


def _extent(seeds: Any) -> str:
    seeds = [str(seed) for seed in seeds]
    return " … ".join(dict.fromkeys([seeds[0], seeds[-1]])) if seeds else "–"
