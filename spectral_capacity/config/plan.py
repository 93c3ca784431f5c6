"""How much disk, time and memory a run needs, said before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spectral_capacity.kinds.experiment import Cell, EmbeddingsFile
from spectral_capacity.kinds.rates import Cost, Rates

SMALL_FILE = 200_000
"""Bytes, generously, of a cell, a key store or a figure."""


def disk_bytes(files: Iterable[EmbeddingsFile], n_others: int, store: str) -> int:
    """Bytes that these embeddings and ``n_others`` other files will take."""
    return sum(file.bytes(store) for file in files) + SMALL_FILE * n_others


def plan(
    cells: Iterable[tuple[str, str, Sequence[float]]],
    jobs: Sequence[tuple[int, int]],
    rates: Rates,
) -> str:
    """A table of what cells need, a line for those of one experiment and one description: the dearest.

    cells: (experiment, description, numbers of a :class:`Cost`) each. jobs: minutes and megabytes that a
    cluster is asked for, for each job that trains.
    """
    groups: dict[tuple[str, str], list[Cost]] = {}
    for experiment, description, cost in cells:
        groups.setdefault((experiment, description), []).append(Cost(*cost))
    rows = [("experiment", "cells of", "cells", "time each", "memory each")]
    total = 0.0
    for (experiment, description), costs in groups.items():
        times = [cost.seconds(rates) for cost in costs]
        total += sum(times)
        memory = size(max(cost.bytes for cost in costs))
        rows.append((experiment, description, str(len(costs)), duration(max(times)), memory))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if i < 2 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    hours = sum(minutes for minutes, _ in jobs) / 60
    longest = max((minutes for minutes, _ in jobs), default=0)
    largest = max((megabytes for _, megabytes in jobs), default=0)
    return "\n".join(
        [
            *lines,
            f"all cells, one after another: about {duration(total)}",
            f"on a cluster: {len(jobs)} submissions, {hours:.1f} hours of a core or GPU asked for at most, "
            f"{duration(60.0 * longest)} and {size(1e6 * largest)} for the largest",
        ]
    )


def expected(cells: Sequence[Cell], core: Rates, cores: int | None) -> str:
    """How long these cells will take, of a core's rates: on so many CPU cores, or (None) in all."""
    bound = "at most about" if any(cell.may_end_early for cell in cells) else "about"
    seconds = sum(cell.cost().seconds(core) for cell in cells)
    where = (
        f"{duration(seconds / cores)} on {cores} CPU cores"
        if cores
        else f"{duration(seconds)} of a CPU core"
    )
    return f"{len(cells)} cells to train: {bound} {where}"


def duration(seconds: float) -> str:
    """``40 s``, ``3 min``, ``1.5 h``: no more digits than an estimate deserves."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(n_bytes: float) -> str:
    """``0.2 MB``, ``3.2 GB``."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes > 5e8 else f"{n_bytes / 1e6:.1f} MB"
