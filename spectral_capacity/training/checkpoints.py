"""Checkpoints: a killed cell goes on where it was, with the very numbers it would have had.

A file holds all results so far and the state of the run in progress, in float64 as it was. It knows what
it belongs to: another configuration, code, environment or kind of device would go on differently, so a
file of another identity is left alone until it is overwritten, and says so.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spectral_capacity.backend import processor
from spectral_capacity.results.files import is_complete
from spectral_capacity.results.netcdf import open_netcdf, write_netcdf
from spectral_capacity.training.steps import State

STATE = ("W", "recovered", "known", "seen", "counts")


def identity(
    made_with: Mapping[str, Any],
    embeddings: str | os.PathLike,
    code: str,
    code_of_map: str,
    devices: int = 1,
) -> dict[str, Any]:
    """What a cell's numbers depend on, by the names that a message gives.

    ``made_with`` is the provenance of the cell (its git revision aside: ``code`` and ``code_of_map``,
    digests, say it better), ``embeddings`` the file, known by its size and time. Kind of processor,
    number of threads and of ``devices`` that share a softmax are in it too: sums round differently on
    others.
    """
    file = Path(embeddings).stat()
    known = processor() | {
        name: value for name, value in made_with.items() if name != "git_revision"
    }
    drawn = {"size": file.st_size, "time": file.st_mtime_ns}
    codes = {"code": code, "code of the map": code_of_map}
    return known | codes | {"embeddings": drawn, "number of devices": devices}


class Checkpoint:
    """The checkpoint of one cell at ``path``, written at most every ``seconds``.

    ``belongs_to`` is the :func:`identity` of the cell, plain data by name. ``report`` is told when a run
    is taken up, or why not. As a context, it goes when the block ends well: the cell is finished.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        belongs_to: Mapping[str, Any],
        seconds: float,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.path = Path(path)
        self.identity = json.dumps(belongs_to, sort_keys=True)
        self.seconds = seconds
        self.report = report
        self.written = time.monotonic()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, error: type[BaseException] | None, *about: object) -> None:
        if error is None:
            self.path.unlink(missing_ok=True)

    def load(self, results: dict[str, np.ndarray]) -> tuple[int, State | None]:
        """Fill ``results``; the number of the run in progress and its state, (0, None) at the start."""
        if not self.path.exists():
            return 0, None
        if not is_complete(self.path):
            self.report(f"{self.path}: broken off, ignored")
            return 0, None
        with open_netcdf(self.path) as file:
            if changed := self._changes(file.identity):
                self.report(f"{self.path}: ignored, it belongs to another {' and '.join(changed)}")
                return 0, None
            for name, values in results.items():
                values[...] = file[name][:]
            W, *masks, counts = (file[f"state_{name}"][:] for name in STATE)
            state = State(int(file.step), W, *(mask.astype(bool) for mask in masks), counts)
            run = int(file.run)
        self.report(f"{self.path}: goes on after step {state.step} of run {run + 1}")
        return run, state

    def _changes(self, identity: str) -> list[str]:
        then, now = json.loads(identity), json.loads(self.identity)
        return [name for name in sorted(then | now) if then.get(name) != now.get(name)]

    def save(self, results: Mapping[str, np.ndarray], run: int, state: State) -> None:
        """Write the results so far and the state of run number ``run``, if it is time again."""
        if time.monotonic() - self.written < self.seconds or state.diverged:
            return
        dims = ("batch_size", "seed", "step")
        variables = {name: (dims, values, {}) for name, values in results.items()}
        for name in STATE:
            value = getattr(state, name)
            value = value.astype(np.int8) if value.dtype == bool else value
            shape = {"W": ("row", "column"), "counts": ("update",)}.get(name, ("item",))
            variables[f"state_{name}"] = (shape, value, {})
        attributes = {"identity": self.identity, "run": run, "step": state.step}
        try:
            write_netcdf(self.path, variables, attributes)
        # A full disk or a quota must not end what may still finish. netCDF4 has its own errors.
        except (OSError, RuntimeError) as error:
            self.report(f"no checkpoint: {error}")
        self.written = time.monotonic()
