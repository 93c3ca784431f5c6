"""Samples over seeds as points with bars, and the powers of d fitted to them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from spectral_capacity.figures.parts.common import GUIDE
from spectral_capacity.figures.parts.zeros import mark_zeros
from spectral_capacity.results.fits import SHOWN


def seed_range(
    values: np.ndarray, floor: float = 0.0, average: Callable = np.mean
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of (m, seeds) over seeds, or another ``average``, and its distances (2, m) to the range's ends.

    A range that reaches zero ends at ``floor``; at zero, on a logarithmic axis it goes through the edge, where
    :func:`parts.zeros.mark_zeros` marks it. A missing seed leaves no mean.
    """
    mean, low, high = average(values, axis=1), values.min(axis=1), values.max(axis=1)
    low = np.where(low > 0, low, np.minimum(floor, mean))
    return mean, np.stack([mean - low, high - mean]).clip(0)  # not −1e-17


def shown_fit(fits: xr.Dataset) -> xr.Dataset:
    """The fit whose exponents every figure shows, that over all d's."""
    return fits.sel(fit=SHOWN)


def over(d: ArrayLike) -> str:
    """Which d's were fitted: the least and the largest, for a legend."""
    least, largest = np.min(d), np.max(d)
    text = f"over $d$ = {least:g}" + (f"–{largest:g}" if largest > least else "")
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def interval_bars(line: xr.Dataset) -> np.ndarray:
    """Distances (2, m) of fitted exponents to the ends of their intervals over resampled seeds."""
    return np.abs(np.stack([line.boot_low, line.boot_high]) - line.exponent.values)


def fitted_power(
    axes: Axes, d: np.ndarray, mean: np.ndarray, exponent: float, shift: float = 1.0, **style
) -> None:
    """The power d^exponent that is nearest to the positive means; nothing where there is none.

    ``shift``: the factor by which markers, and with them their line, are moved in d. With one d a line
    would have no length.
    """
    seen = mean > 0
    if np.isfinite(exponent) and seen.sum() > 1:
        constant = np.log(mean[seen]).mean() - exponent * np.log(d[seen]).mean()
        ends = np.array([d[seen].min(), d[seen].max()], float)
        axes.plot(ends * shift, np.exp(constant) * ends**exponent, **style)


def counts_against_d(
    axes: Axes,
    d: np.ndarray,
    counts: np.ndarray,
    exponent: float,
    *,
    color,
    marker: str,
    fillstyle: str = "full",
    label: str | None = None,
    theory: float = np.nan,
    predicted: np.ndarray | None = None,
    shift: float = 1.0,
    dashes="--",
    dots=":",
) -> None:
    """Mean counts (d, seeds) with their ranges, their fitted power, dashed, and the theory's, grey.

    ``theory`` is an exponent: its line goes through the middle of the means, only its slope says
    something. ``predicted``: counts (d,), dotted. All of them are moved by the same factor in d, for
    lines that would lie on each other. A mean of a missing seed has no marker, one of zero a mark at the edge.
    """
    mean, bars = seed_range(counts)
    seen = mean > 0
    axes.errorbar(
        d[seen] * shift,
        mean[seen],
        bars[:, seen],
        fmt=marker,
        fillstyle=fillstyle,
        color=color,
        elinewidth=0.8,
        label=label,
    )
    mark_zeros(axes, d * shift, counts, color)
    fitted_power(axes, d, mean, exponent, shift, linestyle=dashes, color=color, linewidth=0.9)
    fitted_power(axes, d, mean, theory, shift, **GUIDE | {"linewidth": 0.9})
    if predicted is not None:
        where, predicted = short_if_one(d, predicted)
        axes.plot(where * shift, predicted, linestyle=dots, color=color, linewidth=1.4)


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


def fit_in_short(line: xr.Dataset) -> str:
    """The fitted exponent and, in parentheses, the theory's, as far as they are known."""
    fitted, theory = (line[name].item() for name in ("exponent", "theory"))
    texts = [f"{fitted:.2f}"] if np.isfinite(fitted) else []
    return " ".join(texts + ([f"({theory:.2f})"] if np.isfinite(theory) else []))


def short_if_one(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """A curve through the finite values of y: as it is or, over one x, a short level there to be seen."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    if x.size != 1:
        return x, y
    reach = 0.06 * max(abs(x[0]), 1)
    return np.array([x[0] - reach, x[0] + reach]), np.repeat(y, 2)
