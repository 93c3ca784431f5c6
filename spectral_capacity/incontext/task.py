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
from spectral_capacity.incontext.lots import bounds, different_items, items


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
    drawn left to right; where it has a law for each output before it, it has none at the first position and is
    uniform there. Of outputs and noise probabilities are right to 2^-31, so those near it are coarse; of
    triggers those below 2^-32 come out too small.
    """
    V, K, T = task.vocabulary, task.pairs, task.length
    # One table for all: a call of the generator is long to compile. What a law changes moves nothing else.
    widths = [V, K, T - 2 * K, T]
    table = jax.random.bits(key, (n_sequences, sum(widths)), jnp.uint32)
    lots = jnp.split(table, [sum(widths[:i]) for i in (1, 2, 3)], axis=1)
    triggers = _triggers(lots[0], task, laws.triggers)
    outputs = V + items(bounds(laws.outputs), lots[1])
    first, second = _places(lots[2], K)
    places = jnp.concatenate([first, second, first + 1, second + 1], axis=1)
    tokens = jnp.concatenate([triggers, triggers, outputs, outputs], axis=1)
    tokens, written = _written(tokens, places, T)
    return Sequences(_with_noise(lots[3], V, laws.noise, tokens, ~written), first, second)


def _triggers(lots, task, p):
    """K different triggers for each row of V lots, in the order of their drawing."""
    if task.fixed_triggers:
        fixed = jax.lax.top_k(p, task.pairs)[1]
        return jnp.broadcast_to(fixed[None, :], (lots.shape[0], task.pairs))
    return different_items(p, lots, task.pairs)


def _places(lots, pairs):
    """Where K pairs stand first and second, for each row of T − 2K lots.

    As if each pair were one token: the best 2K lots are their places, in any order, and each moves by the
    pairs before it.
    """
    places = jax.lax.top_k(lots.astype(jnp.float32), 2 * pairs)[1]
    before = places[:, None, :] < places[:, :, None]
    starts = places + before.sum(axis=2, dtype=jnp.int32)
    one, other = starts[:, :pairs], starts[:, pairs:]
    return jnp.minimum(one, other), jnp.maximum(one, other)


def _written(tokens, places, length):
    """Sequences with these tokens at these places and 0 elsewhere, and where they have been written."""
    # By comparison: a scatter is a loop, on a CPU.
    here = jnp.arange(length, dtype=jnp.int32)[None, :, None] == places[:, None, :]
    return jnp.where(here, tokens[:, None, :], 0).sum(axis=2, dtype=jnp.int32), here.any(axis=2)


def _with_noise(lots, vocabulary, p, tokens, noise):
    if p.ndim == 1:
        return jnp.where(noise, vocabulary + items(bounds(p), lots), tokens)
    ends = bounds(p)

    def fill(before, here):
        lot, token, is_noise = here
        # What stands before noise is an output: a trigger is never followed by noise.
        rows = ends[jnp.maximum(before - vocabulary, 0)]
        token = jnp.where(is_noise, vocabulary + jax.vmap(items)(rows, lot), token)
        return token, token

    start = vocabulary + items(bounds(jnp.ones(vocabulary)), lots[:, 0])
    start = jnp.where(noise[:, 0], start, tokens[:, 0])
    rest = (part[:, 1:].T for part in (lots, tokens, noise))
    _, others = jax.lax.scan(fill, start, tuple(rest))
    return jnp.concatenate([start[:, None], others.T], axis=1)
