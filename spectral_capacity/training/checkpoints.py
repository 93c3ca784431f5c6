"""Checkpoints: a killed cell goes on where it was, with the very numbers it would have had.

A file holds arrays by name, to the last bit, and a few whole numbers: what these are is the business of
whoever trains. It knows what it belongs to: another configuration, code, environment or kind of device
would go on differently, so a file of another identity is left alone until it is overwritten, and says so.
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
from spectral_capacity.results.netcdf import DamagedFile, open_netcdf, read_values, write_netcdf

IN_A_FILE = {"bool": np.int8, "bfloat16": np.float32, "float16": np.float32}
"""Types that NetCDF does not have, and which hold them."""


def identity(
    made_with: Mapping[str, Any],
    embeddings: str,
    code: str,
    code_of_map: str,
    devices: int = 1,
) -> dict[str, Any]:
    """What a cell's numbers depend on, by the names that a message gives.

    ``made_with`` is the provenance of the cell (its git revision aside: ``code`` and ``code_of_map``,
    digests, say it better), ``embeddings`` a digest of them. Kind of processor,
    number of threads and of ``devices`` that share a softmax are in it too: sums round differently on
    others.
    """
    known = processor() | {
        name: value for name, value in made_with.items() if name != "git_revision"
    }
    codes = {"code": code, "code of the map": code_of_map}
    return known | codes | {"embeddings": embeddings, "number of devices": devices}


class Checkpoint:
    """The checkpoint of one cell at ``path``, written at most every ``seconds``.

    ``belongs_to`` is the :func:`identity` of the cell, plain data by name. ``report`` is told why
    a file is not taken up. As a context, it goes when the block ends well: the cell is finished.
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

    def load(self) -> tuple[dict[str, np.ndarray], dict[str, int]] | None:
        """The arrays and the numbers that were saved; None where there is nothing to go on from."""
        if not self.path.exists():
            return None
        if not is_complete(self.path):
            self.report(f"{self.path}: broken off, ignored")
            return None
        try:
            with open_netcdf(self.path) as file:
                if changed := self._changes(file.identity):
                    these = " and ".join(changed)
                    self.report(f"{self.path}: ignored, it belongs to another {these}")
                    return None
                values = read_values(file)
                arrays = {name: values[name].astype(file[name].was) for name in values}
                return arrays, json.loads(file.numbers)
        except DamagedFile as error:
            self.report(f"{error}; ignored")
            return None

    def _changes(self, identity: str) -> list[str]:
        then, now = json.loads(identity), json.loads(self.identity)
        return [name for name in sorted(then | now) if then.get(name) != now.get(name)]

    def save(self, arrays: Mapping[str, np.ndarray], numbers: Mapping[str, int]) -> None:
        """Write all that is needed to go on, if it is time again."""
        if time.monotonic() - self.written < self.seconds:
            return
        variables = {}
        for name, values in arrays.items():
            dims = tuple(f"{name}_{axis}" for axis in range(values.ndim))
            stored = values.astype(IN_A_FILE.get(values.dtype.name, values.dtype))
            variables[name] = (dims, stored, {"was": values.dtype.name})
        attributes = {"identity": self.identity, "numbers": json.dumps(numbers)}
        try:
            write_netcdf(self.path, variables, attributes)
        # A full disk or a quota must not end what may still finish. netCDF4 has its own errors.
        except (OSError, RuntimeError) as error:
            self.report(f"no checkpoint: {error}")
        self.written = time.monotonic()
