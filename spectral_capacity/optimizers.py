"""Update rules: from a gradient to the direction that W moves in.

A rule takes a :class:`~spectral_capacity.spectral.Gradient`, a
:class:`~spectral_capacity.spectral.StepContext` and its options as keyword-only arguments, and
returns a (d, d) float64 direction D for W ← W + η·D. Its options are its configuration, as for
spectral maps. To add a rule, write the function and name it in :data:`RULES`.

No momentum and no weight decay: the theory has neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.spectral import MAPS, Gradient, StepContext


def gradient(gradient: Gradient, context: StepContext) -> Float[np.ndarray, "d d"]:
    """Gradient descent (SGD on a minibatch): the negative gradient itself."""
    return gradient.matrix


def spectral(
    gradient: Gradient, context: StepContext, *, map: Mapping[str, Any]
) -> Float[np.ndarray, "d d"]:
    """A scalar map of the gradient's singular values, ``map: {name: …, options}``; Muon is ``polar``."""
    options = {key: value for key, value in map.items() if key != "name"}
    return MAPS[map["name"]](gradient, context, **options)


RULES: dict[str, Callable[..., Float[np.ndarray, "d d"]]] = {
    "gradient": gradient,
    "spectral": spectral,
}
"""Every update rule by its name in the configuration."""


def direction(
    optimizer: Mapping[str, Any], gradient: Gradient, context: StepContext
) -> Float[np.ndarray, "d d"]:
    """Direction of one update of a configured optimizer (``rule`` and its options)."""
    options = {key: v for key, v in optimizer.items() if key not in ("rule", "learning_rate")}
    return RULES[optimizer["rule"]](gradient, context, **options)


def learning_rate(optimizer: Mapping[str, Any], context: StepContext) -> float:
    """η = scale · d^d_power."""
    rate = optimizer["learning_rate"]
    return rate["scale"] * context.d ** rate["d_power"]
