"""What an optimizer is, step after step: a state and an update of it, as optax has them.

Rules without a state stay functions (:mod:`optimizers.rules`); :class:`Smoothed` gives them a momentum and a
weight decay. Rules of :mod:`optimizers.transformations` are optax's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, PyTree

from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.rules import RULES, direction


class Step(NamedTuple):
    """direction: D for W ← W + η·D. state: the optimizer's, after it. smoothed: what stood for the gradient, a
    momentum; None where the gradient did."""

    direction: Float[np.ndarray, "d d"]
    state: PyTree
    smoothed: Gradient | None = None


@runtime_checkable
class Optimizer(Protocol):
    """A configured optimizer. Its state is a tree of arrays, and all that it remembers."""

    def init(self, W: Float[np.ndarray, "d d"]) -> PyTree:
        """The state before the first step from W."""

    def step(
        self, gradient: Gradient, state: PyTree, W: Float[np.ndarray, "d d"], context: StepContext
    ) -> Step:
        """The next step, from the negative gradient G at W."""


def optimizer_of(settings: Mapping[str, Any]) -> Optimizer:
    """From an entry of the configuration's ``optimizers``: ``rule`` and its options."""
    if settings["rule"] not in RULES:
        return Transformed(settings)
    options = {name: settings.get(name, 0.0) for name in ("momentum", "weight_decay")}
    return Smoothed(settings, nesterov=settings.get("nesterov", False), **options)


@dataclass(frozen=True)
class Smoothed:
    """A rule without a state on M_t = β M_{t−1} + G_t, with Nesterov's momentum on G_t + β M_t; less λ W.

    momentum: β; with 0 there is no state. weight_decay: λ, decoupled: W shrinks by η λ W. A sum of gradients,
    as PyTorch's SGD has; to maps that do not know the scale it is the mean of the public Muon.
    """

    settings: Mapping[str, Any]
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def init(self, W: Float[np.ndarray, "d d"]) -> PyTree:
        """M = 0, and the error that it comes with."""
        return {"momentum": np.zeros_like(W), "error": np.zeros(())} if self.momentum else {}

    def step(
        self, gradient: Gradient, state: PyTree, W: Float[np.ndarray, "d d"], context: StepContext
    ) -> Step:
        """D = rule(M) − λ W."""
        smoothed = None
        if self.momentum:
            M = self.momentum * state["momentum"] + gradient.matrix
            # Errors of different steps are independent.
            error = np.hypot(self.momentum * state["error"], gradient.error)
            state = {"momentum": M, "error": np.asarray(error)}
            ahead = gradient.matrix + self.momentum * M if self.nesterov else M
            smoothed = Gradient(ahead, float(error))
        D = direction(self.settings, smoothed or gradient, context)
        return Step(D - self.weight_decay * W if self.weight_decay else D, state, smoothed)


@dataclass(frozen=True)
class Transformed:
    """A transformation of optax, in float64. It is given the gradient of the loss, −G, and the memory W."""

    settings: Mapping[str, Any]

    def init(self, W: Float[np.ndarray, "d d"]) -> PyTree:
        """As the transformation has it. Raises TypeError where that is no tree of arrays."""
        return _arrays(self._rule.init(_tree(W)), self.settings["rule"])

    def step(
        self, gradient: Gradient, state: PyTree, W: Float[np.ndarray, "d d"], context: StepContext
    ) -> Step:
        """Its update of W, which is D at a learning rate of 1."""
        updates, state = self._rule.update(_tree(-gradient.matrix), state, _tree(W))
        state = _arrays(state, self.settings["rule"])
        return Step(np.array(updates[NAME], np.float64), state, _momentum(state, W.shape))

    @cached_property
    def _rule(self) -> Any:
        """Made once: a user's function may be slow, or count its calls."""
        from spectral_capacity.optimizers.transformations import transformation

        return transformation(self.settings, 1.0)


NAME = "W"
"""Of the memory among the parameters of a transformation."""


def _tree(W):
    from spectral_capacity.backend import jnp

    return {NAME: jnp.asarray(W)}


def _arrays(state, rule):
    from spectral_capacity.backend import jax

    try:
        return jax.tree.map(np.asarray, state)
    except TypeError as error:
        raise TypeError(f"{rule}: its state must be arrays of numbers ({error})") from error


def _momentum(state, shape):
    """The momentum that a transformation keeps, by the names that optax has for it; None without one."""
    import optax

    from spectral_capacity.backend import jax

    named = [pair for name in ("mu", "trace") for pair in optax.tree.get_all_with_path(state, name)]
    leaves = [leaf for _, tree in named for leaf in jax.tree.leaves(tree)]
    found = [leaf for leaf in leaves if leaf.size == np.prod(shape)]
    if len(found) != 1 or not np.isfinite(found[0]).all():
        return None
    return Gradient(-found[0].reshape(shape).astype(np.float64))
