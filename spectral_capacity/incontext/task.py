"""The task: K pairs of a trigger and an output stand twice in a sequence; the second output is to be told.

Tokens 0 … V − 1 are the triggers, V … 2V − 1 the outputs. The first occurrence of a pair determines the
output of the second; all that is neither is noise, outputs too.
Source: the in-context experiment of arXiv:2603.26554. It leaves open how positions are drawn: here every way
to place the 2K pairs without overlap is as likely as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Array, Float, Int

from spectral_capacity.backend import jax, jnp


@dataclass(frozen=True)
class Task:
    """Sizes of sequences. vocabulary: V triggers and as many outputs. length: T ≥ 4K tokens. pairs: K ≤ V.

    fixed_triggers: the triggers are the K most frequent ones in every sequence, and not drawn for each.
    """

    vocabulary: int
    length: int
    pairs: int
    fixed_triggers: bool = False


class Laws(NamedTuple):
    """Distributions over the V triggers, the V outputs, and the noise: of each token alone, or, with two axes,
    a row for each output that stands before it."""

    triggers: Float[Array, " v"]
    outputs: Float[Array, " v"]
    noise: Float[Array, " v"] | Float[Array, "v v"]


class Sequences(NamedTuple):
    """Sequences of T tokens, and where the triggers of the K pairs stand first and second."""

    tokens: Int[Array, "b t"]
    first: Int[Array, "b k"]
    second: Int[Array, "b k"]

    @property
    def targets(self) -> Int[Array, "b k"]:
        """The tokens after the second triggers, which are to be predicted."""
        return jnp.take_along_axis(self.tokens, self.second + 1, axis=1)


def draw(key: Array, task: Task, laws: Laws, n_sequences: int) -> Sequences:
    """Independent sequences.

    Triggers of a sequence are drawn one after another without replacement, outputs with replacement. Noise is
    drawn last, left to right.
    """
    of_triggers, of_outputs, of_places, of_order, of_noise = jax.random.split(key, 5)
    K, shape = task.pairs, (n_sequences, 2 * task.pairs)
    triggers = _triggers(of_triggers, task, laws.triggers, n_sequences)
    outputs = task.vocabulary + _sample(of_outputs, laws.outputs, (n_sequences, K))

    # As if each pair were one token: choose 2K of T − 2K places, and move each by the pairs before it.
    lots = jax.random.uniform(of_places, (n_sequences, task.length - 2 * K), jnp.float32)
    places = jnp.sort(jax.lax.top_k(lots, 2 * K)[1], axis=1)
    starts = places + jnp.arange(2 * K)
    # Which pair stands at each of them.
    order = jnp.argsort(jax.random.uniform(of_order, shape, jnp.float32), axis=1) % K

    rows = jnp.arange(n_sequences)[:, None]
    tokens = jnp.full((n_sequences, task.length), NOISE, jnp.int32)
    tokens = tokens.at[rows, starts].set(jnp.take_along_axis(triggers, order, axis=1))
    tokens = tokens.at[rows, starts + 1].set(jnp.take_along_axis(outputs, order, axis=1))
    found = order[:, None, :] == jnp.arange(K)[:, None]
    first = jnp.where(found, starts[:, None, :], task.length).min(axis=2)
    second = jnp.where(found, starts[:, None, :], -1).max(axis=2)
    tokens = _with_noise(of_noise, task, laws.noise, tokens)
    return Sequences(tokens, first.astype(jnp.int32), second.astype(jnp.int32))


NOISE = -1
"""Where noise is to stand, while a sequence is made."""


def _triggers(key, task, p, n_sequences):
    if task.fixed_triggers:
        fixed = jax.lax.top_k(p, task.pairs)[1]
        return jnp.broadcast_to(fixed, (n_sequences, task.pairs))
    # The largest of log p + Gumbel noise are draws without replacement, in their order.
    noise = jax.random.gumbel(key, (n_sequences, task.vocabulary), jnp.float32)
    return jax.lax.top_k(jnp.log(p).astype(jnp.float32) + noise, task.pairs)[1]


def _sample(key, p, shape):
    """Numbers of items with these probabilities, along the last axis."""
    uniform = jax.random.uniform(key, shape, jnp.float32)
    return _inverse(jnp.cumsum(p), uniform)


def _inverse(cumulative, uniform):
    """The item whose part of [0, 1) a number lies in; never one of probability zero at the end."""
    total = cumulative[-1]
    found = jnp.searchsorted(cumulative, uniform * total, side="right")
    return jnp.minimum(found, cumulative.size - 1).astype(jnp.int32)


def _with_noise(key, task, p, tokens):
    V = task.vocabulary
    if p.ndim == 1:
        return jnp.where(tokens == NOISE, V + _sample(key, p, tokens.shape), tokens)
    cumulative = jnp.cumsum(p, axis=1)
    uniform = jax.random.uniform(key, tokens.shape, jnp.float32)

    def next_token(before, here):
        token, lot = here
        drawn = V + jax.vmap(_inverse)(cumulative[before - V], lot)
        token = jnp.where(token == NOISE, drawn, token)
        # What stands before noise is an output; after a trigger nothing is drawn.
        return jnp.maximum(token, V), token

    start = V + (uniform[:, 0] * V).astype(jnp.int32)
    return jax.lax.scan(next_token, start, (tokens.T, uniform.T[::-1]))[1].T
