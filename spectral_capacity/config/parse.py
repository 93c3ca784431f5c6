"""From a plain dictionary to a checked configuration."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.config import figures
from spectral_capacity.config.messages import ConfigError, describe_all, key_path
from spectral_capacity.config.model import Config, config_model
from spectral_capacity.kinds import optimizers
from spectral_capacity.kinds.experiment import Problem
from spectral_capacity.kinds.registry import KINDS

MOST_CELLS = 100_000
"""Of all experiments: Snakemake, which plans a job for each, takes minutes to look at so many."""

MOST_POINTS = 10_000_000
"""Of one grid, which is a gigabyte and a half of arrays then."""


def parse(given: Mapping[str, Any], *, root: str | Path = ".") -> Config:
    """Check a configuration and fill in its defaults.

    ``root`` is the folder that relative paths of input files refer to. Raises ConfigError, which
    lists every problem found, one line each.
    """
    model = config_model()
    try:
        config = model.model_validate(given)
    except ValidationError as error:
        raise ConfigError(describe_all(error.errors(), given, model)) from None
    config._root = Path(root)
    if problems := [f"{key_path(key)}: {text}" for key, text in _problems(config)]:
        raise ConfigError(problems)
    return config


def json_schema() -> dict[str, Any]:
    """JSON schema of the configuration, for editors."""
    schema = config_model().model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _problems(config: Config) -> Iterator[Problem]:
    """What no single key shows."""
    experiments = list(_of_experiments(config))
    yield from experiments
    yield from optimizers.problems(config.optimizers, config.shared.root)
    yield from figures.problems(config, figures.figure_modules(KINDS))
    yield from _of_files(config)
    if not experiments:  # a size can be told
        yield from _of_sizes(config)


def _of_experiments(config: Config) -> Iterator[Problem]:
    for name, experiment in config.experiments.items():
        at = ("experiments", name)
        for i, optimizer in enumerate(experiment.optimizers):
            key = (*at, "optimizers", i)
            if optimizer not in config.optimizers:
                known = ", ".join(config.optimizers)
                yield key, f"{optimizer!r} is not defined; optimizers has {known}"
            elif (rule := config.optimizers[optimizer].rule) not in experiment.rules:
                trained = ", ".join(experiment.rules)
                yield (
                    key,
                    f"{optimizer!r} has rule {rule}; kind {experiment.kind} trains {trained}",
                )
        for key, text in experiment.problems(config.shared):
            yield (*at, *key), text


def _of_files(config: Config) -> Iterator[Problem]:
    root = config.shared.root
    for key, path in ((("figures", "style"), config.figures.style), (("claims",), config.claims)):
        if not (root / path).is_file():
            yield key, f"{path!r}: no such file"
    if (root / config.claims).is_file():
        yield from _of_claims(config)


def _of_claims(config: Config) -> Iterator[Problem]:
    try:
        claims = read_claims(config.shared.root / config.claims)
    except ValueError as error:
        yield ("claims",), str(error)
        return
    for claim in claims:
        experiment = config.experiments.get(claim.experiment)  # None: nobody runs it
        if experiment is not None and claim.quantity not in experiment.quantities:
            yield (
                ("claims",),
                f"{config.claims}: claim {claim.id} is about {claim.quantity}, which experiment "
                f"{claim.experiment!r} of kind {experiment.kind} does not have",
            )


def _of_sizes(config: Config) -> Iterator[Problem]:
    """Grids and numbers of cells beyond what can be handled; each count alone is bounded by its field."""
    left = MOST_CELLS
    for name, experiment in config.experiments.items():
        points = math.prod(map(len, experiment.coordinates(config.shared).values()))
        if points > MOST_POINTS:
            yield (
                ("experiments", name),
                f"its grid has {points:,} points; at most {MOST_POINTS:,} are allowed: shorten its lists, or "
                "split it into several experiments",
            )
            return
        left -= sum(1 for _ in itertools.islice(experiment.cells(name, config.shared), left + 1))
        if left < 0:
            yield (
                ("experiments", name),
                f"with it there are more than {MOST_CELLS:,} cells, the most that are allowed: shorten its "
                "lists, raise seeds_per_job, or run it with a configuration and results of its own",
            )
            return
