"""From a plain dictionary to a checked configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spectral_capacity import ownmap
from spectral_capacity.claimsfile import read_claims
from spectral_capacity.config.cells import theory_of
from spectral_capacity.config.messages import ConfigError, describe_all, key_path
from spectral_capacity.config.models import FIGURES, Config, MemoryExperiment
from spectral_capacity.frequencies import from_counts, read_counts, tail_exponent

NEEDS = {
    "population": "population among its batch_size",
    "batches": "four finite sizes or more in its batch_size",
    "loss": "a loss section",
    "polar": "exactly one optimizer with the exact polar map, which the others are compared with",
}
FIGURE_NEEDS = {
    "fig1b": ("batches",),
    "fig3": ("batches",),
    "loss": ("loss",),
    "newton_schulz_depth": ("polar",),
    "resolution": ("polar",),
}
"""What a figure's experiment must have, beside the population that all of them show."""


def parse(given: Mapping[str, Any], *, root: str | Path = ".") -> Config:
    """Check a configuration and fill in its defaults.

    ``root`` is the folder that relative paths of input files refer to. Raises ConfigError, which
    lists every problem found, one line each.
    """
    try:
        config = Config.model_validate(given)
    except ValidationError as error:
        raise ConfigError(describe_all(error.errors(), given, Config)) from None
    if problems := list(_cross_checks(config, Path(root))):
        raise ConfigError(problems)
    return config


def json_schema() -> dict[str, Any]:
    """JSON schema of the configuration, for editors."""
    schema = Config.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _cross_checks(config: Config, root: Path) -> Iterator[str]:
    for name, experiment in config.experiments.items():
        at = ("experiments", name)
        for i, d in enumerate(experiment.d):
            if d >= experiment.n_items:
                yield (
                    f"{key_path((*at, 'd', i))}: {d}: must be less than n_items, "
                    f"{experiment.n_items}; a memory of this size needs no superposition"
                )
        for i, optimizer in enumerate(experiment.optimizers):
            if optimizer not in config.optimizers:
                yield (
                    f"{key_path((*at, 'optimizers', i))}: {optimizer!r} is not defined; "
                    f"optimizers has {', '.join(config.optimizers)}"
                )
        yield from _check_frequencies(experiment, at, root)
        if experiment.embeddings:
            yield from _check_own_embeddings(experiment, at, root)
    for name, optimizer in config.optimizers.items():
        spectral_map = getattr(optimizer, "map", None)
        if spectral_map is not None and spectral_map.name == "own":
            try:
                ownmap.check(
                    root / spectral_map.file, spectral_map.function, spectral_map.options or {}
                )
            except FileNotFoundError:
                yield f"optimizers.{name}.map.file: {spectral_map.file!r}: no such file"
            except (OSError, ValueError) as error:
                yield f"optimizers.{name}.map: {error}"
    for figure in FIGURES:
        shown = getattr(config.figures, figure)
        if shown is not None and shown not in config.experiments:
            yield (
                f"figures.{figure}: {shown!r} is not defined; experiments has "
                f"{', '.join(config.experiments)}; null leaves the figure out"
            )
        elif shown is not None:
            for need in FIGURE_NEEDS.get(figure, ()):
                if not _has(config, shown, need):
                    yield f"figures.{figure}: {shown!r}: must have {NEEDS[need]}"
            if not _has(config, shown, "population"):
                yield f"figures.{figure}: {shown!r}: must have {NEEDS['population']}"
    for key, path in (("figures.style", config.figures.style), ("claims", config.claims)):
        if not (root / path).is_file():
            yield f"{key}: {path!r}: no such file"
        elif key == "claims":
            try:
                read_claims(root / path)
            except ValueError as error:
                yield f"{key}: {error}"


def _has(config: Config, name: str, need: str) -> bool:
    experiment = config.experiments[name]
    if need == "polar":
        known = [config.optimizers[o] for o in experiment.optimizers if o in config.optimizers]
        return [theory_of(optimizer) for optimizer in known].count("muon") == 1
    if need == "batches":
        return sum(size != "population" for size in experiment.batch_size) >= 4
    return experiment.loss is not None if need == "loss" else "population" in experiment.batch_size


def _check_frequencies(
    experiment: MemoryExperiment, at: tuple[str, ...], root: Path
) -> Iterator[str]:
    table = experiment.frequencies
    if table is None:
        if experiment.alpha is None:
            yield f"{key_path((*at, 'alpha'))}: is missing"
        return
    key = key_path((*at, "frequencies", "file"))
    if experiment.alpha is not None:
        yield (
            f"{key_path((*at, 'alpha'))}: {experiment.alpha}: leave it out (or write null), the "
            "exponent is that of the table's tail"
        )
    try:
        p = from_counts(read_counts(root / table.file), experiment.n_items)
        if table.tail_from <= experiment.n_items // 2 and tail_exponent(p, table.tail_from) < 1e-3:
            yield f"{key}: counts do not fall from rank {table.tail_from} on: there is no tail"
    except FileNotFoundError:
        yield f"{key}: {table.file!r}: no such file"
    except (OSError, ValueError) as error:
        yield f"{key}: {error}"
    if table.tail_from > experiment.n_items // 2:
        yield (
            f"{key_path((*at, 'frequencies', 'tail_from'))}: {table.tail_from}: must be at most half "
            f"of n_items, {experiment.n_items}"
        )


def _check_own_embeddings(
    experiment: MemoryExperiment, at: tuple[str, ...], root: Path
) -> Iterator[str]:
    from spectral_capacity.ownfile import own_embeddings_shape

    key = key_path((*at, "embeddings", "file"))
    path = root / experiment.embeddings.file
    if not path.is_file():
        yield f"{key}: {experiment.embeddings.file!r}: no such file"
        return
    try:
        n_items, d, seeds = own_embeddings_shape(path)
    except (OSError, ValueError) as error:
        yield f"{key}: {error}"
        return
    if n_items != experiment.n_items:
        yield f"{key_path((*at, 'n_items'))}: {experiment.n_items}: the embeddings have {n_items} items"
    if experiment.d != [d]:
        yield f"{key_path((*at, 'd'))}: {experiment.d}: the embeddings have dimension {d}: write [{d}]"
    if seeds is None and experiment.seeds != 1:
        yield (
            f"{key_path((*at, 'seeds'))}: {experiment.seeds}: the embeddings have no seed "
            "dimension, every seed would be the same: write 1"
        )
    if seeds is not None and not set(range(experiment.seeds)) <= set(seeds):
        yield f"{key_path((*at, 'seeds'))}: {experiment.seeds}: the embeddings have seeds {seeds}"
