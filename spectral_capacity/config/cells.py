"""From an experiment to its cells, and the names of their files."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from spectral_capacity.config.models import Config, MemoryExperiment
from spectral_capacity.sampling.frequencies import from_counts, read_counts, tail_exponent


@dataclass(frozen=True)
class EmbeddingsFile:
    """Draws of a block of seeds for one (N, d), shared by all that learn from them."""

    n_items: int
    d: int
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """Path below ``embeddings/``, without suffix."""
        return f"n{self.n_items}_d{self.d}_{_span(self.seeds)}"


@dataclass(frozen=True)
class Cell:
    """One optimizer × α × κ × d × block of seeds; batch sizes, seeds and steps are inside."""

    experiment: str
    optimizer: str
    alpha: float
    kappa: float
    d: int
    n_items: int
    seeds: tuple[int, ...]
    batch_sizes: tuple[float, ...]

    @property
    def name(self) -> str:
        """Path below ``cells/{experiment}/``, without suffix; floats in full precision."""
        where = f"alpha{self.alpha!r}_kappa{self.kappa!r}_d{self.d}"
        return f"{self.optimizer}_{where}_{_span(self.seeds)}"

    @property
    def embeddings(self) -> EmbeddingsFile:
        return EmbeddingsFile(self.n_items, self.d, self.seeds)

    def settings(self, config: Config) -> dict[str, Any]:
        """All that determines the cell's result, plain and in a fixed order of keys.

        Code is not here, neither the package's nor that of a user's own map.
        """
        experiment = config.experiments[self.experiment]
        return sorted_plain(
            {
                "root_seed": config.seed,
                "frequencies": frequencies(experiment),
                "loss_factors": experiment.loss and sorted(experiment.loss.learning_rate_factors),
                "steps": experiment.steps,
                "early_stop": experiment.early_stop and experiment.early_stop.model_dump(),
                "gradient": experiment.gradient,
                "name": self.optimizer,
                "optimizer": config.optimizers[self.optimizer].model_dump(),
                "alpha": self.alpha,
                "kappa": self.kappa,
                "d": self.d,
                "n_items": self.n_items,
                "seeds": list(self.seeds),
                "batch_sizes": list(self.batch_sizes),
            }
        )


def cells(config: Config, experiment: str) -> list[Cell]:
    """The cells of an experiment, in the order of its lists."""
    e = config.experiments[experiment]
    batch_sizes = tuple(_batch_sizes(e.batch_size))
    return [
        Cell(experiment, optimizer, alpha, kappa, d, e.n_items, seeds, batch_sizes)
        for optimizer in e.optimizers
        for alpha in alphas(e)
        for kappa in e.kappa
        for d in e.d
        for seeds in seed_blocks(e.seeds, config.seeds_per_job)
    ]


def embeddings_files(config: Config) -> dict[str, EmbeddingsFile]:
    """Every file of generated embeddings that some cell reads, by name."""
    files = (
        cell.embeddings
        for name, experiment in config.experiments.items()
        if experiment.embeddings is None
        for cell in cells(config, name)
    )
    return {file.name: file for file in files}


def coordinates(config: Config, experiment: str) -> dict[str, list]:
    """Coordinates of the experiment's grid, as the configuration writes them."""
    e = config.experiments[experiment]
    return {
        "optimizer": list(e.optimizers),
        "alpha": alphas(e),
        "kappa": list(e.kappa),
        "d": list(e.d),
        "batch_size": _batch_sizes(e.batch_size),
        "seed": list(range(e.seeds)),
        "step": list(range(1, e.steps + 1)),
    }


def alphas(experiment: MemoryExperiment) -> list[float]:
    """The exponents of an experiment; for a table of counts the exponent of its tail, three decimals.

    The table's is a coordinate like any other from here on: cells and grid take it from here.
    """
    table = experiment.frequencies
    return [_table(experiment)[1]] if table else list(experiment.alpha)


def frequencies(experiment: MemoryExperiment) -> dict[str, str] | None:
    """File and digest of the table of counts; None for the power law.

    The digest is of the counts that are used: a touched file, another comment or word, or more rows
    below rerun nothing.
    """
    if experiment.frequencies is None:
        return None
    return {"file": experiment.frequencies.file, "sha256": _table(experiment)[0]}


def _table(experiment: MemoryExperiment) -> tuple[str, float]:
    table = experiment.frequencies
    path = Path(table.file).resolve()
    return _read_table(path, path.stat().st_mtime_ns, experiment.n_items, table.tail_from)


@cache
def _read_table(path: Path, mtime_ns: int, n_items: int, first_rank: int) -> tuple[str, float]:
    p = from_counts(read_counts(path), n_items)
    return hashlib.sha256(p.tobytes()).hexdigest(), round(tail_exponent(p, first_rank), 3)


def shown(config: Config, figure: str) -> dict[str, str]:
    """The experiments that a figure shows, each with the key that names it; none for a figure left out."""
    names = getattr(config.figures, figure)
    key = f"figures.{figure}"
    if names is None:
        return {}
    if isinstance(names, str):
        return {key: names}
    return {f"{key}.{role}": name for role, name in names.model_dump().items()}


def theory_of(optimizer: Any) -> Literal["muon", "gradient", "newton", "none"]:
    """Which theory speaks of a configured optimizer's one-step capacity."""
    if optimizer.rule in ("gradient", "newton"):
        return optimizer.rule
    maps = {"polar": "muon", "identity": "gradient"}
    return maps.get(optimizer.map.name, "none") if optimizer.rule == "spectral" else "none"


def numeric_options(optimizer: Any) -> dict[str, float]:
    """The numbers among an optimizer's options, those of its map included: what a sweep varies."""
    options = optimizer.model_dump(exclude={"learning_rate"})
    options |= options.pop("map", None) or {}
    options |= options.pop("options", None) or {}
    return {
        key: float(value)
        for key, value in options.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def own_code(optimizer: Any) -> str | None:
    """The Python file of a user's own map, None for a map of the package."""
    spectral_map = getattr(optimizer, "map", None)
    return spectral_map.file if spectral_map is not None and spectral_map.name == "own" else None


def seed_blocks(seeds: int, per_job: int) -> list[tuple[int, ...]]:
    """0 … seeds − 1 in blocks; more seeds only add blocks, as long as the last one was full."""
    return [tuple(range(first, min(first + per_job, seeds))) for first in range(0, seeds, per_job)]


def sorted_plain(value: Any) -> Any:
    """``value`` with the keys of its dictionaries in order, as Snakemake compares their text."""
    if isinstance(value, dict):
        return {key: sorted_plain(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [sorted_plain(item) for item in value]
    return value


def _batch_sizes(values: Sequence[int | str]) -> list[float]:
    return [math.inf if value == "population" else float(value) for value in values]


def _span(seeds: Sequence[int]) -> str:
    return f"seeds{seeds[0]}-{seeds[-1]}"
