"""What can be wrong with an experiment of a linear memory, and what figures may ask of one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectral_capacity.kinds.experiment import JointNeed, Need, Problem, Shared
from spectral_capacity.kinds.optimizers import theory_of
from spectral_capacity.sampling.frequencies import (
    from_counts,
    read_counts,
    read_table,
    tail_exponent,
)

if TYPE_CHECKING:
    from spectral_capacity.kinds.memory import MemoryExperiment


def problems(experiment: MemoryExperiment, shared: Shared) -> Iterator[Problem]:
    """What no single key shows."""
    root = shared.root
    for i, d in enumerate(experiment.d):
        if d >= experiment.n_items:
            yield (
                ("d", i),
                f"{d}: must be less than n_items, {experiment.n_items}; a memory of this size needs no "
                "superposition",
            )
    yield from _frequencies(experiment, root)
    yield from _steps(experiment)
    yield from _sweeps(experiment, shared)
    if experiment.embeddings:
        yield from _own_embeddings(experiment, root)


def _steps(experiment: MemoryExperiment) -> Iterator[Problem]:
    stop, loss = experiment.early_stop, experiment.loss
    if stop and stop.window >= experiment.steps:
        yield (
            ("early_stop", "window"),
            f"{stop.window}: must be less than steps, {experiment.steps}, to stop anything",
        )
    if experiment.steps > 1 and loss and loss.learning_rate_factors != [1.0]:
        yield (
            ("loss", "learning_rate_factors"),
            f"{loss.learning_rate_factors}: must be [1.0] with more than one step; a multiple of the memory "
            "is another learning rate at the first only",
        )


def _sweeps(experiment: MemoryExperiment, shared: Shared) -> Iterator[Problem]:
    """Of learning rates: a warm-up must end, and a choice must be possible."""
    for i, name in enumerate(experiment.optimizers):
        optimizer = shared.optimizers.get(name)
        if optimizer and optimizer.learning_rate.warmup >= experiment.steps > 1:
            yield (
                ("optimizers", i),
                f"{name!r} has a warmup of {optimizer.learning_rate.warmup} steps; there are "
                f"{experiment.steps}",
            )
        sweep = optimizer and optimizer.learning_rate.sweep
        if not sweep:
            continue
        if sweep.tuning_seeds >= experiment.seeds:
            yield (
                ("seeds",),
                f"{experiment.seeds}: {name!r} chooses its learning rate by {sweep.tuning_seeds} of them; "
                "there must be more, which show what it is worth",
            )
        if isinstance(sweep.step, int) and sweep.step > experiment.steps:
            yield (
                ("optimizers", i),
                f"{name!r} chooses its learning rate after step {sweep.step}; there are {experiment.steps}",
            )
        if sweep.by == "loss" and not _has_loss(experiment, shared):
            yield (
                ("optimizers", i),
                f"{name!r} chooses its learning rate by the loss, which is not measured here: write loss: {{}}",
            )
        if sweep.by != "loss" and experiment.steps == 1:
            yield (
                ("optimizers", i),
                f"{name!r} chooses its learning rate by {sweep.by}, which after one step is the same at every "
                "rate: choose by loss, or take more steps",
            )


def _frequencies(experiment: MemoryExperiment, root: Path) -> Iterator[Problem]:
    table = experiment.frequencies
    if table is None:
        if experiment.alpha is None:
            yield ("alpha",), "is missing"
        return
    if experiment.alpha is not None:
        yield (
            ("alpha",),
            f"{experiment.alpha}: leave it out (or write null), the exponent is that of the table's tail",
        )
    key, half = ("frequencies", "file"), experiment.n_items // 2
    if not os.path.isfile(root / table.file):
        yield key, f"{table.file!r}: no such file"
        return
    try:
        p = from_counts(read_counts(root / table.file), experiment.n_items)
        if table.tail_from <= half and tail_exponent(p, table.tail_from) < 1e-3:
            yield key, f"counts do not fall from rank {table.tail_from} on: there is no tail"
    except (OSError, ValueError) as error:
        yield key, str(error)
    if table.tail_from > half:
        yield (
            ("frequencies", "tail_from"),
            f"{table.tail_from}: must be at most half of n_items, {experiment.n_items}",
        )


def _own_embeddings(experiment: MemoryExperiment, root: Path) -> Iterator[Problem]:
    own = experiment.embeddings
    if {*"{}"} & {*own.file.replace("{d}", "")}:
        yield (
            ("embeddings", "file"),
            f"{own.file!r}: {{d}} is replaced by each d, nothing else may be in braces",
        )
        return
    for d in experiment.d if own.one_per_d else experiment.d[:1]:
        yield from _own_file(experiment, root, d)


def _own_file(experiment: MemoryExperiment, root: Path, d: int) -> Iterator[Problem]:
    """What is wrong with the embeddings of one d."""
    from spectral_capacity.sampling import own_embeddings  # NetCDF is slow to load

    key, file = ("embeddings", "file"), experiment.embeddings.path(d)
    if not os.path.isfile(root / file):
        yield key, f"{file!r}: no such file"
        return
    try:
        n_items, dimension, seeds = own_embeddings.own_embeddings_shape(root / file)
        own_embeddings.check_finite(root / file)
        names = own_embeddings.item_names(root / file)
    except (OSError, ValueError) as error:
        yield key, str(error)
        return
    where = f", in {file}" if experiment.embeddings.one_per_d else ""
    if experiment.frequencies:
        yield from _rows(experiment, root, file, n_items, names)
    elif n_items != experiment.n_items:
        yield ("n_items",), f"{experiment.n_items}: the embeddings have {n_items} items{where}"
    if experiment.embeddings.one_per_d:
        if d != dimension:
            yield key, f"{file!r}: has dimension {dimension}, must be {d}"
    elif experiment.d != [dimension]:
        yield (
            ("d",),
            f"{experiment.d}: the embeddings have dimension {dimension}: write [{dimension}], or name a "
            "file for each d, with {d} in its path",
        )
    if seeds is None and experiment.seeds != 1 and experiment.embeddings.draw == "rows":
        yield (
            ("seeds",),
            f"{experiment.seeds}: the embeddings have no seed dimension{where}, every seed would be the "
            "same: write 1",
        )
    if seeds is not None and not set(range(experiment.seeds)) <= set(seeds):
        yield ("seeds",), f"{experiment.seeds}: the embeddings have seeds {seeds}{where}"


def _rows(
    experiment: MemoryExperiment, root: Path, file: str, n_items: int, names: list[str] | None
) -> Iterator[Problem]:
    """Row i of a table and row i of the embeddings must be one item."""
    table = experiment.frequencies.file
    try:
        counts, items = read_table(root / table)
    except (OSError, ValueError):  # told elsewhere
        return
    if counts.size != n_items:
        yield (
            ("frequencies", "file"),
            f"{table!r} has {counts.size} rows, {file} has {n_items} items: row i of the one belongs to row "
            "i of the other, so there must be as many",
        )
    elif items and names and items != names:
        row = next(
            i for i, (one, other) in enumerate(zip(items, names, strict=True)) if one != other
        )
        yield (
            ("embeddings", "file"),
            f"{file!r}: row {row} (from 0) is {names[row]!r}, in {table} it is {items[row]!r}: row i of the "
            "one belongs to row i of the other",
        )


def _known(experiment: MemoryExperiment, shared: Shared) -> list[Any]:
    """Its optimizers that there are; others are a problem of their own."""
    return [shared.optimizers[o] for o in experiment.optimizers if o in shared.optimizers]


def _polar_maps(experiment: MemoryExperiment, shared: Shared) -> int:
    """How many of its optimizers are exact Muon."""
    return [theory_of(optimizer) for optimizer in _known(experiment, shared)].count("muon")


def _finite_sizes(experiment: MemoryExperiment) -> int:
    return sum(size != "population" for size in experiment.batch_size)


def _has_loss(experiment: MemoryExperiment, _: Shared) -> bool:
    many = experiment.steps > 1 and experiment.gradient == "exact"
    return experiment.loss is not None or (many and "population" in experiment.batch_size)


def _has_sweep(experiment: MemoryExperiment, shared: Shared) -> bool:
    return any(optimizer.learning_rate.sweep for optimizer in _known(experiment, shared))


def _has_momentum(experiment: MemoryExperiment, shared: Shared) -> bool:
    """Whether any of its optimizers keeps one, as far as its configuration tells."""
    known = _known(experiment, shared)
    return any(getattr(o, key, 0) for o in known for key in ("momentum", "b1"))


def _at_least(steps: int) -> Need:
    return Need(f"steps: {steps} or more", lambda e, _: e.steps >= steps)


NEEDS = {
    "population": Need(
        "population among its batch_size", lambda e, _: "population" in e.batch_size
    ),
    "batches": Need(
        "four finite sizes or more in its batch_size", lambda e, _: _finite_sizes(e) >= 4
    ),
    "finite": Need("a finite size in its batch_size", lambda e, _: _finite_sizes(e) >= 1),
    "loss": Need("a loss section", lambda e, _: e.loss is not None),
    "any loss": Need(
        "a loss section, or exact gradients of the population and steps: 2 or more", _has_loss
    ),
    "sweep": Need("an optimizer with a sweep of learning rates", _has_sweep),
    "momentum": Need("an optimizer with momentum", _has_momentum),
    "muon": Need(
        "an optimizer with the exact polar map", lambda e, shared: _polar_maps(e, shared) >= 1
    ),
    "polar": Need(
        "exactly one optimizer with the exact polar map, which the others are compared with",
        lambda e, shared: _polar_maps(e, shared) == 1,
    ),
    "one step": Need(
        "steps: 1",
        lambda e, _: e.steps == 1,
    ),
    "2 steps": _at_least(2),
    "3 steps": _at_least(3),
    "4 steps": _at_least(4),
}


def _exact_against_thresholded(
    pair: Mapping[str, tuple[str, MemoryExperiment]],
) -> Iterator[Problem]:
    """Two experiments on the same items, one on exact gradients and one on thresholded ones."""
    for role, (name, experiment) in pair.items():
        if experiment.gradient != role:
            yield (role,), f"{name!r}: must have gradient: {role}"
    (first, exact), (second, other) = pair["exact"], pair["thresholded"]
    names = f"{first!r} and {second!r}"
    for key in ("n_items", "frequencies", "embeddings"):
        if getattr(exact, key) != getattr(other, key):
            yield (), f"{names} differ in {key}: their counts cannot be compared"
    if exact.kappa[0] != other.kappa[0]:
        yield (), f"{names} differ in their first kappa"
    for axis in ("optimizers", "d", "alpha"):
        one, two = getattr(exact, axis), getattr(other, axis)
        # With a table of frequencies there is no alpha to share.
        if one and two and not set(one) & set(two):
            yield (), f"{names} share no {axis}"


JOINT_NEEDS = {
    "exact against thresholded": JointNeed(
        "the same items, one with gradient: exact and one with gradient: thresholded",
        _exact_against_thresholded,
    )
}
