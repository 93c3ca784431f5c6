"""How much disk and time a run needs, said before it starts."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable

import numpy as np

from spectral_capacity.config.cells import Cell, EmbeddingsFile
from spectral_capacity.config.models import Config

SMALL_FILE = 200_000
"""Bytes, generously, of a cell, a key store or a figure."""


def disk_bytes(files: Iterable[EmbeddingsFile], n_others: int, store: str) -> int:
    """Bytes that these embeddings and ``n_others`` other files will take."""
    arrays = sum(8 * f.n_items * f.d * len(f.seeds) for f in files) if store == "arrays" else 0
    return arrays + SMALL_FILE * n_others


def core_seconds(cell: Cell, config: Config, flops: float) -> float:
    """Time of a cell on one core that does ``flops`` float64 operations a second.

    Counts, for each seed, drawing embeddings and samples; for each batch the gradient in float64 (of the
    items that a power law lets one see), the screening of all items and the confirmation of the recovered
    ones in float32 (twice the rate); Newton's moments; the logits of a loss and their exponentials, 20
    operations each. 1.5 for memory traffic between jobs side by side, 1.5 s for start-up. Good to a factor
    of two on a CPU.
    """
    N, d = cell.n_items, cell.d
    newton = config.optimizers[cell.optimizer].rule == "newton"
    loss = config.experiments[cell.experiment].loss
    work = 2 * N * d**2 * newton
    for batch_size in cell.batch_sizes:
        seen = min(N, batch_size ** min(1 / cell.alpha, 1.0))
        recovered = min(1.6 * d, seen)
        work += 2 * seen * d**2 * (1 + newton)
        work += (2 * N * d * (d + 128) + 2 * N * d * recovered) / 2
        if loss:
            work += N**2 * (2 * d + 20 * (1 + len(loss.learning_rate_factors)))
    samples = max((b for b in cell.batch_sizes if math.isfinite(b)), default=0)
    drawing = 6e-9 * 2 * N * d + 1e-7 * samples
    return 1.5 * len(cell.seeds) * (work / flops + drawing) + 1.5


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


def duration(seconds: float) -> str:
    """``40 s``, ``3 min``, ``1.5 h``: no more digits than an estimate deserves."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(n_bytes: float) -> str:
    """``0.2 MB``, ``3.2 GB``."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes > 5e8 else f"{n_bytes / 1e6:.1f} MB"
