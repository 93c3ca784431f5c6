"""A kind of experiment: the class of its configuration, which answers for all that others ask of it.

The configuration, the rules, grids, the plan and the targets of Snakemake name no kind. They ask the class for
its needs and quantities, its instances for cells and coordinates, and a cell for its settings, files and cost.
A new kind is such a class and an entry in :data:`spectral_capacity.kinds.registry.KINDS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spectral_capacity.kinds.fields import Name, Strict, axis, count
from spectral_capacity.kinds.rates import Cost
from spectral_capacity.results.schema import Schema

Problem = tuple[tuple[str | int, ...], str]
"""Something wrong in the configuration: the key, below what was asked, and what is wrong with its value."""


@dataclass(frozen=True)
class Shared:
    """What experiments take from the rest of the configuration.

    seed: root of every random stream. seeds_per_job: most seeds of a cell. store: how generated embeddings
    are kept. optimizers: their models by name. fits: how exponents are fitted, plain. root: the folder that
    relative paths of input files refer to.
    """

    seed: int
    seeds_per_job: int
    store: str
    optimizers: Mapping[str, Any]
    fits: Mapping[str, Any]
    root: Path = Path()


@dataclass(frozen=True)
class EmbeddingsFile:
    """Draws of a block of seeds for one (N, d), shared by all that learn from them."""

    n_items: int
    d: int
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """Path below ``embeddings/``, without suffix."""
        return f"n{self.n_items}_d{self.d}_{seed_span(self.seeds)}"

    def bytes(self, store: str) -> int:
        """Bytes on disk of the draws; of their keys next to none."""
        return 8 * self.n_items * self.d * len(self.seeds) if store == "arrays" else 0

    def settings(self, shared: Shared) -> dict[str, Any]:
        """All that determines the file, plain and in a fixed order of keys."""
        return sorted_plain(
            {
                "n_items": self.n_items,
                "d": self.d,
                "seeds": list(self.seeds),
                "root_seed": shared.seed,
                "store": shared.store,
            }
        )


@dataclass(frozen=True)
class Need:
    """What a figure may ask of an experiment: a text that goes on after "must have", and a test."""

    text: str
    holds: Callable[[Any, Shared], bool]


@dataclass(frozen=True)
class JointNeed:
    """What a figure may ask of several experiments together: a text as of :class:`Need`, and what is wrong
    with ``{role: (name, experiment)}``."""

    text: str
    problems: Callable[[Mapping[str, tuple[str, Any]]], Iterator[Problem]]


class Cell(ABC):
    """What one job trains and one file holds."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Path below ``cells/{experiment}/``, without suffix; floats in full precision."""

    @property
    @abstractmethod
    def description(self) -> str:
        """Its size in words, the same for cells that take about as long."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """All that determines the result, plain and in a fixed order of keys; no code and no path."""

    @abstractmethod
    def cost(self) -> Cost:
        """What it takes."""

    @property
    def may_end_early(self) -> bool:
        """Whether its cost is a bound only."""
        return False

    def draws(self) -> list[EmbeddingsFile]:
        """Generated embeddings that it reads."""
        return []

    def files(self) -> list[str]:
        """The user's files that it reads; a change of one trains it anew."""
        return []

    def own_code(self) -> str | None:
        """The user's Python file that it runs, None where there is none."""
        return None


class Experiment(Strict, ABC):
    """What experiments of every kind have."""

    kind: str
    """what is trained"""
    optimizers: axis(Name)
    """names from `optimizers`"""
    seeds: count(most=10_000) = 4
    """draws of the embeddings, 0 … seeds − 1"""

    script: ClassVar[str]
    """Path of the script that trains a cell, from the root of the repository. Its stem names rule and log."""
    title: ClassVar[str]
    """Of its grids."""
    figures: ClassVar[str] = "spectral_capacity.figures"
    """The package with the modules of its figures."""
    schema: ClassVar[Schema]
    """Dimensions and variables of its cells and grids."""
    rules: ClassVar[Mapping[str, Callable]]
    """Update rules that it trains, by name. Their signatures are configuration."""
    needs: ClassVar[Mapping[str, Need]] = {}
    """What its figures may ask of one experiment."""
    joint_needs: ClassVar[Mapping[str, JointNeed]] = {}
    """What its figures may ask of several experiments together."""
    quantities: ClassVar[frozenset[str]] = frozenset()
    """What claims may name. Empty: there are none about this kind."""

    def problems(self, shared: Shared) -> Iterator[Problem]:
        """What is wrong with it that no single key shows."""
        yield from ()

    @abstractmethod
    def cells(self, name: str, shared: Shared) -> Iterator[Cell]:
        """The cells of the experiment of this name, in the order of its lists."""

    @abstractmethod
    def coordinates(self, shared: Shared) -> dict[str, list]:
        """Coordinates of its grid, in the order of the schema, as the configuration writes them."""

    def grid_settings(self, name: str, shared: Shared) -> dict[str, Any]:
        """What a grid's provenance says of the experiment, plain and in a fixed order of keys."""
        return sorted_plain(
            {
                **self.model_dump(),
                "experiment": name,
                "seed": shared.seed,
                "store": shared.store,
                "definitions": {o: shared.optimizers[o].model_dump() for o in self.optimizers},
                "coordinates": self.coordinates(shared),
            }
        )

    def fit_settings(self, name: str, shared: Shared) -> dict[str, Any] | None:
        """All that its fits depend on beside the grid, plain and in a fixed order; None: it has no fits.

        Those of :class:`analysis.settings.FitSettings`: fits are of capacity against d, α, κ and B.
        """
        return None


def seed_blocks(seeds: int, per_job: int) -> list[tuple[int, ...]]:
    """0 … seeds − 1 in blocks; more seeds only add blocks, as long as the last one was full."""
    return [tuple(range(first, min(first + per_job, seeds))) for first in range(0, seeds, per_job)]


def seed_span(seeds: tuple[int, ...]) -> str:
    """A block of seeds in a file's name."""
    return f"seeds{seeds[0]}-{seeds[-1]}"


def sorted_plain(value: Any) -> Any:
    """``value`` with the keys of its dictionaries in order, as Snakemake compares their text."""
    if isinstance(value, dict):
        return {key: sorted_plain(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [sorted_plain(item) for item in value]
    return value
