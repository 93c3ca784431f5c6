"""From a plain dictionary to a checked configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.config.cells import shown, theory_of
from spectral_capacity.config.messages import ConfigError, describe_all, key_path
from spectral_capacity.config.models import FIGURES, Config, MemoryExperiment
from spectral_capacity.optimizers import own_map as ownmap
from spectral_capacity.sampling.frequencies import from_counts, read_counts, tail_exponent

NEEDS = {
    "population": "population among its batch_size",
    "batches": "four finite sizes or more in its batch_size",
    "loss": "a loss section",
    "finite": "a finite size in its batch_size",
    "muon": "an optimizer with the exact polar map",
    "one step": "steps: 1, which is all that this figure shows; null leaves it out",
    "2 steps": "steps: 2 or more",
    "3 steps": "steps: 3 or more",
    "4 steps": "steps: 4 or more",
    "polar": "exactly one optimizer with the exact polar map, which the others are compared with",
}
FIGURE_NEEDS = {
    "fig1a": ("one step",),
    "fig1b": ("one step", "batches"),
    "fig2": ("one step",),
    "fig3": ("one step", "batches"),
    "fig4a": ("muon", "2 steps"),
    "fig4b": ("muon", "3 steps"),
    "fig4c": ("muon", "4 steps"),
    "fig4d": ("muon", "2 steps"),
    "fig4e": ("muon", "2 steps"),
    "fig5a": ("2 steps",),
    "fig5b": ("muon", "2 steps", "finite"),
    "fig6": ("one step",),
    "thresholded": ("2 steps",),
    "loss": ("one step", "loss"),
    "newton_schulz_depth": ("one step", "polar"),
    "resolution": ("one step", "polar"),
    "spectrum": ("one step",),
    "real_words": ("one step",),
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
        if experiment.early_stop and experiment.early_stop.window >= experiment.steps:
            yield (
                f"{key_path((*at, 'early_stop', 'window'))}: {experiment.early_stop.window}: must be less "
                f"than steps, {experiment.steps}, to stop anything"
            )
        if experiment.steps > 1 and experiment.loss:
            factors = experiment.loss.learning_rate_factors
            if factors != [1.0]:
                yield (
                    f"{key_path((*at, 'loss', 'learning_rate_factors'))}: {factors}: must be [1.0] with "
                    "more than one step; a multiple of the memory is another learning rate at the first only"
                )
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
        for key, name in shown(config, figure).items():
            if name not in config.experiments:
                yield (
                    f"{key}: {name!r} is not defined; experiments has "
                    f"{', '.join(config.experiments)}; null leaves the figure out"
                )
                continue
            for need in (*FIGURE_NEEDS.get(figure, ()), "population"):
                if not _has(config, name, need):
                    yield f"{key}: {name!r}: must have {NEEDS[need]}"
    yield from _check_pair(config)
    for key, path in (("figures.style", config.figures.style), ("claims", config.claims)):
        if not (root / path).is_file():
            yield f"{key}: {path!r}: no such file"
        elif key == "claims":
            try:
                read_claims(root / path)
            except ValueError as error:
                yield f"{key}: {error}"


def _check_pair(config: Config) -> Iterator[str]:
    """Figure thresholded compares two experiments: they must have something in common."""
    pair = config.figures.thresholded
    if pair is None or not {pair.exact, pair.thresholded} <= set(config.experiments):
        return
    for role, name in pair.model_dump().items():
        if config.experiments[name].gradient != role:
            yield f"figures.thresholded.{role}: {name!r}: must have gradient: {role}"
    exact, other = (config.experiments[name] for name in (pair.exact, pair.thresholded))
    for key in ("n_items", "frequencies", "embeddings"):
        if getattr(exact, key) != getattr(other, key):
            yield (
                f"figures.thresholded: {pair.exact!r} and {pair.thresholded!r} differ in {key}: their "
                "counts cannot be compared"
            )
    if exact.kappa[0] != other.kappa[0]:
        yield f"figures.thresholded: {pair.exact!r} and {pair.thresholded!r} differ in their first kappa"
    for axis in ("optimizers", "d", "alpha"):
        one, two = (getattr(experiment, axis) for experiment in (exact, other))
        # With a table of frequencies there is no alpha to share.
        if one and two and not set(one) & set(two):
            yield f"figures.thresholded: {pair.exact!r} and {pair.thresholded!r} share no {axis}"


def _has(config: Config, name: str, need: str) -> bool:
    experiment = config.experiments[name]
    if need == "one step":
        return experiment.steps == 1
    if need.endswith("steps"):
        return experiment.steps >= int(need.removesuffix(" steps"))
    if need == "finite":
        return experiment.batch_size != ["population"]
    if need == "muon":
        known = [config.optimizers[o] for o in experiment.optimizers if o in config.optimizers]
        return "muon" in map(theory_of, known)
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
    from spectral_capacity.sampling.own_embeddings import own_embeddings_shape

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
