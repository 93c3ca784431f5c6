"""One cell of an experiment: all its seeds and batch sizes, step by step, with checkpoints."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.backend import jax
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.measured import SCHEMA, SWEPT_SCHEMA
from spectral_capacity.results.grids import write_grid
from spectral_capacity.results.schema import RATE_FACTOR, Status
from spectral_capacity.sampling.batches import batch_counts
from spectral_capacity.sampling.embeddings import anisotropic, load_embeddings
from spectral_capacity.sampling.frequencies import item_frequencies, item_rows
from spectral_capacity.sampling.streams import Stream
from spectral_capacity.sampling.surrogates import redrawn
from spectral_capacity.training.checkpoints import Checkpoint
from spectral_capacity.training.run import EarlyStop, Run
from spectral_capacity.training.steps import State, train

PLACE = ("seed", "batch_size", "rate")
"""Of a run in a cell, in the order in which they are made."""

LoadEmbeddings = Callable[[int], tuple[np.ndarray, np.ndarray]]


def embeddings_of(
    settings: Mapping[str, Any],
    path: str | os.PathLike,
    table: str | os.PathLike | None,
    *,
    ours: bool = False,
) -> LoadEmbeddings:
    """What loads a cell's embeddings from ``path``: all rows, those that are its items, or surrogates.

    ``settings["rows"]`` is None, or a digest of rows: of a user's own embeddings, each of which belongs to
    the same row of a ``table`` of counts. ``settings["draw"]``: None, or what is made of them
    (:func:`sampling.surrogates.redrawn`). ``ours`` as in :func:`sampling.embeddings.load_embeddings`.
    """
    rows = item_rows(settings["n_items"], table, settings["rows"])
    load, draw = partial(load_embeddings, path, rows=rows, ours=ours), settings["draw"]
    if draw in (None, "rows"):
        return load
    return lambda seed: redrawn(*load(seed), draw, [settings["root_seed"], Stream.SURROGATES, seed])


def train_cell(
    settings: Mapping[str, Any],
    load: LoadEmbeddings,
    report: Callable[[str], None] = lambda line: None,
    checkpoint: Checkpoint | None = None,
    devices: int = 1,
    table: str | os.PathLike | None = None,
) -> dict[str, np.ndarray]:
    """All runs of one cell; arrays over (batch_size, seed, step), one per variable of the schema.

    With a sweep of learning rates they are over (batch_size, rate, seed, step).

    ``settings`` holds ``n_items, d, alpha, frequencies, kappa, batch_sizes, seeds, root_seed, optimizer,
    gradient, steps, early_stop, loss_factors, prefix_share, rate_factors``; ``load(seed)`` gives (U, V).
    ``rate_factors`` are the multiples of the learning rate that are tried, None where there is no sweep.
    ``frequencies`` is None for the power law, or a digest of the counts, which are in the file ``table``. Steps
    after an early stop or a divergence are missing, with status ``not_run`` after the one, ``diverged`` after
    the other.

    ``report`` is told of each seed: its counts, how many are done and the time left. Goes on from
    ``checkpoint`` where that has something. Embeddings that are not finite stop the cell with a
    FloatingPointError; a note on any error names seed and batch size. ``devices``: how many share the
    rows of a softmax.
    """
    seeds, batch_sizes = settings["seeds"], settings["batch_sizes"]
    factors = settings["rate_factors"] or [1.0]
    p = _frequencies(settings, table)
    shape = (len(batch_sizes), len(factors), len(seeds), settings["steps"])
    results = SCHEMA.nothing_measured(shape)
    first, taken_up = _resume(checkpoint, results)
    if taken_up is not None:
        report(f"goes on after step {taken_up['step']} of {_name(settings, *first)}")
    started = time.monotonic()
    runs = itertools.product(*map(range, (len(seeds), len(batch_sizes), len(factors))))
    unfinished = [place for place in runs if place >= first]
    for s, of_seed in itertools.groupby(unfinished, key=itemgetter(0)):
        data, variances = _associations(load(seeds[s]), settings["kappa"])
        for b, places in itertools.groupby(of_seed, key=itemgetter(1)):
            # One run for all rates: they share its first gradient.
            run = _run(settings, s, b, data, p, variances, devices)
            for place in places:
                begun = State.start(run)
                if taken_up and place == first:
                    begun = begun.restored(**taken_up)
                states = train(run, begun, factors[place[-1]])
                _follow(states, results, place, _name(settings, *place), report, checkpoint)
        seconds_per_seed = (time.monotonic() - started) / (s + 1 - first[0])
        report(
            f"seed {seeds[s]}: recovered {_last(results['capacity'][..., s, :])}; {s + 1} of {len(seeds)} "
            f"seeds done, about {seconds_per_seed * (len(seeds) - s - 1):.0f} s left"
        )
    if settings["rate_factors"]:
        return results
    return {name: values[:, 0] for name, values in results.items()}


def write_cell(
    path: str | os.PathLike,
    settings: Mapping[str, Any],
    results: Mapping[str, np.ndarray],
    provenance: Mapping[str, Any],
    known_by: Mapping[str, str] | None = None,
) -> None:
    """Write what :func:`train_cell` measured, with all dimensions; see :func:`write_grid`.

    That of learning rates is there where they are swept.
    """
    name, alpha, kappa, d = (settings[key] for key in ("name", "alpha", "kappa", "d"))
    swept = settings["rate_factors"]
    coordinates = {
        "optimizer": [name],
        "alpha": [alpha],
        "kappa": [kappa],
        "d": [d],
        "batch_size": settings["batch_sizes"],
        **({RATE_FACTOR: swept} if swept else {}),
        "seed": settings["seeds"],
        "step": range(1, settings["steps"] + 1),
    }
    title = f"One cell: {name}, alpha {alpha}, kappa {kappa}, d {d}"
    schema = SWEPT_SCHEMA if swept else SCHEMA
    write_grid(path, schema, coordinates, results, provenance, title, known_by)


def _frequencies(settings, table) -> Float[np.ndarray, " n"]:
    digest = settings["frequencies"]
    if (digest is None) != (table is None):
        raise ValueError("a table of counts goes with its digest in the settings, and only with it")
    return item_frequencies(settings["n_items"], settings["alpha"], table, digest)


def _associations(embeddings, kappa) -> tuple[Associations, Float[np.ndarray, " d"] | None]:
    """The facts of one seed on the device, and the eigenvalues of Ξ where it is not isotropic."""
    U, V = map(jax.device_put, embeddings)  # no copy on a CPU, unlike jnp.asarray
    V, variances = anisotropic(V, kappa)
    return Associations(U, V), variances if kappa else None


def _run(settings, s, b, data, p, variances, devices) -> Run:
    """What the memory at place (s, b), of seed and batch size, learns from, and how."""
    batch_size, stop = settings["batch_sizes"][b], settings["early_stop"]
    population = math.isinf(batch_size)
    return Run(
        data,
        p,
        settings["optimizer"],
        settings["alpha"],
        steps=settings["steps"],
        gradient=settings["gradient"],
        batch_size=batch_size,
        weights=None if population else partial(_batch_weights, settings, p, s, int(batch_size)),
        output_variances=variances,
        loss_factors=settings["loss_factors"],
        early_stop=stop and EarlyStop(**stop),
        prefix_share=settings["prefix_share"],
        devices=devices,
    )


def _batch_weights(settings, p, s, batch_size, step) -> Float[np.ndarray, " n"]:
    """q_i = c_i / B of one batch."""
    counts = batch_counts(
        p,
        [batch_size],
        root_seed=settings["root_seed"],
        d=settings["d"],
        seed=settings["seeds"][s],
        step=step,
    )
    return counts[batch_size] / batch_size


def _follow(states, results, place, name, report, checkpoint) -> None:
    """Enter all that a run comes to."""
    try:
        for state in states:
            _record(results, place, state)
            if state.diverged:
                report(f"{name}: diverged at step {state.step}")
            elif checkpoint:
                _save(checkpoint, results, place, state)
    except Exception as error:  # a user's map may raise anything
        error.add_note(name)
        raise


def _record(results, place, state) -> None:
    """Enter what was measured after a step; after a divergence there is nothing more to come."""
    s, b, f = place
    if state.diverged:
        results["status"][b, f, s, state.step - 1 :] = Status.DIVERGED
        return
    for name, values in results.items():
        values[b, f, s, state.step - 1] = state.observation.measured[name]


def _save(checkpoint, results, place, state) -> None:
    numbers = dict(zip(PLACE, place, strict=True)) | {"step": state.step}
    checkpoint.save(results | state.arrays(), numbers)


def _resume(checkpoint, results) -> tuple[tuple[int, int, int], dict[str, Any] | None]:
    """Fill ``results`` from a checkpoint; the place of the run it was in, and what restores its state."""
    saved = checkpoint.load() if checkpoint else None
    if saved is None:
        return (0, 0, 0), None
    arrays, numbers = saved
    for name, values in results.items():
        values[...] = arrays[name]
    place = tuple(numbers[name] for name in PLACE)
    return place, {"step": numbers["step"], "arrays": arrays}


def _name(settings, s, b, f) -> str:
    factors = settings["rate_factors"]
    rate = f", learning rate × {factors[f]:g}" if factors else ""
    return f"seed {settings['seeds'][s]}, batch size {settings['batch_sizes'][b]}{rate}"


def _last(counts: np.ndarray) -> list[int]:
    """The last count that is there of each batch size, at the rate where it is largest."""
    return [
        max(int(row[row >= 0][-1]) if (row >= 0).any() else -1 for row in rows) for rows in counts
    ]
