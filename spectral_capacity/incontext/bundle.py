"""The cells of a bundle, trained one after another in one process and written each to its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from spectral_capacity.backend import describe, seconds_compiling, start
from spectral_capacity.incontext.cell import train_cell, write_cell
from spectral_capacity.results.bundles import Member
from spectral_capacity.results.freshness import known_by
from spectral_capacity.results.provenance import record
from spectral_capacity.training.checkpoints import Checkpoint, identity

PACKAGES = ("equinox", "jax", "jaxlib", "numpy", "optax", "netCDF4")
"""Behind the numbers of a cell."""

PRECISION = "parameters, gradients and optimizer float32; recall of the three memories float64"

Train = Callable[[Member, Callable[[str], None]], None]


def trainer(config: Mapping[str, Any], experiment: str) -> Train:
    """Start the device that ``config`` asks for, and give what trains a member of this experiment, from its
    checkpoint on."""
    start(config["device"], config["results"], config["all_devices"])
    made_with = record({}, describe(), packages=PACKAGES, precision=PRECISION)
    return partial(
        _train,
        table=config["experiments"][experiment]["noise"].get("file"),
        checkpoint_seconds=config["checkpoint_seconds"],
        made_with=made_with,
    )


def _train(member, report, *, table, checkpoint_seconds, made_with) -> None:
    compiled, settings = seconds_compiling(), member.settings
    made_with = made_with | {"configuration": settings, "code": member.code}
    cell = identity(made_with, "", member.code, "")
    with Checkpoint(member.checkpoint, cell, checkpoint_seconds, report) as checkpoint:
        results = train_cell(settings, report, checkpoint, table)
        write_cell(member.file, settings, results, made_with, known_by(member))
    report(f"compilation: {seconds_compiling() - compiled:.2f} s")
