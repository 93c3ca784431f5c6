"""Several steps of exact Muon, W ← W + η polar(G) on the softmax gradient, predicted by particles.

A particle is an item of some rank with a draw of what is random about it: its lengths, the noise of its own
logit, and the logits of all its competitors, one by one. Derivation and limits: docs/theory.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.particles import GRID, Particles
from spectral_capacity.theory.steps_prediction import MuonSteps

BUDGET = 2.4e7
"""Logits of competitors that are kept, over all particles."""


@dataclass(frozen=True)
class ExactSteps(MuonSteps):
    """What a memory is expected to recall after each step t.

    in_gradient: E[1 − π_ii] before step t, what is left of an item in the gradient of that step. mixed: (t, s),
    how much of the direction of step s is in that of step t > s by itself, beyond what their items have in
    common: negative, for the softmax pushes back what the memory already says.
    """

    in_gradient: Float[np.ndarray, "t k"]
    mixed: Float[np.ndarray, "t t"]


def exact_muon(
    items: Items,
    d: int,
    steps: int,
    *,
    learning_rate: float,
    draws: int | None = None,
    seed: int = 0,
) -> ExactSteps:
    """Muon on the population's softmax gradient at a constant learning rate, from W = 0, isotropic embeddings.

    draws: particles per rank, a power of two (None: as many as fit some 200 MB). Depends on
    ``seed``, by a per cent or two, and on nothing else. Raises ValueError for items without end.
    """
    if items.endless:
        raise ValueError(
            "items without end: every competitor is followed, there must be a last one"
        )
    number = round(items.number)
    draws = draws or 2 ** int(np.clip(math.log2(BUDGET / (GRID * number)), 4, 8))
    particles = Particles(items, d, steps, number - 1, draws, learning_rate / math.sqrt(d), seed)
    for t in range(steps):
        particles.step()
        if t < steps - 1:
            particles.softmax()
    recovered = [
        np.clip(particles.at_items(share, 1 / number), 0, 1) for share in particles.recovered
    ]
    in_gradient = [np.clip(particles.at_items(x, 1.0), 0, 1) for x in particles.in_gradient]
    return ExactSteps(
        items,
        np.array(recovered),
        overlaps=particles.overlaps,
        in_gradient=np.array(in_gradient),
        mixed=particles.mixed,
    )
