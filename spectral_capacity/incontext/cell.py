"""One cell of in-context recall: all learning rates and seeds of an optimizer, laws, width and batch size."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from spectral_capacity.backend import jax, jnp
from spectral_capacity.incontext.measured import SCHEMA, TUNING
from spectral_capacity.incontext.model import Architecture
from spectral_capacity.incontext.probes import measure
from spectral_capacity.incontext.task import Laws, Task
from spectral_capacity.incontext.training import Run, Setup, State, advance, begin
from spectral_capacity.results.grids import write_grid
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.bigrams import known_bigrams
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.sampling.streams import Stream, stream_key
from spectral_capacity.training.checkpoints import Checkpoint

WITHOUT_A_LOOK = 64
"""Most iterations between two looks at whether a checkpoint is due."""


def train_cell(
    settings: Mapping[str, Any],
    report: Callable[[str], None] = lambda line: None,
    checkpoint: Checkpoint | None = None,
    table: str | os.PathLike | None = None,
) -> dict[str, np.ndarray]:
    """All runs of one cell; arrays over (learning_rate, seed, iteration), one per variable of the schema.

    ``settings`` holds ``task, architecture, optimizer, alpha_triggers, alpha_outputs, noise, batch_size,
    held_out, gradient_spectrum, iterations, learning_rates, seeds, root_seed``. ``noise`` is the exponent of
    a power law, or a digest of bigrams, which are in the file ``table``. A run whose parameters, or what is
    measured of them, are no longer finite has status ``diverged``. Goes on from ``checkpoint`` where that has
    something.
    """
    setup, noise = _setup(settings), _noise(settings, table)
    results = SCHEMA.nothing_measured(
        tuple(len(settings[key]) for key in ("learning_rates", "seeds", "iterations"))
    )
    runs, models, held_out = _runs(settings, noise)
    states = begin(setup, models)
    done, states = _resume(checkpoint, results, states)
    if done:
        report(f"goes on after iteration {done}")
    for number, wanted in enumerate(settings["iterations"]):
        while done < wanted:
            stride = min(WITHOUT_A_LOOK, wanted - done)
            states = advance(setup, runs, states, jnp.asarray(stride, jnp.int32))
            done += stride
            if done == wanted:
                _measure(results, number, settings, setup, noise, states.parameters, held_out)
                accuracy = np.round(np.fmax.reduce(results["accuracy_ood"][..., number]), 3)
                report(f"iteration {done}: OOD accuracy at its best rate, by seed: {accuracy}")
            if checkpoint:
                arrays = {f"state_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(states))}
                checkpoint.save(results | arrays, {"iteration": done})
    return results


def write_cell(
    path: str | os.PathLike,
    settings: Mapping[str, Any],
    results: Mapping[str, np.ndarray],
    provenance: Mapping[str, Any],
    known_by: Mapping[str, str] | None = None,
) -> None:
    """Write what :func:`train_cell` measured, with all dimensions; see :func:`write_grid`."""
    coordinates = {
        "optimizer": [settings["name"]],
        "alpha_triggers": [settings["alpha_triggers"]],
        "alpha_outputs": [settings["alpha_outputs"]],
        "d": [settings["architecture"]["d"]],
        "batch_size": [settings["batch_size"]],
        "learning_rate": settings["learning_rates"],
        "seed": settings["seeds"],
        "iteration": settings["iterations"],
    }
    title = f"One cell of in-context recall: {settings['name']}, d {settings['architecture']['d']}"
    write_grid(path, SCHEMA, coordinates, results, provenance, title, known_by)


def _setup(settings) -> Setup:
    made = {name: _hashable(value) for name, value in settings["architecture"].items()}
    optimizer = tuple((name, _hashable(value)) for name, value in settings["optimizer"].items())
    return Setup(Task(**settings["task"]), Architecture(**made), optimizer, settings["batch_size"])


def _hashable(value):
    """Lists as tuples: what a program is compiled for is known by its hash."""
    if isinstance(value, Mapping):
        return tuple((key, _hashable(item)) for key, item in value.items())
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _noise(settings, table) -> np.ndarray:
    """Probabilities of noise; of a power law in an order of its own, which the root seed draws."""
    V, alpha = settings["task"]["vocabulary"], settings["noise"]
    if isinstance(alpha, str):
        if table is None:
            raise ValueError("a digest of bigrams in the settings goes with a table of them")
        return known_bigrams(table, alpha)
    order = jax.random.permutation(stream_key(settings["root_seed"], Stream.NOISE), V)
    return power_law(V, alpha)[np.asarray(order)]


def _laws(settings, alpha_triggers, alpha_outputs, noise) -> Laws:
    V = settings["task"]["vocabulary"]
    p = (power_law(V, alpha_triggers), power_law(V, alpha_outputs), noise)
    return Laws(*(jnp.asarray(each, jnp.float32) for each in p))


def _runs(settings, noise) -> tuple[Run, jax.Array, jax.Array]:
    """Of every learning rate and seed, in the order of the results' axes: the run, the key of its model, and
    that of its held-out sequences."""
    laws = _laws(settings, settings["alpha_triggers"], settings["alpha_outputs"], noise)
    pairs = list(itertools.product(settings["learning_rates"], settings["seeds"]))
    key = partial(stream_key, settings["root_seed"])
    batches = [key(Stream.SEQUENCES, settings["batch_size"], seed) for _, seed in pairs]
    models = [key(Stream.MODELS, settings["architecture"]["d"], seed) for _, seed in pairs]
    held_out = [key(Stream.HELD_OUT, int(seed != TUNING)) for _, seed in pairs]
    rates = jnp.asarray([rate for rate, _ in pairs], jnp.float32)
    every = jax.tree.map(lambda p: jnp.broadcast_to(p, (len(pairs), *p.shape)), laws)
    return Run(rates, jnp.stack(batches), every), jnp.stack(models), jnp.stack(held_out)


def _measure(results, number, settings, setup, noise, parameters, held_out) -> None:
    """Enter what is measured of every run at one of the iterations."""
    laws = {
        "id": _laws(settings, settings["alpha_triggers"], settings["alpha_outputs"], noise),
        "ood": _laws(settings, 0.0, 0.0, noise),
    }
    given = (setup.task, setup.architecture, parameters, laws, held_out, settings["held_out"])
    given = (*given, settings["gradient_spectrum"])
    shape = results["status"].shape[:2]
    measured = {name: np.asarray(v).reshape(shape) for name, v in measure(*given).items()}
    finite = measured.pop("finite") & np.all([np.isfinite(v) for v in measured.values()], axis=0)
    for name, values in measured.items():
        results[name][..., number] = np.where(finite, values, np.nan)
    results["status"][..., number] = np.where(finite, Status.OK, Status.DIVERGED)


def _resume(checkpoint, results, states) -> tuple[int, State]:
    """Iterations done and the states then, from a checkpoint, whose results are filled in; or the beginning."""
    saved = checkpoint.load() if checkpoint else None
    if saved is None:
        return 0, states
    arrays, numbers = saved
    for name, values in results.items():
        values[...] = arrays[name]
    leaves, form = jax.tree.flatten(states)
    kept = [jnp.asarray(arrays[f"state_{i}"]) for i in range(len(leaves))]
    return numbers["iteration"], jax.tree.unflatten(form, kept)
