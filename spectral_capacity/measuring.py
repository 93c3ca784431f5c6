"""The pipeline as two functions, without Snakemake: ``from spectral_capacity import fit, measure``.

Settings, messages, seeds and numbers are those of the pipeline. What it adds is left out here: jobs side by
side, checkpoints, and files that are made again only when they must be.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, SupportsIndex

import numpy as np
import xarray as xr
from annotated_types import MinLen
from pydantic import ValidationError, create_model

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.backend import describe
from spectral_capacity.config.messages import ConfigError, describe_all, key_path
from spectral_capacity.config.model import Config, Fits
from spectral_capacity.kinds import optimizers as kinds_optimizers
from spectral_capacity.kinds import python_optimizers
from spectral_capacity.kinds.experiment import Problem, Shared
from spectral_capacity.kinds.fields import Name, Strict
from spectral_capacity.kinds.memory import MemoryExperiment
from spectral_capacity.kinds.memory_cell import MemoryCell
from spectral_capacity.kinds.python_optimizers import Optimizer, SpectralMap, Transformation
from spectral_capacity.optimizers import own_map
from spectral_capacity.results.grids import assemble, read_points, write_table
from spectral_capacity.results.provenance import record
from spectral_capacity.results.reading import open_grid
from spectral_capacity.results.swept_rates import at_chosen_rates
from spectral_capacity.sampling.embeddings import generate_embeddings
from spectral_capacity.training.cell import embeddings_of, train_cell, write_cell

NAME = "measured"
"""Of the experiment, in provenance."""

DEFAULTS = {"n_items": 10_000}
AXES = ("d", "alpha", "kappa", "batch_size")
"""Keys of which a single value may stand for a list."""


def measure(
    optimizers: Mapping[str, Optimizer] | Transformation,
    *,
    seed: SupportsIndex = 0,
    report: Callable[[str], None] = lambda line: None,
    **experiment: Any,
) -> xr.Dataset:
    """Train linear memories and count what they recall: the grid that ``results/grids/*.nc`` holds.

    optimizers: an optax transformation, as ``optax.contrib.muon(0.02)``; or several by name, each a
    transformation, as in the configuration (``{"rule": "spectral", "map": {"name": "polar"}}``), or a spectral
    map of your own, a function ``(gradient, context) -> direction`` (docs/own_map.md has its contract);
    ``{"rule": "spectral", "map": function, "learning_rate": {…}}`` is one with a learning rate, and so is
    ``{"rule": transformation, "learning_rate": {…}}``, whose updates it multiplies. experiment: the keys of an
    experiment of kind ``memory`` (config/README.md): ``n_items`` (10,000), ``d``, ``alpha``, ``batch_size``,
    ``steps``, ``seeds``, …, with their defaults. A single value may stand for a list, which may be a tuple or
    an array, and a batch size ``inf`` for the population, as in the grid. Paths are relative to the working
    directory. seed: root of every random stream. report: is told of each seed of each cell.

    With a sweep of learning rates the grid has all of them along ``learning_rate_factor``;
    :func:`results.swept_rates.at_chosen_rates` is what tuning seeds choose of it.

    The counts are those of the pipeline, to the last bit where JAX and NumPy have as many threads as a job
    of it has (one). Everything is in this process and in memory: for hours of work use the pipeline.

    Raises TypeError when optimizers have no names, ConfigError with a line for each setting that cannot be
    used, and what training raises, with notes that say where.
    """
    definitions, of_python = python_optimizers.split(optimizers)
    model = create_model(
        "Measurement",
        __base__=Strict,
        seed=(Config.model_fields["seed"].rebuild_annotation(), ...),
        optimizers=(Annotated[dict[Name, _optimizer_model()], MinLen(1)], ...),
    )
    common = _valid(model, {"seed": seed, "optimizers": definitions})
    given = DEFAULTS | _axes(experiment) | {"optimizers": [*definitions]}
    memory = _valid(MemoryExperiment, given)
    shared = Shared(common.seed, memory.seeds, "keys", common.optimizers, Fits().model_dump())
    of_files = {name: o for name, o in common.optimizers.items() if name not in of_python}
    _refuse(
        [
            *memory.problems(shared),
            *kinds_optimizers.problems(of_files, shared.root),
            *python_optimizers.problems(of_python),
        ]
    )
    own_map.load.cache_clear()  # files may have changed since the last call

    with TemporaryDirectory() as folder:
        made_with = record({}, describe())
        cells = []
        for cell in memory.cells(NAME, shared):
            path = Path(folder, f"{cell.name}.nc")
            say = partial(_say, report, cell.name)
            try:
                _train(path, cell, of_python.get(cell.optimizer), made_with, say)
            except Exception as error:
                error.add_note(cell.name)
                raise
            cells.append(path)
        table, grid = Path(folder, "table.nc"), Path(folder, "grid.nc")
        settings = memory.grid_settings(NAME, shared)
        write_table(table, [*map(read_points, cells)])
        assemble(grid, [table], settings["coordinates"], record(settings), memory.title)
        return open_grid(grid)


def fit(grid: xr.Dataset, **fits: Any) -> xr.Dataset:
    """Exponents of a grid, of :func:`measure` or of ``results/grids/``: what ``results/fits/*.nc`` holds.

    grid: also a selection of one (``grid.sel(alpha=1.5)``, ``grid.squeeze()``); of steps, the first ones.
    fits: the keys of the configuration's section ``fits`` (``largest``, ``bootstrap``, ``confidence``), with
    their defaults. All else is read off the grid's provenance. A table of counts, and
    embeddings of your own, must still be where they were.

    Raises ConfigError for settings that cannot be used, and ValueError when the grid does not say where it
    comes from, is of another kind than ``memory``, lacks a coordinate, or its table has changed.
    """
    made = json.loads(grid.attrs.get("provenance", "{}")).get("configuration", {})
    if made.get("kind") != "memory":
        raise ValueError(
            "this is no grid of measure, or of an experiment of kind memory: it has no provenance that says so"
        )
    memory = MemoryExperiment.model_validate(
        {key: made[key] for key in MemoryExperiment.model_fields if key in made}
    )
    optimizers = create_model("Optimizers", optimizers=(dict[Name, _optimizer_model()], ...))
    models = optimizers.model_validate({"optimizers": made["definitions"]}).optimizers
    settings = _valid(Fits, fits).model_dump()
    shared = Shared(made["seed"], memory.seeds, made["store"], models, settings)
    grid, settings = _whole(at_chosen_rates(grid)), memory.fit_settings(made["experiment"], shared)
    table = settings["frequencies"]
    if table and table["sha256"] != made.get("counts_sha256"):
        raise ValueError(
            f"{table['file']}: has changed since the grid was measured, or the grid is older than the digest "
            "that says so; put the table back, or measure again"
        )
    return fit_exponents(grid, settings)


def _whole(grid: xr.Dataset) -> xr.Dataset:
    """The grid with all its dimensions, also those that a selection of one value has dropped."""
    dimensions = MemoryExperiment.schema.dimensions
    for dim in dimensions:
        if dim not in grid.coords:
            raise ValueError(
                f"the grid has no coordinate {dim!r}: keep it in selections, as in grid.sel({dim}=[…]) or "
                "grid.squeeze()"
            )
    steps = np.atleast_1d(grid.step)
    if steps.tolist() != [*range(1, steps.size + 1)]:
        raise ValueError(
            f"the grid has the steps {steps.tolist()}; a fit needs all from the first on, as in "
            "grid.sel(step=slice(10))"
        )
    lost = [dim for dim in dimensions if dim not in grid.dims]
    return grid.expand_dims(lost).transpose(*dimensions)


def _optimizer_model() -> Any:
    return kinds_optimizers.optimizer_model(tuple(MemoryExperiment.rules.items()))


def _axes(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment with lists, and batch sizes as the configuration writes them; a grid has floats."""
    given = _plain(experiment)
    for axis in AXES:
        if isinstance(given.get(axis), int | float | str):
            given[axis] = [given[axis]]
    sizes = given.get("batch_size")
    if isinstance(sizes, list):
        given["batch_size"] = [_batch_size(size) for size in sizes]
    return given


def _batch_size(size: Any) -> Any:
    if isinstance(size, float) and size == math.inf:
        return "population"
    return int(size) if isinstance(size, float) and size.is_integer() else size


def _plain(value: Any) -> Any:
    """What YAML has, of what Python has beside it: tuples, arrays and their numbers, paths."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return np.asarray(value).tolist() if hasattr(value, "__array__") else value


def _valid(model: Any, given: Mapping[str, Any]) -> Any:
    given = _plain(given)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ConfigError(describe_all(error.errors(), given, model)) from None


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise ConfigError([f"{key_path(key)}: {text}" for key, text in problems])


def _say(report: Callable[[str], None], where: str, line: str) -> None:
    report(f"{where}: {line}")


def _train(
    path: Path,
    cell: MemoryCell,
    of_python: SpectralMap | Transformation | None,
    made_with: Mapping[str, Any],
    report: Callable[[str], None],
) -> None:
    """Train a cell and write it, as its script does."""
    settings = cell.settings()
    optimizer = python_optimizers.trained_with(settings["optimizer"], of_python, cell.optimizer)
    how = settings | {"optimizer": optimizer}
    table = cell.experiment.frequencies and cell.experiment.frequencies.file
    load = embeddings_of(settings, _embeddings(path.parent, cell), table)
    results = train_cell(how, load, report, table=table)
    write_cell(path, settings, results, {**made_with, "configuration": settings})


def _embeddings(folder: Path, cell: MemoryCell) -> str | Path:
    """The file of a cell's embeddings, the user's or one that is drawn here."""
    for own in cell.files():
        return own
    (drawn,) = cell.draws()
    path = folder / "embeddings" / f"{drawn.name}.nc"
    if not path.exists():
        generate_embeddings(path, **drawn.settings(cell.shared))
    return path
