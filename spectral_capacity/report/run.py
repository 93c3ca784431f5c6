"""What was run: read off the attributes of grids, and off the logs of their cells."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from spectral_capacity.results.job_log import seconds_of
from spectral_capacity.results.made_from import without_folders
from spectral_capacity.results.netcdf import open_netcdf


@dataclass(frozen=True)
class ExperimentRun:
    """One experiment.

    axes: its coordinates by dimension, as the configuration writes them. n_items: N, None where the kind of
    experiment has none. cells: how many it has. seconds: of these together, None where no log
    is left. definitions: of its optimizers by name. may_stop: whether its runs may end before their last step.
    origins: where its cells come from, a mapping with ``git_revision``, ``versions`` and ``device`` for each
    that differs. provenance: of its grid.
    """

    name: str
    grid: str
    axes: Mapping[str, Sequence[Any]]
    n_items: int | None
    cells: int
    seconds: float | None
    definitions: Mapping[str, Mapping[str, Any]]
    may_stop: bool
    origins: Sequence[Mapping[str, Any]]
    provenance: Mapping[str, Any]

    def stored(self, **at: Any) -> float:
        """Mean count over seeds ``at`` these coordinates, of others at their first; NaN where it is not known.

        Numbers may be rounded to six digits, as a table of claims has them.
        """
        with open_netcdf(self.grid) as grid:
            counts = grid["capacity"]
            others = [name for name in counts.dimensions if name != "seed"]
            where = {
                name: _place(self.axes[name], at.get(name, self.axes[name][0])) for name in others
            }
            # Of a sweep the chosen rates are in no grid.
            if None in where.values() or "learning_rate_factor" in others:
                return math.nan
            found = counts[tuple(where.get(name, slice(None)) for name in counts.dimensions)]
            return float(np.ma.filled(np.mean(found), math.nan))


@dataclass(frozen=True)
class Run:
    """All experiments of a run, and the day on which the newest of their grids was written (UTC)."""

    experiments: Sequence[ExperimentRun]
    date: str

    @property
    def cells(self) -> int:
        return sum(experiment.cells for experiment in self.experiments)

    @property
    def seconds(self) -> float | None:
        """Of all cells together; None where of no experiment it is known."""
        known = [e.seconds for e in self.experiments if e.seconds is not None]
        return sum(known) if known else None

    @property
    def axes(self) -> list[str]:
        """Every dimension of its grids."""
        return list(dict.fromkeys(axis for e in self.experiments for axis in e.axes))

    @property
    def n_items(self) -> list[int]:
        return [e.n_items for e in self.experiments if e.n_items]

    @property
    def d(self) -> list[int]:
        return [d for e in self.experiments for d in e.axes.get("d", ())]

    @property
    def definitions(self) -> dict[str, Mapping[str, Any]]:
        """Optimizers of all experiments by their names, which stand for one definition in a configuration."""
        return {name: made for e in self.experiments for name, made in e.definitions.items()}

    @property
    def of_transformers(self) -> set[str]:
        """Optimizers whose learning rates their experiments say."""
        return {
            name for e in self.experiments if "learning_rate" in e.axes for name in e.definitions
        }

    @property
    def commits(self) -> list[str]:
        return self._distinct("git_revision")

    @property
    def devices(self) -> list[str]:
        return self._distinct("device")

    @property
    def precision(self) -> list[str]:
        return self._distinct("dtype_policy")

    @property
    def versions(self) -> dict[str, list[str]]:
        """Versions of every package, more than one where cells were trained with more than one."""
        names = {name for origin in self._origins() for name in origin["versions"]}
        return {
            name: sorted({origin["versions"].get(name, "none") for origin in self._origins()})
            for name in sorted(names)
        }

    def _origins(self) -> Iterable[Mapping[str, Any]]:
        return (origin for experiment in self.experiments for origin in experiment.origins)

    def _distinct(self, key: str) -> list[str]:
        return sorted({origin[key] for origin in self._origins() if key in origin})


def read_run(
    grids: Sequence[str | os.PathLike], logs: Mapping[str, Sequence[str | os.PathLike]]
) -> Run:
    """The run behind ``grids``; ``logs`` of each experiment: a file for every cell, there or not."""
    newest = max(os.stat(path).st_mtime for path in grids)
    date = datetime.fromtimestamp(newest, UTC).date().isoformat()
    return Run([_read_one(path, logs) for path in grids], date)


def _read_one(path: str | os.PathLike, logs: Mapping[str, Sequence]) -> ExperimentRun:
    with open_netcdf(path) as grid:
        provenance = without_folders(json.loads(grid.getncattr("provenance")))
        dimensions = list(grid.dimensions)
    settings = provenance["configuration"]
    name = settings["experiment"]
    definitions = settings.get("definitions") or {}
    of_cells = logs.get(name, ())
    times = [seconds for file in of_cells if (seconds := seconds_of(file)) is not None]
    return ExperimentRun(
        name=name,
        grid=os.fspath(path),
        axes={dimension: settings["coordinates"][dimension] for dimension in dimensions},
        n_items=settings.get("n_items"),
        cells=len(of_cells),
        seconds=sum(times) if times else None,
        definitions={
            optimizer: definitions[optimizer]
            for optimizer in settings["coordinates"].get("optimizer", ())
            if optimizer in definitions
        },
        may_stop=bool(settings.get("early_stop")),
        origins=provenance.get("cells", [provenance]),
        provenance=provenance,
    )


def _place(values: Sequence[Any], wanted: Any) -> int | None:
    """Where among the coordinates of a dimension, None where it is not."""

    def same(value: Any) -> bool:
        if isinstance(value, str) or isinstance(wanted, str):
            return value == wanted
        return math.isclose(value, wanted, rel_tol=1e-5)

    return next((i for i, value in enumerate(values) if same(value)), None)
