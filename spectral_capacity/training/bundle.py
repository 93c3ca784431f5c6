"""The cells of a bundle, trained one after another in one process and written each to its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from spectral_capacity.backend import describe, seconds_compiling, start
from spectral_capacity.results.bundles import Member
from spectral_capacity.results.freshness import known_by
from spectral_capacity.results.provenance import record
from spectral_capacity.sampling.content import content_of
from spectral_capacity.sampling.embeddings import KeptEmbeddings
from spectral_capacity.training.cell import embeddings_of, train_cell, write_cell
from spectral_capacity.training.checkpoints import Checkpoint, identity

Train = Callable[[Member, Callable[[str], None]], None]


def trainer(config: Mapping[str, Any], experiment: str) -> Train:
    """Start the device that ``config`` asks for, and give what trains a member of this experiment.

    That takes a cell up where its checkpoint is, and reports as :func:`training.cell.train_cell` does.
    """
    devices = start(config["device"], config["results"], config["all_devices"])
    return partial(
        _train,
        table=(config["experiments"][experiment]["frequencies"] or {}).get("file"),
        checkpoint_seconds=config["checkpoint_seconds"],
        devices=devices,
        made_with=record({}, describe()),
        kept=KeptEmbeddings(),
    )


def _train(member, report, *, table, checkpoint_seconds, devices, made_with, kept) -> None:
    compiled = seconds_compiling()
    settings, known = member.settings, known_by(member, content_of(member))
    made_with = made_with | {"configuration": settings, "code": member.code}
    cell = identity(made_with, known["data"], member.code, member.own_code, devices)
    own = embeddings_of(settings, member.data, table)
    load = partial(kept.load, member.data) if member.generated else own
    with Checkpoint(member.checkpoint, cell, checkpoint_seconds, report) as checkpoint:
        results = train_cell(settings, load, report, checkpoint, devices, table)
        write_cell(member.file, settings, results, made_with, known)
    report(f"compilation: {seconds_compiling() - compiled:.2f} s")
