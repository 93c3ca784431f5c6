"""Training: the steps of one memory, W ← W + η·D, and what it recalls after each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int64, PyTree

from spectral_capacity.backend import jax
from spectral_capacity.memory.softmax_gradient import softmax_gradient
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.rules import learning_rate
from spectral_capacity.optimizers.update import Step
from spectral_capacity.theory.learning_rates import DECAYING
from spectral_capacity.training.observation import Observation, observe
from spectral_capacity.training.run import Run

CARRIED = ("W", "known", "seen", "counts")
"""What the next step depends on, beside the number of steps made and the optimizer's state."""


@dataclass(frozen=True)
class State:
    """A memory after ``step`` updates.

    known: items recovered after some step so far. seen: items that some gradient so far was made of. counts:
    recovered items after each step. optimizer: its state. observation: what was seen of the memory, None where
    nobody has looked. diverged: the last update led beyond all bounds; everything else is as it was before.
    """

    step: int
    W: Float[np.ndarray, "d d"]
    known: Bool[np.ndarray, " n"]
    seen: Bool[np.ndarray, " n"]
    counts: Int64[np.ndarray, " t"]
    optimizer: PyTree
    observation: Observation | None = None
    diverged: bool = False

    @classmethod
    def start(cls, run: Run) -> State:
        """W = 0: every logit ties, nothing is recovered."""
        n, d = run.data.U.shape
        nobody, W = np.zeros(n, bool), np.zeros((d, d))
        return cls(0, W, nobody, nobody, np.zeros(0, np.int64), run.update.init(W))

    def restored(self, step: int, arrays: Mapping[str, np.ndarray]) -> State:
        """The state of which these are the :meth:`arrays`, from the one at the start of its run; the next one
        is the same as if it had never been away."""
        leaves, tree = jax.tree.flatten(self.optimizer)
        leaves = [arrays[f"optimizer_{i}"] for i in range(len(leaves))]
        carried = {name: arrays[name] for name in CARRIED}
        return replace(self, step=step, optimizer=jax.tree.unflatten(tree, leaves), **carried)

    def arrays(self) -> dict[str, np.ndarray]:
        """What a checkpoint must hold of it, beside ``step``."""
        leaves = jax.tree.leaves(self.optimizer)
        remembered = {f"optimizer_{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}
        return {name: getattr(self, name) for name in CARRIED} | remembered


def train(run: Run, state: State | None = None, rate_factor: float = 1.0) -> Iterator[State]:
    """The memory after each step, from W = 0 or from the ``state`` after an earlier one.

    ``rate_factor`` multiplies the optimizer's learning rate. Ends after ``steps`` updates, at an early stop, or
    with a state that has ``diverged`` (:meth:`Run.has_diverged`). The states do not depend on where the run was
    taken up. Raises FloatingPointError when the very first gradient is not finite: then the embeddings are not.
    """
    state = state or State.start(run)
    while not _is_finished(run, state):
        state = take_step(run, state, rate_factor)
        yield state


def take_step(run: Run, state: State, rate_factor: float = 1.0) -> State:
    """The memory after one more update."""
    t = state.step + 1
    q = run.weights_at(t)
    gradient, full_rank = negative_gradient(run, state, q)
    context = run.context(t, q)
    rate = rate_factor * learning_rate(run.optimizer, context)
    made = _step(run, gradient, state, context)
    W = state.W + rate * made.direction
    if run.has_diverged(W):
        return replace(state, step=t, observation=None, diverged=True)
    seen = state.seen | (q > 0)
    at = (gradient, made.smoothed, full_rank, context, rate)
    observation = observe(run, W, *at, seen, state.known)
    recalled = observation.recall
    return State(
        step=t,
        W=W,
        known=state.known | recalled.recovered,
        seen=seen,
        counts=np.append(state.counts, np.int64(recalled.capacity)),
        optimizer=made.state,
        observation=observation,
    )


def negative_gradient(run: Run, state: State, q: Float[np.ndarray, " n"]) -> tuple[Gradient, int]:
    """The negative gradient at a state, and how many directions the items of its sum can span."""
    if state.step == 0 or run.gradient == "thresholded":
        unlearnt = np.where(state.known, 0.0, q)
        first = state.step == 0
        gradient = run.first_gradient if first else Gradient(run.data.initial_gradient(unlearnt))
        # The mean of all v's is taken out: all items together span one direction less than they are.
        return gradient, min(int(np.count_nonzero(unlearnt)), q.size - 1)
    found = state.observation and state.observation.gradient
    found = found or softmax_gradient(state.W, run.data, q, devices=run.devices)
    return Gradient(found.matrix, found.error), int(np.count_nonzero(found.weights))


def _step(run: Run, gradient: Gradient, state: State, context: StepContext) -> Step:
    """The optimizer's; NaN for a gradient that is not finite, which no map takes: the run then diverges."""
    if not np.isfinite(gradient.matrix).all():
        return Step(np.full_like(gradient.matrix, np.nan), state.optimizer)
    return run.update.step(gradient, state.optimizer, state.W, context)


def _is_finished(run: Run, state: State) -> bool:
    # A rate that decays has its best counts at its end.
    decays = run.optimizer["learning_rate"].get("schedule") in DECAYING
    stopped = run.early_stop is not None and not decays and run.early_stop(state.counts)
    return state.step >= run.steps or state.diverged or stopped
