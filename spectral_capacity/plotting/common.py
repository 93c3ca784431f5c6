"""What all figures share: style, colours, labels, files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from spectral_capacity.artefacts import atomic_path

LABELS = {"gd": "GD", "muon": "Muon"}
MARKERS = "osD^vP*X"
COLUMN, PAGE = 3.4, 7.0
"""Widths in inches: one column, and the page."""


@contextmanager
def style(path: str | os.PathLike) -> Iterator[None]:
    """Matplotlib's defaults with this style file on top, whatever the user's own defaults are."""
    with plt.style.context(["default", str(path)]):
        yield


def save(figure: Figure, paths: Iterable[str | os.PathLike]) -> None:
    """Write one figure in the formats of the paths' suffixes; equal figures give equal files."""
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}
    for path in map(Path, paths):
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], metadata=undated.get(path.suffix, {}))
    plt.close(figure)


def label(optimizer: str) -> str:
    """How an optimizer is called in a figure."""
    return LABELS.get(optimizer, optimizer.replace("_", " "))


def shades(n: int) -> list:
    """n colours in order, dark to light, told apart in grey and by colour-blind readers."""
    colours = matplotlib.colormaps["viridis"]
    return [colours(0.88 * i / max(n - 1, 1)) for i in range(n)]


def powers_of_two(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic d axis with a tick at each value, written as a number."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{v:g}" for v in values])
    axes.xaxis.set_minor_locator(LogLocator(base=2, subs=()))
    axes.xaxis.set_minor_formatter(NullFormatter())
