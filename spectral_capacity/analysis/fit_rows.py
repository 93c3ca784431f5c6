"""One fit of one line: what is fitted how, and the numbers it gives."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from spectral_capacity.analysis.lines import fit_counts, fit_line, interval, slopes

FITS = {
    "ols": "ordinary least squares of the log of the mean over seeds, all d (the paper's fit)",
    "wls": "the same, weighted by the variance over seeds, phi * mean with one phi a line (counts only)",
    "glm": "quasi-Poisson regression of the single counts with log link; zeros count (counts only)",
    "largest": "ordinary least squares over the largest d's only",
    "corrected": "log y = a + C log d + b/d, all d, counts weighted as in wls: saturation taken out",
}

COUNTS_ONLY = {"wls", "glm"}

STATISTICS = {
    "exponent": "fitted exponent in d",
    "stderr": "standard error of the exponent, from the regression",
    "ci_low": "lower end of the regression's interval (t; normal for wls)",
    "ci_high": "upper end of the regression's interval (t; normal for wls)",
    "boot_low": "lower end of the interval over resampled seeds (percentiles)",
    "boot_high": "upper end of the interval over resampled seeds (percentiles)",
    "points": "number of d's used",
    "log_d": "mean of log d over the d's used",
    "theory": "asymptotic exponent of the theory",
    "finite_size": "the same fit of the parameter-free prediction at the same d's",
    "z": "(exponent - theory) / stderr",
}


def fit_row(fit, d, mean, resampled, settings, sample=None, expected=None):
    """One row of :data:`STATISTICS`; NaN for what the data or the fit cannot give.

    ``mean`` are the values over d, ``resampled`` the same from resampled seeds, (resamples, d), None when
    there are none; ``sample`` (d, seed) are the single counts, for the fits that weigh them.
    """
    row = dict.fromkeys(STATISTICS, math.nan)
    use = np.isfinite(mean) & (mean > 0)
    if fit == "largest":
        use &= d >= np.sort(d)[-min(settings["largest"], d.size)]
    if fit == "glm":
        use = np.isfinite(mean)
    row["points"] = int(use.sum())
    if use.sum() < 2:
        return row
    X = np.stack([np.ones(use.sum()), np.log(d[use])], axis=1)
    if fit == "corrected":
        X = np.column_stack([X, 1 / d[use]])
    weights, known = None, False
    if fit in ("wls", "corrected") and sample is not None and expected is not None:
        # var(log mean) = phi / (seeds * mean) when the variance over seeds is phi * mean.
        phi = np.mean(sample[use].var(axis=1, ddof=1) / mean[use]) if sample.shape[1] > 1 else 0.0
        known = bool(fit == "wls" and phi > 0)
        weights = mean[use] * (sample.shape[1] / phi if known else 1.0)
    if fit == "glm":
        line = fit_counts(d[use], sample[use], settings["confidence"])
    else:
        line = fit_line(X, np.log(mean[use]), weights, settings["confidence"], known=known)
    row |= {"exponent": line.slope, "stderr": line.stderr, "log_d": X[:, 1].mean()}
    row |= {"ci_low": line.low, "ci_high": line.high}
    if fit == "glm" or math.isnan(line.slope):
        return row
    if resampled is not None:
        spread = slopes(X, resampled[:, use], weights)
        row["boot_low"], row["boot_high"] = interval(spread, settings["confidence"])
    if expected is not None and (expected[use] > 0).all():
        row["finite_size"] = fit_line(X, np.log(expected[use]), weights).slope
    return row


def tails(settings):
    tail = (1 - settings["confidence"]) / 2
    return [tail, 1 - tail]


def stream(settings: Mapping[str, Any], name: str, at: Mapping[str, Any]) -> np.random.Generator:
    """Random numbers of one line, whatever other lines there are."""
    place = zlib.crc32(repr((name, sorted(at.items()))).encode())
    return np.random.default_rng([settings["root_seed"], place])
