"""One cell of an experiment: all its seeds and batch sizes, step by step, with checkpoints."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.backend import jax
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.measured import SCHEMA
from spectral_capacity.results.grids import write_grid
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.batches import batch_counts
from spectral_capacity.sampling.embeddings import anisotropic
from spectral_capacity.sampling.frequencies import item_frequencies
from spectral_capacity.training.checkpoints import Checkpoint
from spectral_capacity.training.steps import EarlyStop, Run, train

LoadEmbeddings = Callable[[int], tuple[np.ndarray, np.ndarray]]


def train_cell(
    cell: Mapping[str, Any],
    load: LoadEmbeddings,
    report: Callable[[str], None] = lambda line: None,
    checkpoint: Checkpoint | None = None,
    devices: int = 1,
) -> dict[str, np.ndarray]:
    """All runs of one cell; arrays over (batch_size, seed, step), one per variable of the schema.

    ``cell`` holds ``n_items, d, alpha, frequencies, kappa, batch_sizes, seeds, root_seed, optimizer,
    gradient, steps, early_stop, loss_factors``; ``load(seed)`` gives (U, V). Steps after an early stop
    or a divergence are missing, with status ``not_run`` after the one, ``diverged`` after the other.
    ``report`` is told of each seed: its counts, how many are done and the time left. Goes on from
    ``checkpoint`` where that has something. Embeddings that are not finite stop the cell with a
    FloatingPointError; a note on any error names seed and batch size. ``devices``: how many share the
    rows of a softmax.
    """
    shape = (len(cell["batch_sizes"]), len(cell["seeds"]), cell["steps"])
    results = SCHEMA.nothing_measured(shape)
    table = cell["frequencies"]
    p = item_frequencies(cell["n_items"], cell["alpha"], table and table["file"])
    first, taken_up = checkpoint.load(results) if checkpoint else (0, None)
    started = time.monotonic()
    n_batches = len(cell["batch_sizes"])
    for s, seed in enumerate(cell["seeds"]):
        places = range(s * n_batches, (s + 1) * n_batches)
        if places.stop <= first:
            continue
        U, V = map(jax.device_put, load(seed))  # no copy on a CPU, unlike jnp.asarray
        V, variances = anisotropic(V, cell["kappa"])
        data = Associations(U, V)
        for place, (b, batch_size) in zip(places, enumerate(cell["batch_sizes"]), strict=True):
            if place < first:
                continue
            run = _run(cell, seed, batch_size, data, p, variances, devices)
            try:
                for state in train(run, taken_up if place == first else None):
                    for name, values in results.items():
                        values[b, s, state.step - 1] = state.measured[name]
                    if state.diverged:
                        results["status"][b, s, state.step :] = Status.DIVERGED
                        report(
                            f"seed {seed}, batch size {batch_size}: diverged at step {state.step}"
                        )
                    if checkpoint:
                        checkpoint.save(results, place, state)
            except Exception as error:  # a user's own map may raise anything
                error.add_note(f"seed {seed}, batch size {batch_size}")
                raise
        done, n_seeds = s + 1, len(cell["seeds"])
        left = (time.monotonic() - started) / (done - first // n_batches) * (n_seeds - done)
        report(
            f"seed {seed}: recovered {_last(results['capacity'][:, s])}; "
            f"{done} of {n_seeds} seeds done, about {left:.0f} s left"
        )
    return results


def write_cell(
    path: str | os.PathLike,
    cell: Mapping[str, Any],
    results: Mapping[str, np.ndarray],
    provenance: Mapping[str, Any],
) -> None:
    """Write what :func:`train_cell` measured, with all seven dimensions."""
    coordinates = {
        "optimizer": [cell["name"]],
        "alpha": [cell["alpha"]],
        "kappa": [cell["kappa"]],
        "d": [cell["d"]],
        "batch_size": cell["batch_sizes"],
        "seed": cell["seeds"],
        "step": range(1, cell["steps"] + 1),
    }
    title = f"One cell: {cell['name']}, alpha {cell['alpha']}, kappa {cell['kappa']}, d {cell['d']}"
    write_grid(path, SCHEMA, coordinates, results, provenance, title)


def _run(cell, seed, batch_size, data, p, variances, devices) -> Run:
    """What one memory of the cell learns from, and how."""
    stop = cell["early_stop"]
    sampled = math.isfinite(batch_size)
    return Run(
        data,
        p,
        cell["optimizer"],
        cell["alpha"],
        steps=cell["steps"],
        gradient=cell["gradient"],
        batch_size=batch_size,
        weights=partial(_weights, p, int(batch_size), cell, seed) if sampled else None,
        output_variances=variances if cell["kappa"] else None,
        loss_factors=cell["loss_factors"],
        early_stop=stop and EarlyStop(**stop),
        devices=devices,
    )


def _weights(
    p: Float[np.ndarray, " n"], batch_size: int, cell: Mapping[str, Any], seed: int, step: int
) -> Float[np.ndarray, " n"]:
    """q_i = c_i / B of one batch."""
    counts = batch_counts(
        p, [batch_size], root_seed=cell["root_seed"], d=cell["d"], seed=seed, step=step
    )
    return counts[batch_size] / batch_size


def _last(counts: np.ndarray) -> list[int]:
    """The last count of each row that is there."""
    return [int(row[row >= 0][-1]) if (row >= 0).any() else -1 for row in counts]
