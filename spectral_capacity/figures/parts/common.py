"""What all figures share: style, files, colours, what is written, and what a grid says of itself."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spectral_capacity.figures.parts import looks
from spectral_capacity.results.files import atomic_path
from spectral_capacity.results.made_from import Datasets, made_from
from spectral_capacity.results.picture_metadata import UNDATED, picture_metadata
from spectral_capacity.results.provenance import record
from spectral_capacity.results.swept_rates import at_chosen_rates
from spectral_capacity.sampling.frequencies import item_frequencies

COLUMN, PAGE = 3.3, 5.5
"""Widths in inches: a figure of one panel, and the column of a paper."""

PACKAGES = ("matplotlib", "numpy", "xarray", "netCDF4")
"""Behind the picture; grids and fits know their own."""

GUIDE = {"color": "0.55", "linewidth": 1.6, "zorder": 1}
"""A line of theory under the data; a lighter grey would be hard to see on white."""


@contextmanager
def style(
    path: str | os.PathLike, optimizers: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[None]:
    """Matplotlib's defaults with this style file on top, whatever the user's own defaults are.

    optimizers: how they look, as of :func:`figures.parts.looks.optimizers`.
    """
    with plt.style.context(["default", str(path)]), looks.optimizers(optimizers or {}):
        yield


def shown_to(module: ModuleType, grids: Datasets, options: Mapping[str, Any]) -> Datasets:
    """What a figure's ``plot`` sees of sweeps: all rates if it needs a sweep, else those that were chosen.

    Chosen by the loss where the loss is what it shows.
    """
    if "sweep" in module.NEEDS:
        return grids
    by = "loss" if options.get("y") == "loss" else None
    if isinstance(grids, list):
        return [at_chosen_rates(grid, by) for grid in grids]
    return at_chosen_rates(grids, by)


def save(
    figure: Figure,
    paths: Iterable[str | os.PathLike],
    title: str = "",
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write one figure in the formats of the paths' suffixes; equal figures give equal files.

    provenance: goes with the title into their metadata (:func:`drawn_from`).
    """
    _settle(figure)
    for path in map(Path, paths):
        about = picture_metadata(path.suffix, title, provenance) if provenance else {}
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], metadata=UNDATED[path.suffix] | about)
    plt.close(figure)


def drawn_from(
    settings: Mapping[str, Any],
    style: str | os.PathLike,
    code: str,
    grids: Datasets,
    fits: Datasets,
) -> dict[str, Any]:
    """Provenance of a figure: its settings, the style's digest, and all that grids and fits know of theirs."""
    digest = hashlib.sha256(Path(style).read_bytes()).hexdigest()
    made_with = record({**settings, "style_sha256": digest}, code=code, packages=PACKAGES)
    return made_with | made_from(grids, fits)


def _settle(figure: Figure) -> None:
    """Lay out once; the solver's last digits differ from time to time and would be in the files."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position(original=True).bounds, 6))


def handle(text: str, **style) -> Line2D:
    """An entry of a legend that speaks of many lines: dark grey, if ``style`` has no colour."""
    return Line2D([], [], **{"color": "0.35"} | style, label=text)


def prediction_handle(**style) -> Line2D:
    """The entry of the dotted lines that every figure with ``finite_size`` has."""
    return handle("prediction without a fit parameter", linestyle=":", **style)


def configuration(dataset: xr.Dataset) -> dict:
    """The settings that a grid or fits were made with."""
    return json.loads(dataset.attrs["provenance"])["configuration"]


def exact_muons(fits: xr.Dataset) -> list[str]:
    """Names of all exact Muons among the optimizers of these fits; ValueError where there is none."""
    names = fits.optimizer.values[(fits.family == "muon").values].tolist()
    if not names:
        raise ValueError(
            "no optimizer of this experiment is exact Muon (rule: spectral, map: polar)"
        )
    return names


def first_muon(fits: xr.Dataset) -> str:
    """The first of :func:`exact_muons`."""
    return exact_muons(fits)[0]


def frequencies(grid: xr.Dataset, alpha: float) -> np.ndarray:
    """p of a grid's items: the power law, or its table's, read relative to the current folder."""
    settings = configuration(grid)
    table = settings.get("frequencies")
    return item_frequencies(settings["n_items"], alpha, table and table["file"])
