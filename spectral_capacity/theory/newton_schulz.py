"""Odd polynomials whose composition tends to the sign of a singular value."""

from __future__ import annotations

import numpy as np

JORDAN = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic of the public Muon (Jordan et al., 2024)."""


def coefficients(
    name: str, iterations: int, safety: float = 1.0
) -> list[tuple[float, float, float]]:
    """(a, b, c) of each iteration of :func:`optimizers.maps.newton_schulz`.

    ``safety`` s: all but the last polynomial are taken at x/s, so that a singular value that rounding has moved
    above its interval does not grow on.
    """
    if name == "polar_express":
        found = polar_express(iterations)
    else:
        fixed = {"cubic": (1.5, -0.5, 0.0), "jordan": JORDAN}
        found = [fixed[name]] * iterations
    scaled = [(a / safety, b / safety**3, c / safety**5) for a, b, c in found[:-1]]
    return [*scaled, *found[-1:]]


def polar_express(
    iterations: int, smallest: float = 1e-3, cushion: float = 0.02407327424182761
) -> list[tuple[float, float, float]]:
    """Minimax odd quintics to sign on [l, u], composed greedily (arXiv:2505.16932, Algorithm 1).

    Starts from [``smallest``, 1]; each polynomial maps its interval onto [l', 2 − l'], the next
    one's. ``cushion`` keeps l/u from below while a polynomial is found, as the authors do, so that no
    singular value shrinks on the way.
    """
    lower, upper = smallest, 1.0
    chosen = []
    for _ in range(iterations):
        a, b, c = minimax_quintic(max(lower, cushion * upper), upper)
        low, high = (a * x + b * x**3 + c * x**5 for x in (lower, upper))
        recentre = 2 / (low + high)
        chosen.append((a * recentre, b * recentre, c * recentre))
        lower = recentre * low
        upper = 2 - lower
    return chosen


def minimax_quintic(lower: float, upper: float) -> tuple[float, float, float]:
    """Remez exchange for min max |1 − ax − bx³ − cx⁵| on [lower, upper]."""
    if upper - lower < 5e-6 * upper:  # the limit: Padé's quintic, scaled to the point
        return (15 / 8) / upper, (-10 / 8) / upper**3, (3 / 8) / upper**5
    inner = np.array([3 * lower + upper, lower + 3 * upper]) / 4
    error = np.inf
    for _ in range(100):
        x = np.array([lower, *inner, upper])
        system = np.stack([x, x**3, x**5, np.array([1.0, -1.0, 1.0, -1.0])], axis=1)
        a, b, c, equal = np.linalg.solve(system, np.ones(4))
        if abs(error - equal) <= 1e-15:
            break
        error = equal
        # The inner extrema: zeros of a + 3bx² + 5cx⁴.
        root = np.sqrt(max(9 * b * b - 20 * a * c, 0.0))
        inner = np.sqrt(np.array([-3 * b - root, -3 * b + root]) / (10 * c))
    return float(a), float(b), float(c)
