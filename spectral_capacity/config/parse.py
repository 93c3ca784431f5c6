"""From a plain dictionary to a checked configuration."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.config import figures, looks, plain
from spectral_capacity.config.figure_modules import is_reserved
from spectral_capacity.config.messages import (
    ConfigError,
    describe_all,
    key_path,
    listed,
)
from spectral_capacity.config.model import Config, config_model
from spectral_capacity.kinds import optimizers
from spectral_capacity.kinds.experiment import Problem
from spectral_capacity.kinds.fields import MOST_SHOWN
from spectral_capacity.kinds.registry import KINDS
from spectral_capacity.results.plain_yaml import read_yaml

MOST_CELLS = 100_000
"""Of all experiments: Snakemake, which plans a job for each, takes minutes to look at so many."""

MOST_POINTS = 10_000_000
"""Of one grid, which is a gigabyte and a half of arrays then."""


def parse(given: Mapping[str, Any], *, root: str | Path = ".") -> Config:
    """Check a configuration and fill in its defaults.

    ``root`` is the folder that relative paths of input files refer to. Raises ConfigError, which
    lists every problem found, one line each.
    """
    _raise_if_any(plain.problems(given))
    model = config_model()
    given, dropped = _without_dropped(given)
    try:
        config = model.model_validate(given)
    except ValidationError as error:
        raise ConfigError(describe_all(error.errors(include_url=False), given, model)) from None
    config._root, config._dropped = Path(root), dropped
    _raise_if_any(_problems(config))
    return config


def _raise_if_any(problems: Iterable[Problem], where: str = "") -> None:
    first = itertools.islice(problems, MOST_SHOWN + 1)
    if told := [f"{where}{key_path(key)}: {text}" for key, text in first]:
        raise ConfigError(told)


def merged(files: Iterable[str | Path]) -> dict[str, Any]:
    """Files of YAML, each laid over those before it as Snakemake does: mappings key by key, all else whole.

    Raises ConfigError, with line and column, for a file that is no YAML, has a key twice or more than anyone
    writes (:func:`results.plain_yaml.read_yaml`), and for a null that drops nothing; OSError where there is no
    file.
    """
    config: dict[str, Any] = {}
    for path in files:
        given = _read(path)
        if config and (idle := [*_idle_nulls(config, given)]):
            raise ConfigError(idle)
        config = _over(config, given)
    return config


def _idle_nulls(below: Mapping[str, Any], above: Mapping[str, Any]) -> Iterator[str]:
    """A line for each null that drops an experiment or a figure that is not there."""
    for section in ("experiments", "figures"):
        known, given = (layer.get(section) for layer in (below, above))
        if not (isinstance(known, Mapping) and isinstance(given, Mapping)):
            continue  # told where values are checked
        for name in (name for name, value in given.items() if value is None and name not in known):
            close = get_close_matches(str(name), known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield f"{section}.{name}: null drops it, and there is none to drop{hint}"


def _read(path: str | Path) -> Mapping[str, Any]:
    try:
        given = read_yaml(path)
    except ValueError as error:
        raise ConfigError([str(error)]) from None
    if not isinstance(given, Mapping):
        raise ConfigError([f"{path}: must be a mapping of keys"])
    _raise_if_any(plain.problems(given), f"{path}: ")
    return given


def _over(below: Any, above: Mapping[str, Any]) -> dict[str, Any]:
    below = below if isinstance(below, Mapping) else {}
    return dict(below) | {
        key: _over(below.get(key), value) if isinstance(value, Mapping) else value
        for key, value in above.items()
    }


def json_schema() -> dict[str, Any]:
    """JSON schema of the configuration, for editors."""
    schema = config_model().model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _without_dropped(given: Mapping[str, Any]) -> tuple[Mapping[str, Any], frozenset[str]]:
    """The configuration without experiments that are null, and their names."""
    experiments = given.get("experiments")
    if not isinstance(experiments, Mapping):
        return given, frozenset()
    kept = {name: value for name, value in experiments.items() if value is not None}
    return {**given, "experiments": kept}, frozenset(experiments.keys() - kept.keys())


def _problems(config: Config) -> Iterator[Problem]:
    """What no single key shows."""
    experiments = [*itertools.islice(_of_experiments(config), MOST_SHOWN + 1)]
    yield from experiments
    yield from optimizers.problems(config.optimizers, config.shared.root)
    yield from looks.problems(config)
    yield from figures.problems(config)
    yield from _of_files(config)
    if not experiments:  # their grids can be told
        yield from figures.problems_of_selections(config)
        yield from _of_sizes(config)


def _of_experiments(config: Config) -> Iterator[Problem]:
    for i, name in enumerate(config.only or ()):
        if name not in config.experiments:
            yield (
                ("only", i),
                f"{name!r} is not defined; experiments has {listed(config.experiments)}",
            )
    for name, experiment in config.experiments.items():
        at = ("experiments", name)
        if is_reserved(name, KINDS):
            yield at, f"{name!r} is a target of Snakemake: choose another name"
        for i, optimizer in enumerate(experiment.optimizers):
            key = (*at, "optimizers", i)
            if optimizer not in config.optimizers:
                known = listed(config.optimizers)
                yield key, f"{optimizer!r} is not defined; optimizers has {known}"
            elif (rule := config.optimizers[optimizer].rule) not in experiment.rules:
                trained = ", ".join(experiment.rules)
                yield key, f"{optimizer!r} has rule {rule}; kind {experiment.kind} trains {trained}"
        for key, text in experiment.problems(config.shared):
            yield (*at, *key), text


def _of_files(config: Config) -> Iterator[Problem]:
    root = config.shared.root
    paths = {("figures", "style"): config.figures.style, ("claims",): config.claims}
    # Neither a folder nor a device, which may have no end.
    missing = {key: path for key, path in paths.items() if not os.path.isfile(root / path)}
    for key, path in missing.items():
        yield key, f"{path!r}: no such file"
    if ("figures", "style") not in missing:
        try:
            (root / config.figures.style).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            yield ("figures", "style"), f"{config.figures.style!r}: cannot be read ({error})"
    if ("claims",) not in missing:
        yield from _of_claims(config)


def _of_claims(config: Config) -> Iterator[Problem]:
    try:
        claims = read_claims(config.shared.root / config.claims)
    except (OSError, ValueError) as error:
        yield ("claims",), " ".join(str(error).split())  # YAML's are of several lines
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
