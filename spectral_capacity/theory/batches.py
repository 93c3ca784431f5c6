"""Weights of items in a minibatch, as their distribution: c samples of B give an item the weight c/B."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.items import Items

OFTEN = 200
"""Expected samples beyond which an item's weight is taken to be its frequency."""


@dataclass(frozen=True)
class Batch:
    """The weights that sampled items have, the largest first, and how many have them.

    weights: an :class:`Items` whose ``p`` are the weights, of which ``weight`` items are expected.
    probability: that an item of a node has a weight, (weights, nodes); a column lacks of 1 what is not sampled.
    """

    weights: Items
    probability: Float[np.ndarray, "l k"]

    @classmethod
    def of(cls, items: Items, batch_size: int) -> Batch:
        """Of ``batch_size`` samples with replacement: c is binomial, independently for each item."""
        from scipy.stats import binom

        often = int((batch_size * items.p > OFTEN).sum())
        most = min(batch_size, math.ceil(OFTEN + 8 * math.sqrt(OFTEN)))
        samples = np.arange(1.0, most + 1)
        rare = binom.pmf(samples[:, None], batch_size, items.p[often:])
        probability = np.zeros((often + most, items.p.size))
        probability[:often, :often] = np.eye(often)
        probability[often:, often:] = rare
        values = np.concatenate([items.p[:often], samples / batch_size])
        order = np.argsort(-values, kind="stable")
        probability = probability[order]
        number = probability @ items.weight
        return cls(Items(values[order], number, np.cumsum(number)), probability)

    @property
    def seen(self) -> Float[np.ndarray, " k"]:
        """Probability that an item of each node is sampled."""
        return self.probability.sum(axis=0)
