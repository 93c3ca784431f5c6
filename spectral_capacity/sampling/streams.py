"""Random streams: one key per piece of data, a function of the data's coordinates only.

Optimizer, α, κ and batch size never enter a key of the embeddings, so every optimizer learns
from the same draws and comparisons between them are paired.
"""

from __future__ import annotations

from enum import IntEnum

from spectral_capacity.backend import jax


class Stream(IntEnum):
    """What a key is for. The numbers are part of the data: never renumber them."""

    INPUT_EMBEDDINGS = 1
    OUTPUT_EMBEDDINGS = 2
    BATCHES = 3
    MODELS = 4
    SEQUENCES = 5
    HELD_OUT = 6
    NOISE = 7
    SURROGATES = 8


def stream_key(root: int, stream: Stream, *coordinates: int) -> jax.Array:
    """Key of ``stream`` at integer ``coordinates`` (embeddings: d, seed; batches: d, seed, step; models: d,
    seed; sequences: batch size, seed; held-out ones: 0 to choose learning rates, 1 to report; order of noise:
    none; surrogates of embeddings: seed, for NumPy's generator), shape ().

    Threefry-2x32, whatever JAX's default generator is: the same key gives the same bits on every
    device. ``root`` is the ``seed`` of the configuration.
    """
    key = jax.random.key(root, impl="threefry2x32")
    for coordinate in (int(stream), *coordinates):
        key = jax.random.fold_in(key, coordinate)
    return key
