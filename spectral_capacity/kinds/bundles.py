"""Bundles: cells that one job trains in one process. To start Python and JAX takes longer than a small cell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from spectral_capacity.kinds.experiment import Cell, EmbeddingsFile
from spectral_capacity.kinds.rates import NOMINAL

START_UP = 3.0
"""Seconds, generously, until a job trains: the interpreter, JAX, and compilation where nothing is cached."""

AROUND = 400e6
"""Bytes beside a cell's: of the process that watches, and on a cluster of the Snakemake that started it."""


@dataclass(frozen=True)
class Bundle:
    """Cells of one experiment, in the order of its lists, that one job trains and one manifest lists."""

    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """Path below ``bundles/{experiment}/``, without suffix: the name of its first cell."""
        return self.cells[0].name

    @property
    def seconds(self) -> float:
        """Time on a core of nominal speed, of a run that may stop early its longest."""
        return START_UP + sum(cell.cost().seconds(NOMINAL) for cell in self.cells)

    @property
    def bytes(self) -> float:
        """Memory at its peak, which is that of the largest cell."""
        return max(cell.cost().bytes for cell in self.cells)

    def megabytes(self, attempt: int = 1) -> int:
        """Memory to ask for: a quarter more than is expected, and as much again with every attempt."""
        return attempt * math.ceil((1.25 * self.bytes + AROUND) / 1e6)

    def minutes(self, attempt: int = 1) -> int:
        """Time to ask for: three times what is expected, as cores differ, ten minutes for a node whose file
        system is cold, and as much again with every attempt."""
        return attempt * math.ceil(3 * self.seconds / 60 + 10)

    def draws(self) -> list[EmbeddingsFile]:
        """Generated embeddings that its cells read."""
        return [*dict.fromkeys(file for cell in self.cells for file in cell.draws())]

    def files(self) -> list[str]:
        """The user's files that its cells read."""
        return [*dict.fromkeys(path for cell in self.cells for path in cell.files())]


def cut(cells: Iterable[Cell], seconds: float) -> list[Bundle]:
    """Bundles of cells that take about ``seconds`` together; a cell that takes longer is one of its own.

    Cells that learn from the same embeddings stand together, and an end of these is where a bundle that is
    half full is cut, so that a new d or block of seeds leaves the other bundles as they are. Times are those
    of :data:`kinds.rates.NOMINAL`: every machine cuts alike.
    """
    groups: dict[tuple, list[Cell]] = {}
    for cell in cells:
        data = (*(file.name for file in cell.draws()), *cell.files())
        groups.setdefault(data, []).append(cell)
    bundles: list[list[Cell]] = []
    filled = float("inf")
    for group in groups.values():
        if filled > seconds / 2:
            filled = float("inf")
        for cell in group:
            takes = cell.cost().seconds(NOMINAL)
            if filled + takes > seconds:
                bundles.append([])
                filled = 0.0
            bundles[-1].append(cell)
            filled += takes
    return [Bundle(tuple(bundle)) for bundle in bundles]
