"""The model: two layers of causal attention with one head, and what of it is trained.

Matrices are stored (out, in) and applied to column vectors. A layer adds W_output A W_value norm(x) to its
input x, A being its attention, and then, where it has one, W_narrow ReLU(W_widen norm(x)).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, Int

from spectral_capacity.backend import jax, jnp
from spectral_capacity.incontext.names import MATRICES, PARAMETERS

RMS_FLOOR = 1e-6
"""Added to a mean square."""

MEMORY = ("embedding", "unembedding", "value_2", "output_2")
"""The parameters of a model whose attention is built."""


@dataclass(frozen=True)
class Architecture:
    """What a model is made of.

    vocabulary: V triggers and as many outputs. length: positions. d: width. normalise: RMS normalisation
    without gain before each part and before the unembedding, or none. feed_forward: layers that have a
    feed-forward part, ``widening`` times d wide. tied: the embedding unembeds. attention: ``learnt``, or
    ``built``: the logits at a second trigger are U W_output_2 W_value_2 E of the first output, a linear memory
    without anything else, normalisation and feed-forward parts included. By name
    (:mod:`incontext.names`): identity, square matrices that are and stay the identity; frozen, parameters that
    stay as they are drawn; zero, those that begin at zero.
    """

    vocabulary: int
    length: int
    d: int
    normalise: bool = True
    feed_forward: tuple[int, ...] = ()
    widening: int = 4
    tied: bool = False
    attention: str = "learnt"
    identity: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Of the parameters that there are, by name."""
        d, wide, tokens = self.d, self.widening * self.d, 2 * self.vocabulary
        kinds = {"widen": (wide, d), "narrow": (d, wide)}
        tables = {
            "embedding": (tokens, d),
            "positions": (self.length, d),
            "unembedding": (tokens, d),
        }
        found = {}
        for name in PARAMETERS:
            kind, _, layer = name.partition("_")
            left_out = self.tied if name == "unembedding" else kind in kinds
            if self.attention == "built" and name not in MEMORY:
                continue
            if not left_out or (layer and int(layer) in self.feed_forward):
                found[name] = tables.get(name) or kinds.get(kind, (d, d))
        return found

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of the parameters that an optimizer moves."""
        fixed = {*self.frozen, *self.identity}
        return tuple(name for name in self.shapes if name not in fixed)


class Seen(NamedTuple):
    """What a model makes of sequences at K positions each: logits of all tokens; the attention of the first
    layer, at every position, and of the second at these."""

    logits: Float[Array, "b k v"]
    attention_1: Float[Array, "b t t"]
    attention_2: Float[Array, "b k t"]


class Transformer(eqx.Module):
    """Parameters by name, and how they are put together."""

    parameters: dict[str, Float[Array, "out in"]]
    architecture: Architecture = eqx.field(static=True)

    def __call__(self, tokens: Int[Array, "b t"], at: Int[Array, "b k"]) -> Seen:
        """Predict what follows the tokens at positions ``at``, from the tokens up to each.

        The second layer asks at these positions only: nobody reads what it would give elsewhere, and the
        gradient is the same.
        """
        W = self.parameters
        if self.architecture.attention == "built":
            return self._memory(tokens, at)
        everywhere = jnp.arange(tokens.shape[1], dtype=at.dtype)[None, :]
        x = W["embedding"][tokens] + W["positions"][None, : tokens.shape[1]]
        x, attention_1 = self._layer(1, x, x, everywhere)
        asking = jnp.take_along_axis(x, at[:, :, None], axis=1)
        asking, attention_2 = self._layer(2, asking, x, at)
        logits = _apply(self.unembedding, self._norm(asking))
        return Seen(logits, attention_1, attention_2)

    @property
    def unembedding(self) -> Float[Array, "v d"]:
        """Row w has the inner product with the last state that is the logit of token w."""
        return self.parameters["embedding" if self.architecture.tied else "unembedding"]

    def _memory(self, tokens, at):
        """What a first layer that sees the token before and a second that finds where the token asked for
        stood first give, of the values alone."""
        W, T = self.parameters, tokens.shape[1]
        asked = jnp.take_along_axis(tokens, at, axis=1)
        same = tokens[:, None, :] == asked[:, :, None]
        output = jax.lax.argmax(same, 2, at.dtype) + 1
        found = W["embedding"][jnp.take_along_axis(tokens, output, axis=1)]
        logits = found @ W["value_2"].T @ W["output_2"].T @ self.unembedding.T
        previous = jax.nn.one_hot(jnp.maximum(jnp.arange(T) - 1, 0), T, dtype=logits.dtype)
        attention_1 = jnp.broadcast_to(previous, (tokens.shape[0], T, T))
        return Seen(logits, attention_1, jax.nn.one_hot(output, T, dtype=logits.dtype))

    def _layer(self, layer, asking, asked, at):
        """States of a layer at ``at`` (b or 1, k), of those there and those everywhere; its attention."""
        W = {name: self.parameters.get(f"{name}_{layer}") for name in MATRICES}
        source = self._norm(asked)
        # Two matrices in a row are multiplied first: (d, d) by (d, d), and not by the states of a batch.
        query = _apply(W["key"].T @ W["query"], self._norm(asking)) / W["key"].shape[0] ** 0.5
        scores = query @ source.swapaxes(1, 2)
        seen = jnp.arange(source.shape[1], dtype=at.dtype)[None, None, :] <= at[:, :, None]
        attention = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf), axis=-1)
        x = asking + _apply(W["output"] @ W["value"], attention @ source)
        if W["widen"] is not None:
            x = x + _apply(W["narrow"], jax.nn.relu(_apply(W["widen"], self._norm(x))))
        return x, attention

    def _norm(self, x):
        if not self.architecture.normalise:
            return x
        return x * jax.lax.rsqrt(jnp.mean(x**2, axis=-1, keepdims=True) + RMS_FLOOR)


def _apply(matrix, states):
    """A matrix (out, in) applied to states (b, k, in)."""
    # As one product of two matrices, whose gradient is two such products.
    return (states.reshape(-1, states.shape[-1]) @ matrix.T).reshape(*states.shape[:-1], -1)


def initialise(key: Array, architecture: Architecture, dtype: Any = jnp.float32) -> Transformer:
    """Draw a model: embeddings and positions from N(0, 1), all else from N(0, 1 / fan-in).

    All are cut from one long draw, in which every parameter has its place: leaving one out changes no other.
    """
    every = dataclasses.replace(architecture, tied=False, feed_forward=(1, 2), attention="learnt")
    places = every.shapes
    ends = np.cumsum([math.prod(shape) for shape in places.values()])
    parts = jnp.split(jax.random.normal(key, (ends[-1],), dtype), ends[:-1])
    numbers, drawn = dict(zip(places, parts, strict=True)), {}
    for name, shape in architecture.shapes.items():
        scale = 1.0 if name in ("embedding", "positions") else shape[1] ** -0.5
        drawn[name] = scale * numbers[name].reshape(shape)
        if name in architecture.identity:
            drawn[name] = jnp.eye(*shape, dtype=dtype)
        if name in architecture.zero:
            drawn[name] = jnp.zeros(shape, dtype)
    return Transformer(drawn, architecture)
