"""Spectral maps: what an optimizer does to the singular values of a gradient.

A map takes a :class:`Gradient`, a :class:`StepContext` and its own options as keyword-only
arguments, and returns a (d, d) float64 direction. Options with their annotations and defaults *are*
the configuration schema: ``map: {name: newton_schulz, iterations: 5}`` calls
``newton_schulz(gradient, context, iterations=5)``, checked before any job starts. To add a map,
write the function and name it in :data:`MAPS`; or leave the package alone and name a file of your
own (:func:`own`).

What a map is as a function of singular values stands in :mod:`theory.spectral_maps`, which predictions share.

This is d × d work against the N·d² of a gradient: it runs in NumPy float64 on the host, where the
singular value decomposition is accurate and the same whatever device holds the embeddings.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, doc
from jaxtyping import Float

from spectral_capacity.optimizers import own_map
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.theory import spectral_maps
from spectral_capacity.theory.newton_schulz import coefficients as polynomials

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
    resolution: Annotated[
        PositiveFloat | Literal["theory"],
        doc("λ, or `theory` for max{(log d)^(2α+2) d^(−α), (log d)²/B}"),
    ] = "theory",
    unit: Annotated[
        Literal["absolute", "bulk"],
        doc(
            "of a number λ. `absolute`: as G's singular values. `bulk`: multiples of d^(−α) at the first step "
            "and of d^(1/2 − α e_t), e_t Muon's exponent, at step t (Theorem 9)"
        ),
    ] = "absolute",
) -> Float[np.ndarray, "d d"]:
    """h_λ(z) = z / √(z² + λ²), the stabilised Muon of arXiv:2603.26554.

    ``resolution`` is λ, in units of the gradient's singular values (``absolute``) or of the scale of
    their bulk (``bulk``): d^(−α) at the first step (Lemma 8), λ_t ∝ d^(1/2 − α e_t) at step t (Theorem
    9). Far above the spectrum the map is a multiple of the identity, far below it the polar map.
    ``theory`` takes that of :func:`theory.spectral_maps.resolution_of`, whatever the unit.
    """
    at = {"d": context.d, "alpha": context.alpha, "step": context.step}
    scale = spectral_maps.resolution_of(resolution, unit, **at, batch_size=context.batch_size)
    return _mapped(gradient, partial(spectral_maps.smoothed_polar, resolution=scale))


def power(
    gradient: Gradient,
    context: StepContext,
    *,
    exponent: Annotated[float, Ge(0), doc("γ; 1 is gradient descent, 0 the polar map")],
) -> Float[np.ndarray, "d d"]:
    """h(z) = z^γ over the numerical range: γ = 1 is gradient descent, γ = 0 the polar map."""
    return _mapped(gradient, partial(spectral_maps.power, exponent=exponent))


def own(
    gradient: Gradient,
    context: StepContext,
    *,
    file: Annotated[str, doc("path of the Python file")],
    function: Annotated[str, doc("its name there")],
    options: Annotated[
        dict[str, bool | int | float | str | list[float]] | None, doc("its keyword arguments")
    ] = None,
) -> Float[np.ndarray, "d d"]:
    """A map from a Python file of your own: ``function(gradient, context, **options)``.

    Raises TypeError, ValueError or FloatingPointError, which name the file, when the function does not
    return a (d, d) array of finite numbers.
    """
    loaded = own_map.load(file, function)
    return own_map.call(loaded, f"{file}: {function}", gradient, context, **(options or {}))


def newton_schulz(
    gradient: Gradient,
    context: StepContext,
    *,
    coefficients: Annotated[
        Literal["cubic", "jordan", "polar_express"], doc("`cubic`, `jordan` or `polar_express`")
    ] = "jordan",
    iterations: Annotated[int, Ge(0), Le(1000), doc("k")] = 5,
) -> Float[np.ndarray, "d d"]:
    """Odd polynomial iteration X ← a X + b (XXᵀ)X + c (XXᵀ)²X on X = G/‖G‖_F.

    ``cubic`` is Newton–Schulz proper, (3/2, −1/2, 0); ``jordan`` the quintic of the public Muon
    (Jordan et al., 2024), which trades accuracy at 1 for growth at 0; ``polar_express`` the minimax
    quintics of arXiv:2505.16932, a new one each iteration. In float64: rounding of lower precisions
    is not modelled. A zero gradient stays zero. The iteration needs no singular value decomposition;
    :func:`theory.spectral_maps.newton_schulz` is what it does to a singular value.
    """
    norm = np.linalg.norm(gradient.matrix)
    X = gradient.matrix / norm if norm > 0 else gradient.matrix
    for a, b, c in polynomials(coefficients, iterations):
        S = X @ X.T
        X = a * X + (b * S + c * (S @ S)) @ X
    return X


def _mapped(gradient: Gradient, h: spectral_maps.ScalarMap) -> Float[np.ndarray, "d d"]:
    sigma = gradient.singular_values
    return gradient.with_singular_values(h(sigma, float(np.linalg.norm(gradient.matrix))))


MAPS: dict[str, Callable[..., Float[np.ndarray, "d d"]]] = {
    "identity": identity,
    "polar": polar,
    "smoothed_polar": smoothed_polar,
    "power": power,
    "newton_schulz": newton_schulz,
    "own": own,
}
"""Every spectral map by its name in the configuration."""
