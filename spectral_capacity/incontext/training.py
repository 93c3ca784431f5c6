"""Training of many models at once: those of one shape and optimizer, with their own rates, seeds and laws.

A run is a learning rate and a seed. All are compiled as one program, in which rate, streams and laws are data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import optax
from jaxtyping import Array, Float, Int, PyTree

from spectral_capacity.backend import QUICKLY, jax, jnp
from spectral_capacity.incontext.model import Architecture, Transformer, initialise
from spectral_capacity.incontext.names import TABLES
from spectral_capacity.incontext.task import Laws, Sequences, Task, draw
from spectral_capacity.optimizers.transformations import transformation


@dataclass(frozen=True)
class Setup:
    """What runs of one program share. optimizer: as the configuration has it, its items in a tuple."""

    task: Task
    architecture: Architecture
    optimizer: tuple[tuple[str, Any], ...]
    batch_size: int

    def rule(self, learning_rate: Any) -> optax.GradientTransformation:
        """Of the trained parameters, at a rate that may be traced."""
        return transformation(dict(self.optimizer), learning_rate, TABLES)


class Run(NamedTuple):
    """What a run is given: η, the key of its batches, and the laws that they follow."""

    learning_rate: Float[Array, ""]
    batches: Array
    laws: Laws


class State(NamedTuple):
    """Where a run is: all parameters by name, the rule's state, and the iterations made."""

    parameters: dict[str, Array]
    optimizer: PyTree
    iteration: Int[Array, ""]


def begin(setup: Setup, keys: Array) -> State:
    """Models as they are drawn, one for each key along the first axis of every leaf."""
    # Without the size of batches, which would be another program to compile.
    return _begin(setup.architecture, setup.optimizer, keys)


@partial(jax.jit, static_argnums=(0, 1))
def _begin(architecture, optimizer, keys):
    def one(key):
        parameters = initialise(key, architecture).parameters
        moved = {name: parameters[name] for name in architecture.trained}
        rule = transformation(dict(optimizer), 1.0, TABLES)
        return State(parameters, rule.init(moved), jnp.zeros((), jnp.int32))

    return jax.vmap(one)(keys)


def loss(model: Transformer, sequences: Sequences) -> Float[Array, ""]:
    """Mean cross-entropy of the second output of each pair, over the whole vocabulary, in nats."""
    logits = model(sequences.tokens, sequences.second).logits
    return optax.softmax_cross_entropy_with_integer_labels(logits, sequences.targets).mean()


def update(setup: Setup, run: Run, state: State) -> State:
    """One iteration, on a fresh batch. Its stream depends on its number only."""
    key = jax.random.fold_in(run.batches, state.iteration)
    batch = draw(key, setup.task, run.laws, setup.batch_size)
    moved = {name: state.parameters[name] for name in setup.architecture.trained}

    def of(moved):
        return loss(Transformer(state.parameters | moved, setup.architecture), batch)

    gradient = jax.grad(of)(moved)
    step, optimizer = setup.rule(run.learning_rate).update(gradient, state.optimizer, moved)
    moved = optax.apply_updates(moved, step)
    return State(state.parameters | moved, optimizer, state.iteration + 1)


@partial(jax.jit, static_argnums=0, compiler_options=QUICKLY)
def advance(setup: Setup, runs: Run, states: State, iterations: Int[Array, ""]) -> State:
    """The states of runs, one along the first axis of each leaf, so many iterations later.

    One after another, which keeps a run's arrays in the cache of a core; a GPU takes them together.
    """

    def one(pair):
        run, state = pair
        return jax.lax.fori_loop(0, iterations, lambda _, s: update(setup, run, s), state)

    return jax.lax.map(one, (runs, states))
