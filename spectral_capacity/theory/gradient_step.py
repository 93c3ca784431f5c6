"""One step of gradient descent from zero: recovery from p, N and d alone.

W = Σ_m q_m v_m u_mᵀ. An item's output W u_i is q_i |u_i|² v_i and the sum of all others', q_m (u_mᵀu_i) v_m,
of which the most frequent few are most: how large the noise of an item is, and which competitors beat it, is
decided by how its input happens to lie to theirs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.batches import Batch
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.recovery import HEADS, competitors_of, linear_recovery


def recovery_probability(
    items: Items,
    d: float | int,
    *,
    input_d: float | int | None = None,
    batch_size: int | None = None,
    n_competitors: float | None = None,
    above_chance: bool = False,
) -> Float[np.ndarray, " k"]:
    """Probability that an item is recovered after one step, at the nodes of the items.

    The share of an item in the noise is q²/Σq² and its signal r = √(d q²/Σq²) in
    :func:`theory.recovery.linear_recovery`; on a minibatch, the mean of q² for the noise, and c/B for the
    signal of an item of which c samples are seen (of the first few items the mean c). Of anisotropic embeddings
    d and input_d are the effective dimensions of outputs and inputs
    (:attr:`anisotropic_resolvent.EmbeddingSpectrum.effective_d`); input_d is d where it is None. Then the shape
    of the spectra beyond that is left out: counts are too low by some tenths where a few directions have most
    of the variance. batch_size: None for the population. n_competitors: the most frequent of the other items,
    all where it is None; items without end need a number. above_chance: the probability less what an unseen
    item has.
    """
    n = competitors_of(items, n_competitors)
    input_d = d if input_d is None else input_d
    competitors = items.most_frequent(n + 1)
    square = np.square(items.p)
    if batch_size is not None:
        square = square + items.p * (1 - items.p) / batch_size
    total = items.sum(square)
    at = np.arange(items.p.size)
    options = (square / total, competitors, d, n)
    if batch_size is None:
        signal = np.sqrt(input_d * square / total)
        return linear_recovery(signal, at, *options, above_chance=above_chance)
    batch = Batch.of(items, batch_size)
    first = at[:HEADS]
    weights = np.concatenate([items.p[first] / batch.seen[first], batch.weights.p, [0.0]])
    node = np.concatenate([first, np.full(batch.weights.p.size + 1, -1)])
    probability = linear_recovery(weights * np.sqrt(input_d / total), node, *options)
    chance = probability[-1]
    gain = (probability[first.size : -1] - chance) @ batch.probability
    gain[first] = (probability[: first.size] - chance) * batch.seen[first]
    return gain if above_chance else chance + gain


def capacity(items: Items, d: float | int, **options: Any) -> float:
    """Expected count of recovered items: the sum of :func:`recovery_probability`, which has the options.

    Of items without end, those above chance.
    """
    return float(items.sum(recovery_probability(items, d, above_chance=items.endless, **options)))
