"""Samples over seeds as points with bars, and the powers of d fitted to them."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes


def seed_range(values: np.ndarray, floor: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Mean of (m, seeds) over seeds, and its distances (2, m) to the least and the largest.

    A range that reaches zero has no end on a logarithmic axis: it is drawn down to ``floor``. A missing
    seed leaves no mean.
    """
    mean, low, high = values.mean(axis=1), values.min(axis=1), values.max(axis=1)
    low = np.where(low > 0, low, np.minimum(floor, mean))
    return mean, np.stack([mean - low, high - mean]).clip(0)  # not −1e-17


def interval_bars(line: xr.Dataset) -> np.ndarray:
    """Distances (2, m) of fitted exponents to the ends of their intervals over resampled seeds."""
    return np.abs(np.stack([line.boot_low, line.boot_high]) - line.exponent.values)


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
    mean, bars = seed_range(counts)
    seen = mean > 0
    axes.errorbar(
        d[seen] * shift,
        mean[seen],
        bars[:, seen],
        fmt=marker,
        color=colour,
        elinewidth=0.8,
        label=label,
    )
    fitted_power(axes, d, mean, exponent, linestyle=dashes, color=colour, linewidth=linewidth)


def apart(n: int, factor: float) -> np.ndarray:
    """n factors from 2 − ``factor`` to ``factor``: lines' markers side by side on a logarithmic axis."""
    return np.geomspace(2 - factor, factor, n) if n > 1 else np.ones(n)


def power_text(line: xr.Dataset) -> str:
    """d^exponent of one fit and its interval, for a legend; what is not finite is left out."""
    exponent, low, high = (line[name].item() for name in ("exponent", "boot_low", "boot_high"))
    text = rf"$d^{{\,{exponent:.2f}}}$" if np.isfinite(exponent) else ""
    if np.isfinite([low, high]).all():
        text += f" [{low:.2f}, {high:.2f}]".replace("-", "\N{MINUS SIGN}")
    return text


def fit_text(line: xr.Dataset) -> str:
    """:func:`power_text` and the theory's exponent."""
    theory = f"theory {line.theory.item():.2f}" if np.isfinite(line.theory) else ""
    return ", ".join(filter(None, [power_text(line), theory]))
