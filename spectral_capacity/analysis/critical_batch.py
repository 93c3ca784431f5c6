"""The critical batch size: where capacity against the batch size B stops growing.

One step on B samples recovers about as many items as it has seen, a·B^(1/α) for p_i ∝ i^(−α): the
*information line*. From the critical batch size B* on it recovers what the population gradient
does, the *plateau* P. B* is *defined* as the crossing of these two asymptotes, a·B*^(1/α) = P or
B* = (P/a)^α, with the slope 1/α known; how the curve turns from one to the other is beside the point.

Batches of one seed are nested, so its counts at different B rise and fall together: seeds are
resampled as whole curves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Real

from spectral_capacity.analysis.resampling import percentiles, rescaled

SHARPNESS = (0.3, 10.0)
"""Bounds of the sharpness of the turn: spread over decades … a corner at any grid of batch sizes."""

MARGIN = 2.0
"""A batch size is on one side of the break when it is this factor away from it; see :func:`fit_break`."""


@dataclass(frozen=True)
class Break:
    """Where a curve of capacity against B turns; NaN for what the data do not identify.

    critical_batch_size: B* = (plateau / information_constant)^α. low, high: its interval over
    resampled seeds. plateau: P. information_constant: a. sharpness: of the turn. points: batch sizes used,
    inf among them. rms_residual: of the log mean count over the finite ones, unweighted, error of the
    model and of the counts together. resampled: log B* of every resample, (bootstrap,), already spread.
    """

    resampled: Float[np.ndarray, " r"]
    points: int
    critical_batch_size: float = math.nan
    low: float = math.nan
    high: float = math.nan
    plateau: float = math.nan
    information_constant: float = math.nan
    sharpness: float = math.nan
    rms_residual: float = math.nan


def fit_break(
    batch_sizes: Real[np.ndarray, " m"],
    counts: Real[np.ndarray, "m s"],
    alpha: float,
    *,
    bootstrap: int,
    confidence: float,
    rng: np.random.Generator,
) -> Break:
    """Critical batch size of one curve: counts of s seeds at m batch sizes, in any order, inf allowed.

    Least squares of log n(B) = log P − log(1 + (B*/B)^sharpness) / (α·sharpness) to the log of the
    mean over seeds, in log B* and log sharpness. The model has the asymptotes a·B^(1/α) and P that
    define B*.

    - *Plateau*: P is the mean at B = inf where that was measured, and fitted otherwise. Real curves
      overshoot: they follow the line beyond P, up to 2 P near 2 B*, and come down to P. The monotone
      model leaves that in ``rms_residual``. A fitted P averages over it, which makes B* some percent
      too large, more so the fewer batch sizes lie beyond; with P fixed it has next to no effect.
    - *Weights* are proportional to the mean count, as if its variance were. Since the plateau is not at
      stake, they only choose points on the information line: the larger counts, which have less noise
      and where the number of distinct items has come closer to its power law.
    - *Left out*: batch sizes whose mean is zero or not finite.
    - *Identified* is the break when at least two batch sizes used are ≤ B*/2, on the line, and two ≥ 2 B*,
      on the plateau, inf among them; hence at least four. Otherwise everything but ``points`` is NaN: a
      curve that is all line or all plateau has no break, however well the model fits.
    - *Interval*: percentiles of log B* over seeds drawn with replacement, spread around the fit by
      √(s/(s−1)) as in :mod:`analysis.exponents`; no error of the model is in it. Of a nominal
      95 % it covers 65 % with 2 seeds, 84 % with 4, 89 % with 8, 90 % with 16. Before it is spread, a
      resample's B* lies within the finite batch sizes. Every distinct multiset of seeds is fitted
      once. NaN with one seed, and where more resamples than one tail holds have fewer than four
      points (NaN in ``resampled``).

    ValueError when batch sizes are not positive and distinct.
    """
    if not (batch_sizes > 0).all() or np.unique(batch_sizes).size < batch_sizes.size:
        raise ValueError(f"batch sizes must be positive and distinct: {batch_sizes}")
    mean = counts.mean(axis=1)
    use = np.isfinite(mean) & (mean > 0)
    log_b, counts, mean = np.log(batch_sizes[use].astype(float)), counts[use], mean[use]
    points, seeds = counts.shape
    resampled = np.full(bootstrap, np.nan)
    fit = _fit(log_b, mean, mean, alpha)
    if fit is None or not _identified(fit.log_break, log_b):
        return Break(resampled, points)
    low = high = math.nan
    if seeds > 1:
        picks = np.sort(rng.integers(seeds, size=(bootstrap, seeds)), axis=1)
        multisets, which = np.unique(picks, axis=0, return_inverse=True)
        fits = [_fit(log_b, counts[:, some].mean(axis=1), mean, alpha) for some in multisets]
        breaks = np.array([math.nan if one is None else one.log_break for one in fits])
        resampled = rescaled(breaks[which.ravel()], fit.log_break, seeds)
        low, high = np.exp(percentiles(resampled, confidence)).tolist()
    return Break(
        resampled=resampled,
        points=points,
        critical_batch_size=np.exp(fit.log_break).item(),
        low=low,
        high=high,
        plateau=math.exp(fit.log_plateau),
        information_constant=math.exp(fit.log_plateau - fit.log_break / alpha),
        sharpness=fit.sharpness,
        rms_residual=fit.rms_residual,
    )


class _Fit(NamedTuple):
    log_break: float
    log_plateau: float
    sharpness: float
    rms_residual: float


def _fit(log_b, mean, weights, alpha) -> _Fit | None:
    """The fit of one curve; None where there are too few points for one."""
    from scipy.optimize import least_squares

    use = mean > 0
    if use.sum() < 4:
        return None
    x, y, w = log_b[use], np.log(mean[use]), weights[use] / weights[use].sum()
    finite = np.isfinite(x)

    def drop(log_break, log_sharpness):  # of log n below the plateau
        sharpness = np.exp(log_sharpness)
        return np.logaddexp(0.0, sharpness * (log_break - x)) / (alpha * sharpness)

    def plateau(drop):
        return ((y + drop) @ w)[..., None] if finite.all() else y[~finite]

    def residuals(log_break, log_sharpness):
        below = drop(log_break, log_sharpness)
        return np.sqrt(w) * (y + below - plateau(below))

    # A break outside of these bounds would not be identified.
    lower, upper = np.array([[x.min(), x[finite].max()], np.log(SHARPNESS)]).T
    starts = np.stack(np.meshgrid(*np.linspace(lower, upper, 34)[1:-1].T), axis=-1).reshape(-1, 2)
    cost = np.square(residuals(*starts.T[..., None])).sum(axis=1)
    start = starts[cost.argmin()]
    found = least_squares(lambda at: residuals(*at), start, bounds=(lower, upper), xtol=1e-10)
    log_break, log_sharpness = found.x
    below = drop(log_break, log_sharpness)
    left = (y + below - plateau(below))[finite]
    return _Fit(
        log_break=float(log_break),
        log_plateau=plateau(below).item(),
        sharpness=math.exp(log_sharpness),
        rms_residual=math.sqrt(np.square(left).mean()),
    )


def _identified(log_break, log_b):
    margin = math.log(MARGIN) - 1e-9
    line, plateau = log_b <= log_break - margin, log_b >= log_break + margin
    return line.sum() > 1 and plateau.sum() > 1
