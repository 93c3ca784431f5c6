"""How often each item is seen: a power law, or a table of counts (no JAX, so that checks are quick)."""

from __future__ import annotations

import hashlib
import os

import numpy as np
from jaxtyping import Float, Int64, Real

from spectral_capacity.sampling.csv_rows import counted, csv_rows

FIT_POINTS = 1000  # of ``tail_exponent``, evenly spaced in log rank


def item_frequencies(
    n_items: int,
    alpha: float,
    table: str | os.PathLike | None = None,
    digest: str | None = None,
) -> Float[np.ndarray, " n"]:
    """p of items 1 … n_items, descending and summing to 1: ``power_law``, or from ``table``.

    table: CSV file as in ``read_counts``; alpha then plays no part. digest: the
    :func:`frequencies_digest` that its p must have, None for any. Raises what ``read_counts`` and
    ``from_counts`` raise, and ValueError for another digest; the table is named.
    """
    if table is None:
        return power_law(n_items, alpha)
    counts = read_counts(table)
    try:
        p = from_counts(counts, n_items)
    except ValueError as error:
        raise ValueError(f"{table}: {error}") from None
    if digest is not None and digest != frequencies_digest(p):
        raise ValueError(f"{table}: its counts have changed since this run began; run again")
    return p


def frequencies_digest(p: Float[np.ndarray, " n"]) -> str:
    """What a table is known by, whatever its path, time, words or rows below."""
    return hashlib.sha256(p.tobytes()).hexdigest()


def item_rows(
    n_items: int, table: str | os.PathLike | None, digest: str | None
) -> Int64[np.ndarray, " n"] | None:
    """Rows of a table that are items 1 … n_items, as in ``most_frequent``; None without a digest.

    They pair the items with what a user has for each row, such as embeddings. digest: the
    :func:`rows_digest` that they must have. Raises what ``read_table`` raises, and ValueError for another.
    """
    if digest is None:
        return None
    rows = most_frequent(read_table(table)[0], n_items)
    if digest != rows_digest(rows):
        raise ValueError(
            f"{table}: the order of its rows has changed since this run began; run again"
        )
    return rows


def rows_digest(rows: Int64[np.ndarray, " n"]) -> str:
    """What an order of rows is known by."""
    return hashlib.sha256(rows.tobytes()).hexdigest()


def most_frequent(counts: Float[np.ndarray, " m"], n_items: int) -> Int64[np.ndarray, " n"]:
    """Rows of the n_items largest counts, the largest first; equal counts in the order of rows."""
    return np.argsort(-counts, kind="stable")[:n_items].astype(np.int64)


def power_law(n_items: int, alpha: float) -> Float[np.ndarray, " n"]:
    """p_i = i^(-alpha) / Z for i = 1 … n_items, float64, summing to 1; alpha = 0 is uniform."""
    weights = np.arange(1, n_items + 1, dtype=np.float64) ** -alpha
    return weights / weights.sum()


def from_counts(counts: Real[np.ndarray, " m"], n_items: int) -> Float[np.ndarray, " n"]:
    """p of the n_items largest counts, float64, descending, summing to 1; the others are left out.

    counts: positive, in any order. Equal counts have equal p. Raises ValueError when there are
    fewer than n_items.
    """
    if not 1 <= n_items <= counts.size:
        raise ValueError(
            f"n_items is {n_items}; there are {counts.size} counts, so 1 to {counts.size} is allowed"
        )
    largest = np.sort(counts.astype(np.float64))[::-1][:n_items]
    weights = largest / largest[0]
    return weights / weights.sum()


def read_counts(path: str | os.PathLike) -> Float[np.ndarray, " m"]:
    """The column ``count`` of a table (``read_table``), float64, descending; equal counts stay."""
    return np.sort(read_table(path)[0])[::-1]


def read_table(path: str | os.PathLike) -> tuple[Float[np.ndarray, " m"], list[str] | None]:
    """The columns ``count``, float64, and ``item``, text, of a CSV file, row by row.

    The second is None where there is no such column, or more than one.

    UTF-8, comma-separated, quoted as usual. Blank lines are skipped, and so are lines that start with
    ``#`` above the header; below it they are rows. Other columns are ignored, so a name that is there
    twice is two items. Counts are positive and finite, and need not be whole.

    Raises OSError when the file cannot be read, and ValueError, naming the file and the line, when
    it is no such table.
    """
    counts, items = [], []
    with csv_rows(path) as (header, rows):
        if header.count("count") != 1:
            raise ValueError(f"the header is {header}; it needs one column named 'count'")
        column = header.index("count")
        named = header.index("item") if header.count("item") == 1 else None
        for count, row in counted(rows, column):
            counts.append(count)
            if named is not None:
                items.append(row[named])
    if not counts:
        raise ValueError(f"{path}: no rows below the header; at least one count is needed")
    return np.array(counts, dtype=np.float64), None if named is None else items


def tail_exponent(p: Float[np.ndarray, " n"], first_rank: int) -> float:
    """The alpha of p_i ∝ i^(-alpha) that fits best from item first_rank to the last.

    Least squares of log p on log rank at 1000 points evenly spaced in log rank (between two ranks
    log p is interpolated linearly in log rank), so that each decade of ranks counts the same, not
    each item. p: positive, item 1 first; a constant factor makes no difference.

    For ``power_law`` this is alpha to rounding. A real table is no exact power law: its local
    exponent drifts with the rank, the result is the mean of it over the range, weighted to the
    middle, and there is no error bar that would mean anything.

    Raises ValueError unless 1 <= first_rank < n and all of p from there on are positive and finite.
    """
    if not 1 <= first_rank < p.size:
        raise ValueError(
            f"first_rank is {first_rank}; there are {p.size} items, and a slope needs two, so "
            f"1 to {p.size - 1} is allowed"
        )
    tail = p[first_rank - 1 :].astype(np.float64)
    wrong = np.flatnonzero(~(np.isfinite(tail) & (tail > 0)))
    if wrong.size:
        i = wrong[0].item()
        raise ValueError(f"p of item {first_rank + i} is {tail[i]}; must be positive and finite")
    # From the first point on, and both centred, so that a short range loses no digits.
    log_ranks = np.log1p(np.arange(tail.size) / first_rank)
    x = np.linspace(0, log_ranks[-1], FIT_POINTS)
    y = np.interp(x, log_ranks, np.log(tail / tail[0]))
    x -= x.mean()
    return (x @ (y.mean() - y) / (x @ x)).item()
