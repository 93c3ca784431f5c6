"""Which token follows which: a table of counted pairs (no JAX, so that checks are quick)."""

from __future__ import annotations

import hashlib
import os

import numpy as np
from jaxtyping import Float

from spectral_capacity.sampling.csv_rows import counted, csv_rows

COLUMNS = ("previous", "next", "count")


def read_bigrams(path: str | os.PathLike) -> tuple[list[str], Float[np.ndarray, "v v"]]:
    """Tokens, in the order in which the column ``previous`` first has them, and the probability of each
    (column) after each (row), float64, rows summing to 1.

    CSV in UTF-8, comma-separated, with the columns ``previous``, ``next`` and ``count``, a row for each pair
    that there is; others are ignored. Tokens are any text. Counts are positive and finite; a pair that is
    there twice is an error. Blank lines are skipped, and lines that start with ``#`` above the header.

    Raises OSError when the file cannot be read, and ValueError, naming the file and the line, when it is no
    such table, or when after some token nothing comes.
    """
    counts: dict[tuple[str, str], float] = {}
    with csv_rows(path) as (header, rows):
        if any(header.count(name) != 1 for name in COLUMNS):
            raise ValueError(f"the header is {header}; it needs the columns {', '.join(COLUMNS)}")
        first, second, column = map(header.index, COLUMNS)
        for count, row in counted(rows, column):
            before, after = row[first], row[second]
            if (before, after) in counts:
                raise ValueError(f"the pair {before!r}, {after!r} is there twice")
            counts[before, after] = count
    tokens = [*dict.fromkeys(before for before, _ in counts)]
    if not tokens:
        raise ValueError(f"{path}: no rows below the header; at least one pair is needed")
    number = {token: i for i, token in enumerate(tokens)}
    table = np.zeros((len(tokens), len(tokens)))
    for (before, after), count in counts.items():
        if after not in number:
            raise ValueError(
                f"{path}: nothing comes after {after!r}; every token needs a row as previous"
            )
        table[number[before], number[after]] = count
    table /= table.max(axis=1, keepdims=True)
    return tokens, table / table.sum(axis=1, keepdims=True)


def bigrams_digest(p: Float[np.ndarray, "v v"]) -> str:
    """What a table is known by, whatever its path, time and the names of its tokens."""
    return hashlib.sha256(p.tobytes()).hexdigest()


def known_bigrams(path: str | os.PathLike, digest: str) -> Float[np.ndarray, "v v"]:
    """The probabilities of :func:`read_bigrams`, with this :func:`bigrams_digest`; ValueError for another."""
    p = read_bigrams(path)[1]
    if bigrams_digest(p) != digest:
        raise ValueError(f"{path}: its counts have changed since this run began; run again")
    return p
