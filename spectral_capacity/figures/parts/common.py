"""What all figures share: style, colours, labels, files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from spectral_capacity.results.files import atomic_path
from spectral_capacity.sampling.frequencies import item_frequencies

LABELS = {"gd": "GD", "muon": "Muon", "newton": "Newton"}
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
    _settle(figure)
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}
    for path in map(Path, paths):
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], metadata=undated.get(path.suffix, {}))
    plt.close(figure)


def _settle(figure: Figure) -> None:
    """Lay out once; the solver's last digits differ from time to time and would be in the files."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position(original=True).bounds, 6))


def label(optimizer: str, *, minibatches: bool = False) -> str:
    """How an optimizer is called in a figure; gradient descent on minibatches is SGD.

    What a name has beyond that of a known optimizer stands in parentheses: ``gd_growing``, GD (growing).
    """
    name, _, variant = optimizer.partition("_")
    if name not in LABELS or optimizer.startswith("newton_schulz"):
        return optimizer.replace("_", " ")
    known = "SGD" if minibatches and name == "gd" else LABELS[name]
    return f"{known} ({variant.replace('_', ' ')})" if variant else known


def shades(n: int) -> list:
    """n colours in order, dark to light, told apart in grey and by colour-blind readers."""
    colours = matplotlib.colormaps["viridis"]
    return [colours(0.88 * i / max(n - 1, 1)) for i in range(n)]


def configuration(dataset: xr.Dataset) -> dict:
    """The settings that a grid or fits were made with."""
    return json.loads(dataset.attrs["provenance"])["configuration"]


def first_muon(fits: xr.Dataset) -> str:
    """Name of the first exact Muon among the optimizers of these fits; ValueError where there is none."""
    names = fits.optimizer.values[(fits.family == "muon").values]
    if names.size == 0:
        raise ValueError(
            "no optimizer of this experiment is exact Muon (rule: spectral, map: polar)"
        )
    return names[0].item()


def frequencies(grid: xr.Dataset, alpha: float) -> np.ndarray:
    """p of a grid's items: the power law, or its table's, read relative to the current folder."""
    settings = configuration(grid)
    table = settings.get("frequencies")
    return item_frequencies(settings["n_items"], alpha, table and table["file"])


def seed_range(values: np.ndarray, floor: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Mean of (m, seeds) over seeds, and its distances (2, m) to the least and the largest.

    A range that reaches zero has no end on a logarithmic axis: it is drawn down to ``floor``. A missing
    seed leaves no mean.
    """
    mean, low, high = values.mean(axis=1), values.min(axis=1), values.max(axis=1)
    low = np.where(low > 0, low, np.minimum(floor, mean))
    return mean, np.stack([mean - low, high - mean]).clip(0)  # not −1e-17


def fitted_power(axes: Axes, d: np.ndarray, mean: np.ndarray, exponent: float, **style) -> None:
    """The least-squares power d^exponent of the positive means; nothing where there is none."""
    seen = mean > 0
    if np.isfinite(exponent) and seen.any():
        constant = np.log(mean[seen]).mean() - exponent * np.log(d[seen]).mean()
        smooth = np.geomspace(d.min(), d.max(), 50)
        axes.plot(smooth, np.exp(constant) * smooth**exponent, **style)


def counts_against_d(
    axes: Axes,
    d: np.ndarray,
    counts: np.ndarray,
    exponent: float,
    *,
    colour,
    marker: str,
    label: str,
    shift: float = 1.0,
    dashes="--",
    linewidth: float = 0.8,
) -> None:
    """Mean counts (d, seeds) with their ranges, moved by a factor in d, and their fitted power, dashed.

    A mean of zero or of a missing seed has no marker.
    """
    mean, spread = seed_range(counts)
    seen = mean > 0
    axes.errorbar(
        d[seen] * shift,
        mean[seen],
        spread[:, seen],
        fmt=marker,
        color=colour,
        elinewidth=0.8,
        label=label,
    )
    fitted_power(axes, d, mean, exponent, linestyle=dashes, color=colour, linewidth=linewidth)


def apart(n: int, factor: float) -> np.ndarray:
    """n factors from 2 − ``factor`` to ``factor``: lines' markers side by side on a logarithmic axis."""
    return np.geomspace(2 - factor, factor, n) if n > 1 else np.ones(n)


def power_text(exponent: float, low: float, high: float) -> str:
    """d^exponent and its interval for a legend; what is not finite is left out."""
    text = rf"$d^{{\,{exponent:.2f}}}$" if np.isfinite(exponent) else ""
    if np.isfinite([low, high]).all():
        text += f" [{low:.2f}, {high:.2f}]".replace("-", "\N{MINUS SIGN}")
    return text


def fit_text(line: xr.Dataset) -> str:
    """:func:`power_text` of one fit and the theory's exponent; what is not finite is left out."""
    text = power_text(line.exponent.item(), line.boot_low.item(), line.boot_high.item())
    theory = f"theory {line.theory.item():.2f}" if np.isfinite(line.theory) else ""
    return ", ".join(filter(None, [text, theory]))


def room_above(axes: Axes, share: float) -> None:
    """Lengthen a y axis upwards by this share of itself, for a legend above the data."""
    transform = axes.yaxis.get_transform()
    low, high = transform.transform(np.array(axes.get_ylim()))
    axes.set_ylim(top=transform.inverted().transform(np.array([high + share * (high - low)]))[0])


def powers_of_two(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic d axis with a tick at each value, written as a number."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{v:g}" for v in values])
    axes.xaxis.set_minor_locator(LogLocator(base=2, subs=()))
    axes.xaxis.set_minor_formatter(NullFormatter())
