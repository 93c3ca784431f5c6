"""Spectral maps: what an optimizer does to the singular values of a gradient.

A map takes a :class:`Gradient`, a :class:`StepContext` and its own options as keyword-only
arguments, and returns a (d, d) float64 direction. Options with their annotations and defaults *are*
the configuration schema: ``map: {name: newton_schulz, iterations: 5}`` calls
``newton_schulz(gradient, context, iterations=5)``, checked before any job starts. To add a map,
write the function and name it in :data:`MAPS`; or leave the package alone and name a file of your
own (:func:`own`).

This is d × d work against the N·d² of a gradient: it runs in NumPy float64 on the host, where the
singular value decomposition is accurate and the same whatever device holds the embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Protocol

import numpy as np
from annotated_types import Ge, Gt
from jaxtyping import Float

from spectral_capacity import newtonschulz, ownmap
from spectral_capacity.scaling import bulk_exponent


@dataclass(frozen=True)
class StepContext:
    """What a rule may know beside the gradient.

    d: embedding dimension. alpha: exponent of the item frequencies. batch_size: samples behind the
    gradient, inf for the population. step: 1 for the first update. moments: second moments of the
    embeddings, computed when asked for.
    """

    d: int
    alpha: float
    batch_size: float
    step: int = 1
    moments: Moments | None = None


class Moments(Protocol):
    """What a preconditioner may ask for, (d, d) float64 each; every one costs as much as a gradient."""

    @property
    def output_covariance(self) -> Float[np.ndarray, "d d"]:
        """A_v = (1/N) Σ_j (v_j − v̄)(v_j − v̄)ᵀ."""

    @property
    def input_moment(self) -> Float[np.ndarray, "d d"]:
        """C_u = Σ_i q_i u_i u_iᵀ with the weights q_i of this gradient."""


class Gradient:
    """A negative gradient G, (d, d) float64, and its singular value decomposition, made once.

    ``left``, ``singular_values`` and ``right`` span the numerical range only:
    G ≈ left @ diag(singular_values) @ right, singular values descending and above d·ε·σ_max and the
    ``error`` that G came with. What lies below is rounding; a map that lifts small singular values would
    add random directions.
    """

    def __init__(self, matrix: Float[np.ndarray, "d d"], error: float = 0.0) -> None:
        self.matrix = matrix
        self.error = error

    @cached_property
    def _decomposition(self):
        left, sigma, right = np.linalg.svd(self.matrix)
        threshold = max(sigma[0] * sigma.size * np.finfo(np.float64).eps, self.error)
        rank = int((sigma > threshold).sum())
        for factor in (left, sigma, right):  # shared by all who ask: a map must not edit them
            factor.setflags(write=False)
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
    unit: Literal["absolute", "bulk"] = "absolute",
) -> Float[np.ndarray, "d d"]:
    """h_λ(z) = z / √(z² + λ²), the stabilised Muon of arXiv:2603.26554.

    ``resolution`` is λ, in units of the gradient's singular values (``absolute``) or of the scale of
    their bulk (``bulk``): d^(−α) at the first step (Lemma 8), λ_t ∝ d^(1/2 − α e_t) at step t (Theorem
    9). Far above the spectrum the map is a multiple of the identity, far below it the polar map.
    ``theory`` takes :func:`stabilising_resolution`, whatever the unit.
    """
    if resolution == "theory":
        resolution = stabilising_resolution(context)
    elif unit == "bulk":
        resolution *= bulk_scale(context)
    sigma = gradient.singular_values
    return gradient.with_singular_values(sigma / np.hypot(sigma, resolution))


def power(
    gradient: Gradient,
    context: StepContext,
    *,
    exponent: Annotated[float, Ge(0)],
) -> Float[np.ndarray, "d d"]:
    """h(z) = z^γ over the numerical range: γ = 1 is gradient descent, γ = 0 the polar map."""
    return gradient.with_singular_values(gradient.singular_values**exponent)


def own(
    gradient: Gradient,
    context: StepContext,
    *,
    file: str,
    function: str,
    options: dict[str, bool | int | float | str | list[float]] | None = None,
) -> Float[np.ndarray, "d d"]:
    """A map from a Python file of your own: ``function(gradient, context, **options)``.

    Raises TypeError or ValueError, which name the file, when the function does not return a (d, d)
    array of numbers.
    """
    result = ownmap.load(file, function)(gradient, context, **(options or {}))
    return ownmap.as_direction(result, gradient.matrix.shape, f"{file}: {function}")


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
    for a, b, c in newtonschulz.coefficients(coefficients, iterations):
        S = X @ X.T
        X = a * X + (b * S + c * (S @ S)) @ X
    return X


def bulk_scale(context: StepContext) -> float:
    """Scale of the bulk singular values that are left to learn at this step, without logarithms."""
    return context.d ** bulk_exponent(context.alpha, context.step)


def stabilising_resolution(context: StepContext) -> float:
    """λ = max{(log d)^(2α+2) · bulk, (log d)²/B}, at which the theory runs stabilised Muon.

    The bulk is d^(−α) at the first step (Theorem 3) and d^(1/2 − α e_t) at step t (Theorem 9). Zero in
    its second part for the population gradient (``batch_size`` inf). The logarithms make it larger than
    the whole spectrum of G_0 at any d that fits a computer.
    """
    log_d = math.log(context.d)
    return max(
        log_d ** (2 * context.alpha + 2) * bulk_scale(context), log_d**2 / context.batch_size
    )


MAPS: dict[str, Callable[..., Float[np.ndarray, "d d"]]] = {
    "identity": identity,
    "polar": polar,
    "smoothed_polar": smoothed_polar,
    "power": power,
    "newton_schulz": newton_schulz,
    "own": own,
}
"""Every spectral map by its name in the configuration."""
