"""Update rules: from a gradient to the direction that W moves in.

A rule takes a :class:`~optimizers.gradient.Gradient`, a
:class:`~optimizers.gradient.StepContext` and its options as keyword-only arguments, and
returns a (d, d) float64 direction D for W ← W + η·D. Its options are its configuration, as for
spectral maps. To add a rule, write the function and name it in :data:`RULES`.

These have no state. Momentum and weight decay, which any of them may have, are those of
:class:`optimizers.update.Smoothed`; rules that keep more are in :mod:`optimizers.transformations`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, doc
from jaxtyping import Float

from spectral_capacity.memory.moments import numerical_range
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import MAPS
from spectral_capacity.theory.learning_rates import rate_at

OF_NO_RULE = ("learning_rate", "momentum", "nesterov", "weight_decay")
"""Keys of an optimizer that are no options of its rule."""

RIDGE = 1e-8
"""Of arXiv:2603.26554's Newton step."""


def gradient(gradient: Gradient, context: StepContext) -> Float[np.ndarray, "d d"]:
    """Gradient descent (SGD on a minibatch): the negative gradient itself."""
    return gradient.matrix


def spectral(
    gradient: Gradient,
    context: StepContext,
    *,
    map: Annotated[Mapping[str, Any], doc("`{name: …, options}`, below")],
) -> Float[np.ndarray, "d d"]:
    """A scalar map of the gradient's singular values, ``map: {name: …, options}``; Muon is ``polar``.

    In Python a function like those in :data:`MAPS` may stand for its name.
    """
    options = {key: value for key, value in map.items() if key != "name"}
    function = map["name"] if callable(map["name"]) else MAPS[map["name"]]
    return function(gradient, context, **options)


def newton(
    gradient: Gradient,
    context: StepContext,
    *,
    ridge: Annotated[float, Ge(0), doc("added to both factors")] = RIDGE,
) -> Float[np.ndarray, "d d"]:
    """Newton's step from zero, (A_v + ridge)^(−1) G (C_u + ridge)^(−1); a preconditioner later on.

    At W = 0 the Hessian of the loss is the Kronecker product of A_v, the covariance of the outputs, and
    C_u = Σ_i q_i u_i u_iᵀ. Solved in float64 by symmetric eigendecompositions over the numerical range
    of each factor: a batch of fewer than d items leaves C_u singular, and what G has there is rounding.
    With ridge 0 the recovered set does not change under any invertible linear map of the v's. Left out:
    the Hessian away from zero, which is no such product.
    """
    half = _solve(context.moments.output_covariance, ridge, gradient.matrix)
    return _solve(context.moments.input_moment, ridge, half.T).T


def _solve(A, ridge, B):
    """X of (A + ridge) X = B over the numerical range of A ⪰ 0."""
    values, vectors = numerical_range(A)
    return vectors @ ((vectors.T @ B) / (values + ridge)[:, None])


def sign(gradient: Gradient, context: StepContext) -> Float[np.ndarray, "d d"]:
    """SignSGD: the sign of every entry of G. Not a spectral map: it knows the basis."""
    return np.sign(gradient.matrix)


RULES: dict[str, Callable[..., Float[np.ndarray, "d d"]]] = {
    "gradient": gradient,
    "spectral": spectral,
    "newton": newton,
    "sign": sign,
}
"""Every update rule by its name in the configuration."""


def direction(
    optimizer: Mapping[str, Any], gradient: Gradient, context: StepContext
) -> Float[np.ndarray, "d d"]:
    """Direction of one update of a configured optimizer (``rule`` and its options).

    Zero for a gradient of zero (thresholded, everything sampled is known): no rule is asked.
    """
    if not gradient.matrix.any():
        return np.zeros_like(gradient.matrix)
    options = {key: v for key, v in optimizer.items() if key not in ("rule", *OF_NO_RULE)}
    return RULES[optimizer["rule"]](gradient, context, **options)


def learning_rate(optimizer: Mapping[str, Any], context: StepContext) -> float:
    """η of a configured optimizer at a step (:func:`theory.learning_rates.rate_at`)."""
    at = (context.d, context.alpha, context.step, context.steps)
    return rate_at(optimizer["learning_rate"], *at)
