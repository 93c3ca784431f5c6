"""Training: the steps of one memory, W ← W + η·D, and what it recalls after each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int64

from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.competitors import compete
from spectral_capacity.memory.measured import SCHEMA
from spectral_capacity.memory.moments import Moments
from spectral_capacity.memory.recall import Recall, recall, recall_from_margins
from spectral_capacity.memory.softmax_gradient import SoftmaxGradient, softmax_gradient
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.rules import direction, learning_rate
from spectral_capacity.results.schema import Status
from spectral_capacity.training.diagnostics import losses, response_slope, spectrum
from spectral_capacity.training.response import logit_noise

LARGEST = 1e15
"""Entry of W beyond which the softmax of another step means nothing: the run has diverged."""


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
class Run:
    """What one memory learns from, and how.

    weights: the q_i of the gradient at each step, 1 … ``steps``; None for the population's, p.
    optimizer: an entry of the configuration's ``optimizers``. gradient: ``exact``, the softmax gradient at
    the memory as it is, or ``thresholded``, the paper's Eq. 7: items once recovered are left out for good,
    and all others keep the gradient they had at W = 0. output_variances: eigenvalues of Ξ (None:
    isotropic). loss_factors: multiples of the learning rate at which the loss over all items is computed
    after each step, N² logits each (None: only where it comes with the gradient).
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
    devices: int = 1

    @property
    def meets_all(self) -> bool:
        """Whether a gradient has every item meet every other: the recall and the loss come with it."""
        everyone = self.weights is None and bool(self.p.all())
        return everyone and self.gradient == "exact" and self.steps > 1


@dataclass(frozen=True)
class State:
    """A memory after ``step`` updates: all that the next one depends on, and what was measured.

    recovered: items recovered now. known: items recovered after some step so far. seen: items that some
    gradient so far was made of. counts: recovered items after each step. measured: one value per
    variable of the schema, of the last step.
    """

    step: int
    W: Float[np.ndarray, "d d"]
    recovered: Bool[np.ndarray, " n"]
    known: Bool[np.ndarray, " n"]
    seen: Bool[np.ndarray, " n"]
    counts: Int64[np.ndarray, " t"]
    measured: dict[str, float | int] = field(default_factory=dict)

    @classmethod
    def start(cls, n: int, d: int) -> State:
        """W = 0: every logit ties, nothing is recovered."""
        nobody = np.zeros(n, bool)
        return cls(0, np.zeros((d, d)), nobody, nobody, nobody, np.zeros(0, np.int64))

    @property
    def diverged(self) -> bool:
        return self.measured.get("status") == Status.DIVERGED


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


def train(run: Run, state: State | None = None) -> Iterator[State]:
    """The memory after each step, from W = 0 or from the ``state`` after an earlier one.

    Ends after ``steps`` updates, at an early stop, or with a state of status ``diverged`` once W or its
    gradient is not finite, or W, with more than one step, is larger than :data:`LARGEST`. The states do
    not depend on where the run was taken up. Raises FloatingPointError when the very first gradient is
    not finite: then the embeddings are not.
    """
    state = state or State.start(*run.data.U.shape)
    ahead: SoftmaxGradient | None = None
    while not _finished(run, state):
        state, ahead = _step(run, state, ahead)
        yield state


def _step(run: Run, state: State, ahead) -> tuple[State, SoftmaxGradient | None]:
    """The memory after one more step, and its gradient where looking at it gave that too."""
    step = state.step + 1
    q = run.p if run.weights is None else run.weights(step)
    d = run.data.U.shape[1]
    context = StepContext(d, run.alpha, run.batch_size, step, BatchMoments(run.data, q))
    gradient, items = _gradient(run, state, q, ahead)
    if not np.isfinite(gradient.matrix).all():
        if step == 1:
            raise FloatingPointError("the gradient has entries that are not finite")
        return _diverged(state, step), None
    rate = learning_rate(run.optimizer, context)
    W = state.W + rate * direction(run.optimizer, gradient, context)
    # What a single step recalls does not depend on its rate, however large.
    if not np.abs(W).max() < (LARGEST if run.steps > 1 else math.inf):  # NaN is not
        return _diverged(state, step), None
    outcome, measured, ahead = _look(run, W, step)
    seen = state.seen | (q > 0)
    variances = run.output_variances
    measured |= {
        "items_seen": int(np.count_nonzero(seen)),
        **spectrum(gradient, items, variances),
        "signal_slope": math.nan,
        "logit_noise": logit_noise(W, variances),
    }
    if step == 1:  # nobody knows how a later step lifts an item
        slope = response_slope(run.optimizer, W, gradient, context, variances)
        measured["signal_slope"] = slope
    if run.loss_factors is not None or not run.meets_all:
        measured |= losses(W, run.data, run.p, rate, run.loss_factors)
    counts = np.append(state.counts, np.int64(outcome.capacity))
    known = state.known | outcome.recovered
    return State(step, W, outcome.recovered, known, seen, counts, measured), ahead


def _finished(run: Run, state: State) -> bool:
    stopped = run.early_stop is not None and run.early_stop(state.counts)
    return state.step >= run.steps or state.diverged or stopped


def _gradient(run, state, q, ahead):
    """The negative gradient at a state, and how many items it is a sum over."""
    if state.step == 0 or run.gradient == "thresholded":
        left = np.where(state.known, 0.0, q)
        # The mean of all v's is taken out: all items together span one direction less than they are.
        G = run.data.initial_gradient(left)
        return Gradient(G), min(int(np.count_nonzero(left)), q.size - 1)
    found = ahead or softmax_gradient(state.W, run.data, q, devices=run.devices)
    return Gradient(found.matrix, found.error), int(np.count_nonzero(found.weights))


def _look(run: Run, W, step) -> tuple[Recall, dict[str, float | int], SoftmaxGradient | None]:
    """What W recalls, as a set and in numbers, and its gradient where that is to be had on the way.

    With the gradient come the losses of all items.
    """
    U, V = run.data.U, run.data.V
    ahead, found = None, {}
    if not run.meets_all:
        outcome = recall(W, U, V)
    else:
        if step < run.steps:
            ahead = softmax_gradient(W, run.data, run.p, devices=run.devices)
            met = ahead.competition
        else:
            everyone = np.arange(run.p.size)
            met = compete(W, run.data, everyone, means=False, devices=run.devices)
        outcome = recall_from_margins(met.own - met.best, met.bound, W, U, V)
        items = met.losses
        found = losses(W, run.data, run.p, math.nan, None)
        found |= {"loss": float(run.p @ items), "worst_item_loss": float(items.max())}
    found |= {
        "capacity": outcome.capacity,
        "prefix_capacity": outcome.prefix_capacity,
        "recovered_mass": outcome.mass(run.p),
        "near_ties": outcome.near_ties,
    }
    return outcome, found, ahead


def _diverged(state: State, step: int) -> State:
    measured = {name: variable.missing for name, variable in SCHEMA.variables.items()}
    measured["status"] = Status.DIVERGED
    return replace(state, step=step, measured=measured)
