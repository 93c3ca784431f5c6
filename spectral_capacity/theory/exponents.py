"""Scaling exponents of the theorems: how quantities grow with d, up to logarithms.

Plain functions of plain numbers: training takes its schedules from them, so they stand apart from
the finite-size predictions of :mod:`theory.predictions`, which no training needs.
"""

from __future__ import annotations

import math


def muon_exponent(alpha: float, kappa: float = 0.0, steps: int = 1) -> float:
    """Population Muon stores ≍ d^(2 − (1 − 1/(2α))^t) items in t steps (arXiv:2603.26554, Theorem 9).

    1 + 1/(2α) for one step (Theorem 3), towards 2 for many. The theorem is about thresholded steps at a
    constant learning rate ≍ √d; for exact ones it is the paper's conjecture. For outputs with a spectrum
    k^(−κ) the exponent of one step is lower by max(κ − 1, 0)/(2α): a heuristic of ours, not a theorem,
    for κ < 2α + 1; NaN beyond, and for more steps at κ > 0.
    """
    if kappa > 0 and (steps > 1 or kappa >= 2 * alpha + 1):
        return math.nan
    return 2 - (1 - 1 / (2 * alpha)) ** steps - max(kappa - 1, 0) / (2 * alpha)


def gradient_exponent(alpha: float, steps: int = 1) -> float:
    """Most that t population gradient steps store, ≍ d^e_t (arXiv:2603.26554, Theorems 5 and 10).

    e_0 = 0; e_{t+1} = e_t + 1/(2α) while e_t < 1, then (1 − 1/(2α)) e_t + 1/α: towards 2 like Muon's,
    but Muon is past 1 after its first step. Reached by the growing learning rates η_t ≍ d^(α e_t) on
    thresholded gradients; a constant one reaches it in the first step only.
    """
    exponent = 0.0
    for _ in range(steps):
        if exponent < 1:
            exponent += 1 / (2 * alpha)
        else:
            exponent = (1 - 1 / (2 * alpha)) * exponent + 1 / alpha
    return exponent


def bulk_exponent(alpha: float, steps: int = 1) -> float:
    """The bulk of the gradient's singular values at step t scales as d^(1/2 − α e_t), e_t Muon's exponent.

    d^(−α) at the first (arXiv:2603.26554, Lemma 8), where it is the singular value of G_0 at rank ~d/2;
    later the resolution λ_t of Theorem 9.
    """
    return 0.5 - alpha * muon_exponent(alpha, steps=steps)


def muon_critical_batch_exponent(alpha: float) -> float:
    """Muon's critical batch size is ≍ d^(α + 1/2): where B^(1/α) meets its capacity (Theorem 3)."""
    return alpha + 0.5


GRADIENT_CRITICAL_BATCH_EXPONENT = 0.5
"""SGD's critical batch size is ≍ d^(1/2), whatever α (arXiv:2603.26554, Theorem 5)."""
