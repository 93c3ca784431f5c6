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

import ml_dtypes  # noqa: F401  (gives NumPy the name bfloat16)
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
    last_exponent: Annotated[
        float | None, Ge(0), doc("γ at the run's last step, linear in between; left out: the same")
    ] = None,
) -> Float[np.ndarray, "d d"]:
    """h(z) = z^γ over the numerical range: γ = 1 is gradient descent, γ = 0 the polar map."""
    gamma = exponent
    if last_exponent is not None and context.steps > 1:
        gamma += (last_exponent - exponent) * (context.step - 1) / (context.steps - 1)
    return _mapped(gradient, partial(spectral_maps.power, exponent=gamma))


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
    precision: Annotated[
        Literal["float64", "float32", "bfloat16", "float16"],
        doc(
            "what every sum and product is rounded to: `float64`, `float32`, `bfloat16`, `float16`"
        ),
    ] = "float64",
    safety: Annotated[
        float,
        Ge(1),
        doc("all but the last polynomial are taken at x/s; Polar Express has 1.01 for bfloat16"),
    ] = 1.0,
) -> Float[np.ndarray, "d d"]:
    """Odd polynomial iteration X ← a X + b (XXᵀ)X + c (XXᵀ)²X on X = G/‖G‖_F.

    ``cubic`` is Newton–Schulz proper, (3/2, −1/2, 0); ``jordan`` the quintic of the public Muon
    (Jordan et al., 2024), which trades accuracy at 1 for growth at 0; ``polar_express`` the minimax
    quintics of arXiv:2505.16932, a new one each iteration, and X = G/(s‖G‖_F) with a ``safety`` s. A zero
    gradient stays zero. The iteration needs no singular value decomposition;
    :func:`theory.spectral_maps.newton_schulz` is what it does to a singular value.

    ``precision`` is what the public Muon has in bfloat16: products are summed in float64 (hardware has float32)
    and rounded once, as every multiple and sum of matrices is.
    """
    to = partial(_rounded, precision=precision)
    norm = np.linalg.norm(gradient.matrix)
    X = to(gradient.matrix / (safety * norm) if norm > 0 else gradient.matrix)
    for a, b, c in polynomials(coefficients, iterations, safety):
        S = to(X @ X.T)
        X = to(to(a * X) + to(to(to(b * S) + to(c * to(S @ S))) @ X))
    return X


def _rounded(X: Float[np.ndarray, "d d"], precision: str) -> Float[np.ndarray, "d d"]:
    """X in float64, each entry rounded to the nearest number of a lower precision."""
    return X if precision == "float64" else X.astype(np.dtype(precision)).astype(np.float64)


def block_polar(
    gradient: Gradient,
    context: StepContext,
    *,
    blocks: Annotated[int, Ge(1), Le(2**17), doc("how many; d must be a multiple of it")],
) -> Float[np.ndarray, "d d"]:
    """The exact polar factor of each of several blocks of rows (outputs), as libraries have it for heads.

    Each over its own numerical range. No map of the singular values of the whole gradient. Raises ValueError
    where d is no multiple of ``blocks``.
    """
    d = gradient.matrix.shape[0]
    if d % blocks:
        raise ValueError(f"d = {d} is no multiple of {blocks} blocks")
    parts = np.split(gradient.matrix, blocks)
    return np.concatenate([_polar_factor(part, gradient.error) for part in parts])


def _polar_factor(part: Float[np.ndarray, "m d"], error: float) -> Float[np.ndarray, "m d"]:
    left, sigma, right = np.linalg.svd(part, full_matrices=False)
    kept = sigma > max(sigma[0] * max(part.shape) * np.finfo(np.float64).eps, error)
    return left[:, kept] @ right[kept]


def _mapped(gradient: Gradient, h: spectral_maps.ScalarMap) -> Float[np.ndarray, "d d"]:
    sigma = gradient.singular_values
    return gradient.with_singular_values(h(sigma, float(np.linalg.norm(gradient.matrix))))


MAPS: dict[str, Callable[..., Float[np.ndarray, "d d"]]] = {
    "identity": identity,
    "polar": polar,
    "smoothed_polar": smoothed_polar,
    "power": power,
    "newton_schulz": newton_schulz,
    "block_polar": block_polar,
    "own": own,
}
"""Every spectral map by its name in the configuration."""
