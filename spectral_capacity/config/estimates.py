"""How much disk, time and memory a run needs, said before it starts."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from spectral_capacity.config.cells import Cell, EmbeddingsFile
from spectral_capacity.config.models import Config

SMALL_FILE = 200_000
"""Bytes, generously, of a cell, a key store or a figure."""

RUNTIME = 450e6
"""Bytes of an interpreter with JAX and its compiled programs."""


@dataclass(frozen=True)
class Rates:
    """What is done in a second: by the device, float64 and float32 operations of a matrix product and
    exponentials; by a core of the host, float64 operations."""

    float64: float
    float32: float
    exponentials: float
    host: float

    @classmethod
    def of_a_core(cls, flops: float) -> Rates:
        """Of a CPU core with so many float64 operations: the ratios hardly differ between CPUs."""
        return cls(flops, 2 * flops, flops / 40, flops)


def disk_bytes(files: Iterable[EmbeddingsFile], n_others: int, store: str) -> int:
    """Bytes that these embeddings and ``n_others`` other files will take."""
    arrays = sum(8 * f.n_items * f.d * len(f.seeds) for f in files) if store == "arrays" else 0
    return arrays + SMALL_FILE * n_others


def cell_seconds(cell: Cell, config: Config, rates: Rates) -> float:
    """Time of a cell on one device; of a run that may stop early, its longest.

    Counts, for each seed, drawing embeddings and samples; for each batch and step the gradient in float64
    (of the items that a power law lets one see), or at a memory that has learnt something the softmax of
    these items over all in float32; singular value decompositions on the host; the recall, by screening and
    confirmation or with the softmax; Newton's moments; the logits of a loss in float64. 1.5 for memory
    traffic between jobs side by side, 1.5 s for start-up. Good to a factor of two on a CPU.
    """
    N, d = cell.n_items, cell.d
    experiment = config.experiments[cell.experiment]
    newton = config.optimizers[cell.optimizer].rule == "newton"
    steps, loss = experiment.steps, experiment.loss
    exact = experiment.gradient == "exact"
    float64 = 2 * N * d**2 * newton
    float32 = exponentials = host = 0.0
    for batch_size in cell.batch_sizes:
        seen = _distinct(cell, batch_size)
        everyone = exact and steps > 1 and math.isinf(batch_size)
        from_zero = 1 if exact else steps
        float64 += from_zero * 2 * seen * d**2 * (1 + newton)
        # The head, a few times d items, is done again in float64; 80 d³ are a decomposition's.
        host += steps * 80 * d**3
        float64 += (steps - from_zero) * 4 * min(5 * d, seen) * N * d
        float32 += (steps - from_zero) * 4 * seen * N * d + everyone * 2 * N**2 * d
        exponentials += (steps - from_zero) * seen * N + everyone * N**2
        if not everyone:
            recovered = min(1.6 * d * steps**0.5, seen * steps, N)
            float32 += steps * 2 * N * d * (d + 128 + recovered)
        if loss:
            scales = len({1.0, *loss.learning_rate_factors})
            float64 += steps * N**2 * 2 * d
            exponentials += steps * N**2 * (scales + 1) / 2
    work = float64 / rates.float64 + float32 / rates.float32
    work += exponentials / rates.exponentials + host / rates.host
    samples = steps * sum(b for b in cell.batch_sizes if math.isfinite(b))
    drawing = 6e-9 * 2 * N * d + 1e-7 * samples
    return 1.5 * len(cell.seeds) * (work + drawing) + 1.5


def _distinct(cell: Cell, batch_size: float) -> float:
    """About how many items a batch from the power law has."""
    return min(float(cell.n_items), batch_size ** min(1 / cell.alpha, 1.0))


def cell_bytes(cell: Cell, config: Config) -> float:
    """Peak memory of a cell on a CPU: the runtime, the embeddings of a seed, tiles of logits.

    The softmax means of the items that make a gradient, (n, d) float32, come on top with more than one
    step. Embeddings are drawn in float64 blocks, and a copy lives while they are. Measured: from 11 %
    too little to 200 MB too much, this for small cells.
    """
    N, d = cell.n_items, cell.d
    experiment = config.experiments[cell.experiment]
    arrays = 2 * 4 * N * d
    weights = 60 * N
    meets = experiment.steps > 1 and experiment.gradient == "exact"
    means = 4 * max(_distinct(cell, size) for size in cell.batch_sizes) * d if meets else 0
    return RUNTIME + arrays + arrays / 2 + means + weights + 40 * d**2


def measured_flops() -> float:
    """Float64 operations per second and core, from a matrix product that takes milliseconds."""
    A = np.ones((512, 512))
    A @ A
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        A @ A
        best = min(best, time.perf_counter() - start)
    threads = int(os.environ.get("OPENBLAS_NUM_THREADS", os.cpu_count() or 1))
    return 2 * 512**3 / best / threads


def plan(config: Config, cells: Iterable[Cell], rates: Rates) -> str:
    """A table of what the cells need, a line for those of one experiment and d: the dearest of them."""
    groups: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.experiment, cell.d), []).append(cell)
    head = ("experiment", "d", "items", "steps", "cells", "seeds each", "time each", "memory each")
    rows = [head]
    total = 0.0
    for (experiment, d), group in groups.items():
        times = [cell_seconds(cell, config, rates) for cell in group]
        total += sum(times)
        rows.append(
            (
                experiment,
                str(d),
                str(group[0].n_items),
                str(config.experiments[experiment].steps),
                str(len(group)),
                str(len(group[0].seeds)),
                duration(max(times)),
                size(max(cell_bytes(cell, config) for cell in group)),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.rjust(width) if i else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, f"all cells, one after another: about {duration(total)}"])


def duration(seconds: float) -> str:
    """``40 s``, ``3 min``, ``1.5 h``: no more digits than an estimate deserves."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(n_bytes: float) -> str:
    """``0.2 MB``, ``3.2 GB``."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes > 5e8 else f"{n_bytes / 1e6:.1f} MB"
