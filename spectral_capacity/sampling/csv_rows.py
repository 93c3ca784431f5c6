"""Rows of a user's CSV file, and what is wrong with one, told with the file and the line."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def csv_rows(path: str | os.PathLike) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """The header of a file, and its rows, each with as many fields.

    UTF-8, comma-separated, quoted as usual. Blank lines are skipped, and so are lines that start with ``#``
    above the header; below it they are rows.

    Raises OSError when the file cannot be read. A ValueError of the block, or of a row, becomes one that names
    the file and the line.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = list(file)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text ({error})") from None
    above = 0
    while above < len(lines) and (lines[above].startswith("#") or not lines[above].strip()):
        above += 1
    rows = csv.reader(lines[above:], strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        yield header, _of_width(rows, header)
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path}, line {above + max(rows.line_num, 1)}: {error}") from None


def _of_width(rows: Iterator[list[str]], header: list[str]) -> Iterator[list[str]]:
    for row in filter(None, rows):
        if len(row) != len(header):
            raise ValueError(
                f"{len(row)} fields, {row}; the header has {len(header)} (a comma inside a field "
                "needs quotes around the field)"
            )
        yield row


def counted(rows: Iterator[list[str]], column: int) -> Iterator[tuple[float, list[str]]]:
    """Each row with the count in its column; a ValueError where that is not positive and finite."""
    for row in rows:
        text = row[column]
        try:
            count = float(text)
        except ValueError:
            raise ValueError(
                f"count is {text!r}, not a number; must be positive and finite"
            ) from None
        if not (math.isfinite(count) and count > 0):
            raise ValueError(f"count is {text!r}; must be positive and finite")
        yield count, row
