"""What one memory learns from, and how."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int64

from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.moments import Moments
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.update import Optimizer, optimizer_of

LARGEST = 1e15
"""Entry of W beyond which the softmax of another step means nothing."""


@dataclass(frozen=True)
class EarlyStop:
    """Stop when the best count so far has gained less than the share ``gain`` over ``window`` steps.

    The best: at a constant learning rate counts alternate, and one low count is no end.
    """

    window: int
    gain: float

    def __call__(self, counts: Int64[np.ndarray, " t"]) -> bool:
        if counts.size <= self.window:
            return False
        before = counts[: -self.window].max().item()
        return counts.max().item() - before < self.gain * max(before, 1)


@dataclass(frozen=True)
class BatchMoments(Moments):
    """Second moments of the embeddings for one batch; see :class:`memory.moments.Moments`."""

    data: Associations
    weights: Float[np.ndarray, " n"]

    @property
    def output_covariance(self) -> Float[np.ndarray, "d d"]:
        return self.data.output_covariance

    @cached_property
    def input_moment(self) -> Float[np.ndarray, "d d"]:
        return self.data.input_moment(self.weights)


@dataclass(frozen=True)
class Run:
    """What one memory learns from, and how.

    weights: the q_i of the gradient at each step, 1 … ``steps``; None for the population's, p.
    optimizer: an entry of the configuration's ``optimizers``. gradient: ``exact``, the softmax gradient at
    the memory as it is, or ``thresholded``, the paper's Eq. 7: items once recovered are left out for good,
    and all others keep the gradient they had at W = 0. output_variances: eigenvalues of Ξ (None:
    isotropic). loss_factors: multiples of the learning rate at which the loss over all items is computed
    after each step, N² logits each (None: only where it comes with the gradient). prefix_share: of
    :meth:`memory.recall.Recall.robust_prefix`.
    """

    data: Associations
    p: Float[np.ndarray, " n"]
    optimizer: Mapping[str, Any]
    alpha: float
    steps: int = 1
    gradient: Literal["exact", "thresholded"] = "exact"
    batch_size: float = math.inf
    weights: Callable[[int], Float[np.ndarray, " n"]] | None = None
    output_variances: Float[np.ndarray, " d"] | None = None
    loss_factors: Sequence[float] | None = None
    early_stop: EarlyStop | None = None
    prefix_share: float = 0.95
    devices: int = 1

    def weights_at(self, step: int) -> Float[np.ndarray, " n"]:
        """q_i of the gradient at this step."""
        return self.p if self.weights is None else self.weights(step)

    @cached_property
    def update(self) -> Optimizer:
        """The optimizer, with its state."""
        return optimizer_of(self.optimizer)

    @cached_property
    def first_gradient(self) -> Gradient:
        """The negative gradient at W = 0, which runs at all learning rates start from.

        Raises FloatingPointError when it is not finite: then the embeddings are not.
        """
        G = self.data.initial_gradient(self.weights_at(1))
        if not np.isfinite(G).all():
            raise FloatingPointError("the gradient has entries that are not finite")
        return Gradient(G)

    def context(self, step: int, q: Float[np.ndarray, " n"]) -> StepContext:
        """What the optimizer may know at this step, whose gradient has the weights q."""
        d = self.data.U.shape[1]
        moments = BatchMoments(self.data, q)
        return StepContext(d, self.alpha, self.batch_size, step, moments, self.steps)

    def has_diverged(self, W: Float[np.ndarray, "d d"]) -> bool:
        """Whether W is not finite or, with more than one step, has an entry above :data:`LARGEST`.

        What a single step recalls does not depend on its rate, however large.
        """
        return not np.abs(W).max() < (LARGEST if self.steps > 1 else math.inf)  # NaN is not

    @property
    def computes_all_logits(self) -> bool:
        """Whether a gradient takes the softmax of every item: recall and loss come with it."""
        every_item = self.weights is None and bool(self.p.all())
        return every_item and self.gradient == "exact" and self.steps > 1
