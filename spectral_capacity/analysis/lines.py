"""Straight lines in log–log coordinates, made by statsmodels."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real


@dataclass(frozen=True)
class Line:
    """The coefficient of log d with its standard error and interval, and the constant."""

    slope: float
    intercept: float = math.nan
    stderr: float = math.nan
    low: float = math.nan
    high: float = math.nan


def fit_line(
    X: Float[np.ndarray, "m k"],
    y: Float[np.ndarray, " m"],
    weights: Float[np.ndarray, " m"] | None = None,
    confidence: float = 0.95,
    *,
    known: bool = False,
) -> Line:
    """Weighted least squares of y on the columns of X, (1, log d, …).

    ``known`` says that the weights are inverse variances, not only proportional to them: the error is
    then theirs, whatever the residuals are. As many points as columns give a slope without error,
    fewer give NaN.
    """
    if X.shape[0] < X.shape[1]:
        return Line(math.nan)
    from statsmodels.regression.linear_model import WLS  # most of a job's start, where needed

    covariance = {"cov_type": "fixed scale", "use_t": False} if known else {}
    fit = WLS(y, X, weights=1.0 if weights is None else weights).fit(**covariance)
    intercept, slope = fit.params[:2]
    if fit.df_resid == 0:
        return Line(slope, intercept)
    low, high = fit.conf_int(alpha=1 - confidence)[1]
    return Line(slope, intercept, fit.bse[1], low, high)


def fit_counts(
    d: Real[np.ndarray, " m"], counts: Real[np.ndarray, "m s"], confidence: float = 0.95
) -> Line:
    """Quasi-Poisson regression of single counts on log d, log link; needs no log of a count."""
    if (counts.sum(axis=1) > 0).sum() < 2:
        return Line(math.nan)
    if np.ptp(counts) == 0:  # statsmodels starts at the answer and then divides by zero
        return Line(0.0, math.log(counts.flat[0]))
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools import add_constant
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    x = np.repeat(np.log(d), counts.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        fit = GLM(counts.ravel(), add_constant(x), family=Poisson()).fit(scale="X2")
    intercept, slope = fit.params
    if fit.df_resid == 0 or fit.scale < 1e-12:  # nothing left over to tell an error from
        return Line(slope, intercept)
    low, high = fit.conf_int(alpha=1 - confidence)[1]
    return Line(slope, intercept, fit.bse[1], low, high)


def local_exponents(
    d: Real[np.ndarray, " m"], mean: Real[np.ndarray, "*b m"]
) -> Float[np.ndarray, "*b k"]:
    """Exponents between neighbouring d's, NaN beside a mean of zero; k = m − 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.diff(np.log(mean), axis=-1) / np.diff(np.log(d))
    return np.where(np.isfinite(slopes), slopes, np.nan)


def slopes(X, means, weights):
    """Least-squares slopes of log means, (resamples,); a resample's zero means have no weight."""
    w = np.where(means > 0, 1.0 if weights is None else weights, 0.0)
    y = np.log(np.where(means > 0, means, 1.0))
    normal = np.einsum("rm,mj,mk->rjk", w, X, X)
    right = np.einsum("rm,mj,rm->rj", w, X, y)
    enough = (w > 0).sum(axis=1) >= X.shape[1]
    slopes = np.full(len(means), np.nan)
    slopes[enough] = np.linalg.solve(normal[enough], right[enough, :, None])[:, 1, 0]
    return slopes
