"""Pieces of one size, the last filled up with zeros: a compiled program per size, not per length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Shaped


def padded(values: Shaped[np.ndarray, "m ..."], size: int) -> Shaped[np.ndarray, "size ..."]:
    """``values`` with zeros after them, ``size`` rows in all."""
    filled = np.zeros((size, *values.shape[1:]), values.dtype)
    filled[: len(values)] = values
    return filled


def chunks(
    values: Shaped[np.ndarray, "m ..."], size: int
) -> Iterator[tuple[slice, Shaped[np.ndarray, "size ..."]]]:
    """``values`` in pieces of ``size`` rows, with the place of each; the last is padded."""
    for start in range(0, len(values), size):
        place = slice(start, min(start + size, len(values)))
        yield place, padded(values[place], size)
