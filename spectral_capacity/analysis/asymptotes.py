"""Asymptotes: whether the finite-size theory is right where it was measured, and what it says beyond.

At dimensions that a run can reach an exponent is not that of a theorem: saturation at small d, logarithms, for
gradient descent both. So a theorem is held against two numbers. **Trend**: the exponent in d of measured over
predicted; near zero, the finite-size theory is right here. **Continued**: the exponent of the prediction itself
at dimensions so large that it does not change any more. Their sum is the exponent that the measurements,
continued by the theory, have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Real

from spectral_capacity.analysis.fit_rows import LineData
from spectral_capacity.analysis.lines import fit_line, slopes
from spectral_capacity.analysis.quantities import PREDICTED, QUANTITIES, Case, case_of
from spectral_capacity.analysis.resampling import percentiles
from spectral_capacity.analysis.settings import FitSettings
from spectral_capacity.analysis.tables import ASYMPTOTES
from spectral_capacity.theory import anisotropic_step, gradient_step, muon_step, newton_step
from spectral_capacity.theory.anisotropic_resolvent import EmbeddingSpectrum
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.prefixes import robust_prefix
from spectral_capacity.theory.thresholded_steps import thresholded_muon

FROM_D = 64
"""Least d at which counts are held against the prediction; below it is several per cent off."""

COMPETITORS = 99_999.0
"""Of a memory of 100,000 items, kept while d grows: more of them change the logarithms, not the exponent."""

FEWEST = 3
"""d's behind a trend."""

FAR = {"muon": (3e5, 1e6), "newton": (3e5, 1e6), "gradient": (1e8, 1e9)}
"""Between which dimensions the prediction of one step is continued: where local exponents are constant."""
FAR_ANISOTROPIC = (1e8, 1e10)
"""The same for κ > 0: at κ = 1 an exponent is off by 1/(2α log d), and between 1 and 2 competitors that an item
lifts with itself fade like d^(κ/2 − 1)."""
FAR_STEPS = {"capacity": (1e6, 1e8), "robust_prefix": (1e9, 1e12)}
"""The same of several steps, by quantity. A memory forgets most, of what it learnt at a step, the items that it
learnt just so: below 10^9 these gaps decide how far a prefix reaches."""
MOST_STEPS = 4
"""After more the items that are left at these d lie beyond the ranks at which items without end stop."""
LEAST = {"robust_prefix": 100.0}
"""Least prediction that is held against a measurement, by quantity: a prefix of fewer items ends with the third
or fourth that is missing, and luck of single ones decides which."""
STEEPEST = 8.0
"""α beyond which squares of d^α leave the range of numbers."""
SAMPLES = 512
"""Drawn items behind a step with anisotropic outputs; its exponent then has an error of some 0.005."""


def held(
    quantity: str, d: Real[np.ndarray, " m"], predicted: Float[np.ndarray, " m"]
) -> Bool[np.ndarray, " m"]:
    """At which points a measurement is held against the prediction."""
    return (d >= FROM_D) & (predicted > LEAST.get(quantity, 0.0))


def asymptote_row(
    quantity: str, line: LineData, continued: float, settings: FitSettings
) -> dict[str, float]:
    """The row of :data:`ASYMPTOTES` of a line; NaN where there is no prediction at enough d's."""
    row = dict.fromkeys(ASYMPTOTES, math.nan) | {"continued": continued}
    if line.predicted is None:
        return row
    use = held(quantity, line.d, line.predicted) & (line.mean > 0)
    if use.sum() < FEWEST:
        return row
    X = np.stack([np.ones(use.sum()), np.log(line.d[use])], axis=1)
    # Counts have variances in proportion to their means, so that small ones say little.
    predicted = line.predicted[use]
    row["trend"] = fit_line(X, np.log(line.mean[use] / predicted), predicted).slope
    if line.resampled is not None:
        resampled = slopes(X, line.resampled[:, use] / predicted, predicted)
        row["trend_low"], row["trend_high"] = percentiles(resampled, settings.confidence)
        row["trend_error"] = float(np.nanstd(resampled))
    return row


def continued_exponent(quantity: str, at: Mapping[str, Any], settings: FitSettings) -> float:
    """The exponent in d of a quantity's prediction between :func:`far_ends`, where it is constant; NaN where
    there is none to continue."""
    ends = far_ends(quantity, at, settings)
    if ends is None:
        return math.nan
    low, high = continued(quantity, at, settings, np.array(ends))
    return math.log(high / low) / math.log(ends[1] / ends[0])


def continued(
    quantity: str, at: Mapping[str, Any], settings: FitSettings, d: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """A quantity's prediction at dimensions of any size, on a line (``at``, all of :data:`quantities.LINE`).

    Of items of a power law without end, against N − 1 competitors at every d: :data:`COMPETITORS` of them
    change logarithms only. NaN where there is none (:func:`far_ends`).
    """
    if far_ends(quantity, at, settings) is None:
        return np.full(d.size, math.nan)
    case = _case(at, settings)
    kappa = 0.0 if case.theory == "newton" else case.kappa  # it is the same at every κ
    where = (quantity, case.theory, case.alpha, kappa, case.step, settings.prefix_share)
    return np.array([_continued(*where, round(one)) for one in d.tolist()])


def exponent_in_the_limit(quantity: str, at: Mapping[str, Any], settings: FitSettings) -> float:
    """What theorems, or for κ > 0 the theory, say of a quantity for d → ∞; NaN where they say nothing."""
    return QUANTITIES[quantity].exponent(_case(at, settings))


def far_ends(
    quantity: str, at: Mapping[str, Any], settings: FitSettings
) -> tuple[float, float] | None:
    """Between which dimensions a prediction has its exponent; None where it cannot be continued.

    It can be of one step of Muon, Newton and gradient descent on the population; of several of Muon on
    thresholded gradients, the polar map also for one that is smoothed below the bulk. That of thresholded
    gradient descent and of exact steps follows items one by one and ends where these are too many.
    """
    case = _case(at, settings)
    if quantity not in PREDICTED or not math.isinf(at["batch_size"]):
        return None
    if not 1 < case.alpha <= STEEPEST or settings.frequencies or settings.own_embeddings:
        return None
    if case.step > 1:
        several = case.theory == "muon" and case.schedule == "constant" and case.kappa == 0
        if not several or settings.gradient != "thresholded" or case.step > MOST_STEPS:
            return None
        return FAR_STEPS[quantity]
    if case.kappa and case.theory != "newton":
        return FAR_ANISOTROPIC if case.theory == "muon" else None
    return FAR.get(case.theory)


def _case(at: Mapping[str, Any], settings: FitSettings) -> Case:
    """What the theory is asked about; a map that is smoothed below the bulk is the polar one."""
    case = case_of(settings, at)
    smoothed = (settings.bulk_resolution(at["optimizer"]) or math.inf) <= 1
    return replace(case, theory="muon") if smoothed else case


@lru_cache(maxsize=1024)
def _continued(
    quantity: str, theory: str, alpha: float, kappa: float, step: int, share: float, d: int
) -> float:
    items = Items.power_law(alpha)
    recovered = _several(alpha, d)[step - 1] if step > 1 else _first(theory, items, kappa, d)
    if quantity == "robust_prefix":
        return robust_prefix(items, recovered, share)
    return float(items.sum(recovered))


@lru_cache(maxsize=256)
def _several(alpha: float, d: int) -> Float[np.ndarray, "t k"]:
    """After each of :data:`MOST_STEPS` thresholded steps: a step is as expensive as all up to it."""
    items = Items.power_law(alpha)
    return thresholded_muon(items, d, MOST_STEPS, n_competitors=COMPETITORS).recovered


def _first(theory: str, items: Items, kappa: float, d: int) -> Float[np.ndarray, " k"]:
    """Probabilities above chance, after one step."""
    options = {"n_competitors": COMPETITORS, "above_chance": True}
    if kappa:
        outputs = EmbeddingSpectrum.power_law(d, kappa)
        return anisotropic_step.recovery_probability(items, outputs, samples=SAMPLES, **options)
    steps: dict[str, Callable] = {
        "muon": muon_step.recovery_probability,
        "newton": newton_step.recovery_probability,
        "gradient": gradient_step.recovery_probability,
    }
    return steps[theory](items, d, **options)
