"""Spectral maps: what an optimizer does to the singular values of a gradient.

A map takes a :class:`Gradient`, a :class:`StepContext` and its own options as keyword-only
arguments, and returns a (d, d) float64 direction. Options with their annotations and defaults *are*
the configuration schema: ``map: {name: newton_schulz, iterations: 5}`` calls
``newton_schulz(gradient, context, iterations=5)``, checked before any job starts. To add a map,
write the function and name it in :data:`MAPS`.

This is d × d work against the N·d² of a gradient: it runs in NumPy float64 on the host, where the
singular value decomposition is accurate and the same whatever device holds the embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt
from jaxtyping import Float


@dataclass(frozen=True)
class StepContext:
    """What a rule may know beside the gradient.

    d: embedding dimension. alpha: exponent of the item frequencies. batch_size: samples behind the
    gradient, inf for the population. step: 1 for the first update.
    """

    d: int
    alpha: float
    batch_size: float
    step: int = 1


class Gradient:
    """A negative gradient G, (d, d) float64, and its singular value decomposition, made once.

    ``left``, ``singular_values`` and ``right`` span the numerical range only:
    G ≈ left @ diag(singular_values) @ right, singular values descending and above d·ε·σ_max. What
    lies below is rounding; a map that lifts small singular values would add random directions.
    """

    def __init__(self, matrix: Float[np.ndarray, "d d"]) -> None:
        self.matrix = matrix

    @cached_property
    def _decomposition(self):
        left, sigma, right = np.linalg.svd(self.matrix)
        threshold = sigma[0] * sigma.size * np.finfo(np.float64).eps
        rank = int((sigma > threshold).sum())
        return left[:, :rank], sigma, right[:rank]

    @property
    def left(self) -> Float[np.ndarray, "d r"]:
        return self._decomposition[0]

    @property
    def right(self) -> Float[np.ndarray, "r d"]:
        return self._decomposition[2]

    @property
    def singular_values(self) -> Float[np.ndarray, " r"]:
        return self._decomposition[1][: self.rank]

    @property
    def rank(self) -> int:
        """Dimension of the numerical range."""
        return self._decomposition[0].shape[1]

    def with_singular_values(self, values: Float[np.ndarray, " r"]) -> Float[np.ndarray, "d d"]:
        """The matrix with the singular vectors of G and these singular values."""
        return (self.left * values) @ self.right


PositiveFloat = Annotated[float, Gt(0)]


def identity(gradient: Gradient, context: StepContext) -> Float[np.ndarray, "d d"]:
    """h(z) = z: gradient descent, written as a spectral map."""
    return gradient.matrix


def polar(gradient: Gradient, context: StepContext) -> Float[np.ndarray, "d d"]:
    """h(z) = sign(z), exact: A Bᵀ from G = A Σ Bᵀ over the numerical range of G. Muon's map."""
    return gradient.left @ gradient.right


def smoothed_polar(
    gradient: Gradient,
    context: StepContext,
    *,
    resolution: PositiveFloat | Literal["theory"] = "theory",
) -> Float[np.ndarray, "d d"]:
    """h_λ(z) = z / √(z² + λ²), the stabilised Muon of arXiv:2603.26554.

    ``resolution`` is λ in units of the gradient's singular values: far above them the map is a
    multiple of the identity, far below the polar map. ``theory`` takes
    :func:`stabilising_resolution`.
    """
    if resolution == "theory":
        resolution = stabilising_resolution(context.d, context.alpha, context.batch_size)
    sigma = gradient.singular_values
    return gradient.with_singular_values(sigma / np.hypot(sigma, resolution))


def newton_schulz(
    gradient: Gradient,
    context: StepContext,
    *,
    coefficients: Literal["cubic", "jordan", "polar_express"] = "jordan",
    iterations: Annotated[int, Ge(0)] = 5,
) -> Float[np.ndarray, "d d"]:
    """Odd polynomial iteration X ← a X + b (XXᵀ)X + c (XXᵀ)²X on X = G/‖G‖_F.

    ``cubic`` is Newton–Schulz proper, (3/2, −1/2, 0); ``jordan`` the quintic of the public Muon
    (Jordan et al., 2024), which trades accuracy at 1 for growth at 0; ``polar_express`` the minimax
    quintics of arXiv:2505.16932, a new one each iteration. In float64: rounding of lower precisions
    is not modelled. A zero gradient stays zero.
    """
    norm = np.linalg.norm(gradient.matrix)
    X = gradient.matrix / norm if norm > 0 else gradient.matrix
    for a, b, c in newton_schulz_coefficients(coefficients, iterations):
        S = X @ X.T
        X = a * X + (b * S + c * (S @ S)) @ X
    return X


def newton_schulz_coefficients(name: str, iterations: int) -> list[tuple[float, float, float]]:
    """(a, b, c) of each iteration of :func:`newton_schulz`."""
    if name == "polar_express":
        return polar_express_coefficients(iterations)
    fixed = {"cubic": (1.5, -0.5, 0.0), "jordan": (3.4445, -4.7750, 2.0315)}
    return [fixed[name]] * iterations


def polar_express_coefficients(
    iterations: int, smallest: float = 1e-3, cushion: float = 0.02407327424182761
) -> list[tuple[float, float, float]]:
    """Minimax odd quintics to sign on [l, u], composed greedily (arXiv:2505.16932, Algorithm 1).

    Starts from [``smallest``, 1]; each polynomial maps its interval onto [l', 2 − l'], the next
    one's. ``cushion`` keeps l/u from below while a polynomial is found, as the authors do, so that no
    singular value shrinks on the way. Their safety factor for bfloat16 is left out.
    """
    lower, upper = smallest, 1.0
    chosen = []
    for _ in range(iterations):
        a, b, c = _minimax_quintic(max(lower, cushion * upper), upper)
        low, high = (a * x + b * x**3 + c * x**5 for x in (lower, upper))
        recentre = 2 / (low + high)
        chosen.append((a * recentre, b * recentre, c * recentre))
        lower = recentre * low
        upper = 2 - lower
    return chosen


def _minimax_quintic(lower: float, upper: float) -> tuple[float, float, float]:
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


def stabilising_resolution(d: int, alpha: float, batch_size: float) -> float:
    """λ = max{(log d)^(2α+2) d^(−α), (log d)²/B}, at which the theory runs stabilised Muon.

    Zero in its second part for the population gradient (``batch_size`` inf). The logarithms make it
    larger than the whole spectrum of G_0 at any d that fits a computer.
    """
    log_d = math.log(d)
    return max(log_d ** (2 * alpha + 2) * d**-alpha, log_d**2 / batch_size)


def spike_slope(
    singular_values: Float[np.ndarray, " r"],
    d: int,
    output_variances: Float[np.ndarray, " r"] | None = None,
) -> float:
    """Slope s at which the polar map lifts one item: v_iᵀ polar(G) u_i ≈ s·q_i for a rare item i.

    s = (1/d) Σ_{a≠b} ξ_a / (σ_a + σ_b) over the r directions of the numerical range of G, from
    first-order perturbation theory of the polar factor. ξ_a is the variance of v along the left
    singular vector l_a, ξ_a = l_aᵀ Ξ l_a; None means isotropic, ξ_a = 1/d. Saturation of frequent
    items is ignored. NaN when the range is empty.
    """
    r = singular_values.size
    if r == 0:
        return math.nan
    inverse = 1.0 / np.add.outer(singular_values, singular_values)
    np.fill_diagonal(inverse, 0.0)
    rows = inverse.sum(axis=1)
    weights = np.full(r, 1.0 / d) if output_variances is None else output_variances
    return float(rows @ weights) / d


MAPS: dict[str, Callable[..., Float[np.ndarray, "d d"]]] = {
    "identity": identity,
    "polar": polar,
    "smoothed_polar": smoothed_polar,
    "newton_schulz": newton_schulz,
}
"""Every spectral map by its name in the configuration."""
