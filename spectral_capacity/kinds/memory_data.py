"""What a user may supply to a linear memory: a table of counts, embeddings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from spectral_capacity.kinds.fields import Strict, count
from spectral_capacity.sampling.frequencies import (
    frequencies_digest,
    from_counts,
    read_counts,
    tail_exponent,
)


class OwnEmbeddings(Strict):
    """A NetCDF file with variables U and V, (item, component) or (seed, item, component)."""

    file: str
    """path"""


class Table(Strict):
    """A CSV file with a column ``count``: the items are its n_items most frequent rows."""

    file: str
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

    def _read(self, root: Path, n_items: int) -> tuple[str, float]:
        path = (root / self.file).resolve()
        return _read_table(path, path.stat().st_mtime_ns, n_items, self.tail_from)


@cache
def _read_table(path: Path, mtime_ns: int, n_items: int, first_rank: int) -> tuple[str, float]:
    p = from_counts(read_counts(path), n_items)
    return frequencies_digest(p), round(tail_exponent(p, first_rank), 3)
