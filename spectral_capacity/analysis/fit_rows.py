"""One line of a capacity plot, and the rows of :mod:`analysis.tables` that its fits give."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real

from spectral_capacity.analysis.lines import fit_counts, fit_line, local_exponents, slopes
from spectral_capacity.analysis.resampling import percentiles
from spectral_capacity.analysis.settings import FitSettings
from spectral_capacity.analysis.tables import LEVELS, LOCAL, STATISTICS

FITS = {
    "ols": "ordinary least squares of the log of the mean over seeds, all d (the paper's fit)",
    "wls": "the same, weighted by the variance over seeds, phi * mean with one phi a line (counts only)",
    "glm": "quasi-Poisson regression of the single counts with log link; zeros count (counts only)",
    "largest": "ordinary least squares over the largest d's only",
    "corrected": "log y = a + C log d + b/d, all d, counts weighted as in wls: saturation taken out",
}

COUNTS_ONLY = {"wls", "glm"}


@dataclass(frozen=True)
class LineData:
    """A quantity at m d's, and what its fits stand beside.

    mean: over seeds, or their median. resampled: means of resampled seeds; None with one seed. theory:
    asymptotic exponent. predicted: parameter-free values, None where there are none. counts: those of each
    seed, for fits that weigh them; None for a quantity that is no count.
    """

    d: Real[np.ndarray, " m"]
    mean: Float[np.ndarray, " m"]
    resampled: Float[np.ndarray, "r m"] | None
    theory: float
    predicted: Float[np.ndarray, " m"] | None = None
    counts: Float[np.ndarray, "m s"] | None = None

    def only(self, use: Bool[np.ndarray, " m"]) -> LineData:
        """The line at some of its d's."""
        return LineData(
            self.d[use],
            self.mean[use],
            None if self.resampled is None else self.resampled[:, use],
            self.theory,
            None if self.predicted is None else self.predicted[use],
            None if self.counts is None else self.counts[use],
        )


def exponent_rows(line: LineData, settings: FitSettings) -> Iterator[dict]:
    """A row of :data:`STATISTICS` for every fit that the line can have."""
    for fit in FITS:
        if line.counts is not None or fit not in COUNTS_ONLY:
            row = _exponent_row(fit, line.only(_used(fit, line, settings.largest)), settings)
            z = (row["exponent"] - line.theory) / (row["stderr"] or math.nan)  # no error, no z
            yield {"fit": fit} | row | {"theory": line.theory, "z": z}


def _used(fit: str, line: LineData, largest: int) -> np.ndarray:
    """Which d's a fit uses. Zero has no log; ``glm`` takes none."""
    known = np.isfinite(line.mean)
    if fit == "glm":
        return known
    use = known & (line.mean > 0)
    if fit == "largest":
        use &= line.d >= np.sort(line.d)[-min(largest, line.d.size)]
    return use


def _exponent_row(fit: str, line: LineData, settings: FitSettings) -> dict:
    """One fit of a line at the d's it uses; NaN for what the data or the fit cannot give."""
    row = dict.fromkeys(STATISTICS, math.nan) | {"points": line.d.size}
    if line.d.size < 2:
        return row
    X = np.stack([np.ones(line.d.size), np.log(line.d)], axis=1)
    row["log_d"] = X[:, 1].mean()
    if fit == "corrected":
        X = np.column_stack([X, 1 / line.d])
    weights, known = _weights(fit, line)
    if fit == "glm":
        found = fit_counts(line.d, line.counts, settings.confidence)
    else:
        found = fit_line(X, np.log(line.mean), weights, settings.confidence, known=known)
    row |= {"exponent": found.slope, "stderr": found.stderr}
    row |= {"ci_low": found.low, "ci_high": found.high}
    if fit == "glm" or math.isnan(found.slope):
        return row
    if line.resampled is not None:
        resampled = slopes(X, line.resampled, weights)
        row["boot_low"], row["boot_high"] = percentiles(resampled, settings.confidence)
        row["boot_error"] = float(np.nanstd(resampled))
    if line.predicted is not None and (line.predicted > 0).all():
        row["finite_size"] = fit_line(X, np.log(line.predicted), weights).slope
    return row


def _weights(fit: str, line: LineData) -> tuple[np.ndarray | None, bool]:
    """Weights of the log means, and whether they are inverse variances or only proportional to them."""
    if line.counts is None or fit not in ("wls", "corrected"):
        return None, False
    seeds = line.counts.shape[1]
    # var(log mean) = phi / (seeds * mean) when the variance over seeds is phi * mean.
    phi = np.mean(line.counts.var(axis=1, ddof=1) / line.mean) if seeds > 1 else 0.0
    known = bool(fit == "wls" and phi > 0)
    return line.mean * (seeds / phi if known else 1.0), known


def level_row(line: LineData, settings: FitSettings) -> dict:
    """The row of :data:`LEVELS`; d ascends."""
    low = high = error = math.nan
    if line.resampled is not None:
        low, high = percentiles(line.resampled[:, -1], settings.confidence)
        error = float(line.resampled[:, -1].std())
    return dict(zip(LEVELS, (line.mean[-1], low, high, error), strict=True))


def local_rows(line: LineData, settings: FitSettings) -> Iterator[dict]:
    """A row of :data:`LOCAL` for each pair of neighbouring d's, at ``interval``, their geometric mean.

    A pair with a resample in which one of its means is zero has no interval.
    """
    exponents = local_exponents(line.d, line.mean)
    ends = np.full((exponents.size, 2), np.nan)
    if line.resampled is not None:
        resampled = local_exponents(line.d, line.resampled)
        for i in np.flatnonzero(np.isfinite(resampled).all(axis=0)):
            ends[i] = percentiles(resampled[:, i], settings.confidence)
    middles = np.sqrt(line.d[1:] * line.d[:-1])
    for middle, exponent, (low, high) in zip(middles, exponents, ends, strict=True):
        yield {"interval": float(middle)} | dict(zip(LOCAL, (exponent, low, high), strict=True))
