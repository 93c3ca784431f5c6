"""What a measurement says of a claim: the rule of the verdicts.

A claim predicts an exponent C "up to logarithms": d^C (log d)^k looks, around d̃, like the exponent
C + k/log d̃. So a claim allows ``log_powers`` k, and its band is C ± k/log d̃, d̃ the geometric mean of
the d's fitted; or a plain ``tolerance``. A claim of "at most" or "at least" has a band that is open on one
side. Against it stands the interval of the measured value over resampled seeds:

- **supported**: the interval lies inside the band;
- **contradicted**: the interval and the band do not meet;
- **inconclusive**: anything else, or no interval (one seed);
- **too small**: whatever was measured, a run of fewer than :data:`MIN_FITTED` d's, or of none as large as
  :data:`MIN_LARGEST_D` or the claim's own ``from_d``, or of fewer than :data:`MIN_SEEDS` seeds decides nothing;
  nor does one of transformers with fewer than :data:`MIN_SEEDS_OF_A_MEDIAN` reported seeds.

**Asymptotes** (:mod:`analysis.asymptotes`). An exponent in the limit is decided in two parts. The prediction,
continued to where its exponent does not change any more, must have the theorem's within :data:`CONTINUED`; else
the claim is contradicted. And that exponent plus the trend in d of measured over predicted takes the place of
the measured value in the rule above, which is asked of the mean over all α (:func:`pooled`): a line that
does not contradict the claim has its verdict. So neither more seeds nor larger d contradict a true theorem for
its slow approach.

A claim about several lines is contradicted when any of its rows is, and what all of them are when they agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

SUPPORTED, INCONCLUSIVE, CONTRADICTED = "supported", "inconclusive", "contradicted"
TOO_SMALL, NOT_MEASURED = "too small", "not measured"

MIN_FITTED = 3
"""d's behind an exponent in d. Two always lie on a line: no error, and no sign of a curve."""

MIN_LARGEST_D = 64
"""Below it a band of one logarithm is too wide to tell what the theory is about.

Muon's 1 + 1/(2α) is told apart from the exponent 1, of a memory that stores as many items as it has
dimensions, where 1/log d̃ < 1/(2α): for α = 3/2 beyond d̃ = e^3, 20. The d̃ of three doublings is half of the
largest d, which so must be above 40. It is a least and no more: over d = 32, 64, 128 the exponent of
Theorem 3, which is proved, is still measured 0.9 to 1.9 times 1/log d̃ too large.
"""

MIN_SEEDS = 4
"""Below it intervals over resampled seeds are far too narrow: a nominal 95 % held the truth in 76 % of cases
with two seeds and in 90 % with four."""

CONTINUED = 0.025
"""How far from the theorem's an exponent may be that the prediction has at large d, of a claim about an
asymptote: between α = 1.25, 1.5 and 2 those of one Muon step lie 0.067 and 0.083 apart."""

LEVEL = 0.05
"""Probability that a true claim is contradicted, at most, by any of its lines (Holm)."""

MIN_SEEDS_OF_A_MEDIAN = 6
"""Below it not even the least and the largest of all values hold the median in 95 % of cases: of n both lie
on one side of it with probability 2^(1 − n)."""


def verdict(low: float, high: float, lower: float, upper: float) -> str:
    """The rule: where the interval [low, high] lies against the band [lower, upper]."""
    if any(map(math.isnan, (low, high, lower, upper))):
        return INCONCLUSIVE
    if lower <= low and high <= upper:
        return SUPPORTED
    return CONTRADICTED if high < lower or low > upper else INCONCLUSIVE


def agrees(continued: float, relation: str, predicted: float) -> bool:
    """Whether the exponent that a prediction has at large d is the theorem's, within :data:`CONTINUED`."""
    lower, upper = band(relation, predicted, CONTINUED)
    return lower <= continued <= upper


def pooled(
    deviations: Float[np.ndarray, " n"],
    errors: Float[np.ndarray, " n"],
    freedom: float,
    relation: str,
    tolerance: float,
) -> str:
    """The rule for the mean of several lines' deviations from what is predicted, weighted by 1/error².

    For lines that one theory predicts, each of which alone is known too little. NaN count as no line.
    """
    from scipy.stats import t

    known = np.isfinite(deviations) & np.isfinite(errors)
    if not known.any():
        return INCONCLUSIVE
    weights = 1 / np.maximum(errors[known], 1e-9) ** 2
    mean = float(weights @ deviations[known] / weights.sum())
    reach = float(t.ppf(0.975, freedom) / np.sqrt(weights.sum()))
    return verdict(mean - reach, mean + reach, *band(relation, 0.0, tolerance))


def p_value(measured: float, error: float, lower: float, upper: float, freedom: float) -> float:
    """Probability of a measurement as far beyond what is allowed, [lower, upper], or farther, if the truth is
    at its nearer end: two-sided, of Student's t. One inside; NaN without an error.

    ``error``: standard deviation over resampled seeds. freedom: degrees of freedom behind it.
    """
    from scipy.stats import t

    beyond = max(lower - measured, measured - upper, 0.0)
    if math.isnan(measured) or math.isnan(error):
        return math.nan
    if beyond == 0:
        return 1.0
    return float(2 * t.sf(beyond / error, freedom)) if error > 0 else 0.0


def holm(p: Sequence[float]) -> list[float]:
    """p-values of several lines, adjusted so that any below a level means so of the family (Holm 1979).

    NaN stay, and count as no line.
    """
    known = sorted((value, i) for i, value in enumerate(p) if not math.isnan(value))
    adjusted, least = [math.nan] * len(p), 0.0
    for rank, (value, i) in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * value))
        adjusted[i] = least
    return adjusted


def band(relation: str, predicted: float, tolerance: float) -> tuple[float, float]:
    """What a claim allows: both sides of its prediction, or all of one."""
    lower = -math.inf if relation == "at_most" else predicted - tolerance
    upper = math.inf if relation == "at_least" else predicted + tolerance
    return lower, upper


def decides(fitted: float, largest_d: int, seeds: int, from_d: int = MIN_LARGEST_D) -> bool:
    """Whether a line is long enough, of enough seeds, for a verdict; ``fitted`` is NaN for what is no exponent
    in d. ``from_d``: from which d on the claim can be decided."""
    return not fitted < MIN_FITTED and largest_d >= from_d and seeds >= MIN_SEEDS


def overall(verdicts: Iterable[str]) -> str:
    """One verdict for several lines of a claim."""
    found = set(verdicts)
    if CONTRADICTED in found:
        return CONTRADICTED
    return found.pop() if len(found) == 1 else INCONCLUSIVE
