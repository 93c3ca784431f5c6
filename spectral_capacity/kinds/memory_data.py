"""What a user may supply to a linear memory: a table of counts, embeddings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from spectral_capacity.kinds.fields import FilePath, Strict, count
from spectral_capacity.sampling.frequencies import (
    frequencies_digest,
    from_counts,
    most_frequent,
    read_counts,
    read_table,
    rows_digest,
    tail_exponent,
)
from spectral_capacity.sampling.surrogates import Draw


class OwnEmbeddings(Strict):
    """A NetCDF file with variables U and V, (item, component) or (seed, item, component)."""

    file: FilePath
    """path; `{d}` in it stands for each d of the experiment, a file each"""
    draw: Draw = "rows"
    """`rows`: item i has the rows i. Or, each seed anew, what has only some of their properties. `pairs`: item
    i has the output of another item about as frequent. `shuffled`: rows in any order, so that none goes with
    the frequency. `gaussian`: Gaussian draws with their mean and covariance"""

    @property
    def one_per_d(self) -> bool:
        """Whether each d has a file of its own."""
        return "{d}" in self.file

    def path(self, d: int) -> str:
        """The file of this d."""
        return self.file.replace("{d}", str(d))


class Table(Strict):
    """A CSV file with a column ``count``: the items are its n_items most frequent rows."""

    file: FilePath
    """path"""
    tail_from: count() = 100
    """rank from which on the tail's exponent is fitted"""

    def digest(self, root: Path, n_items: int) -> str:
        """Digest of the counts that are used.

        A touched file, another comment or word, more rows below or another path rerun nothing.
        """
        return self._read(root, n_items)[0]

    def tail(self, root: Path, n_items: int) -> float:
        """Exponent of the tail, to three decimals."""
        return self._read(root, n_items)[1]

    def rows_digest(self, root: Path, n_items: int) -> str:
        """Digest of which rows are used, and in which order."""
        path = (root / self.file).resolve()
        return _digest_of_rows(path, path.stat().st_mtime_ns, n_items)

    def _read(self, root: Path, n_items: int) -> tuple[str, float]:
        path = (root / self.file).resolve()
        return _read_table(path, path.stat().st_mtime_ns, n_items, self.tail_from)


@cache
def _read_table(path: Path, mtime_ns: int, n_items: int, first_rank: int) -> tuple[str, float]:
    p = from_counts(read_counts(path), n_items)
    return frequencies_digest(p), round(tail_exponent(p, first_rank), 3)


@cache
def _digest_of_rows(path: Path, mtime_ns: int, n_items: int) -> str:
    return rows_digest(most_frequent(read_table(path)[0], n_items))
