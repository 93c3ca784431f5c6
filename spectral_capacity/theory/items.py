"""The items of a memory as a short list of frequencies with multiplicities, also when they have no end.

Everything that the finite-size theory asks of the items is a sum over them, Σ_i f(p_i), or a function of
p_i for each. Neighbours far down the ranks are alike, so that a few hundred nodes stand for any number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Inexact

HEAD = 1024
"""Ranks that are kept one by one."""

BLOCK = 0.01
"""Relative width in rank of the blocks that stand for the others of a given array."""

NODES = 8
"""Gauss–Legendre nodes of a panel of the tail of a power law, of relative width 1/α in rank."""


@dataclass(frozen=True)
class Items:
    """Frequencies with multiplicities: Σ_i f(p_i) over all items is ``items.sum(f(items.p))``.

    p: frequency of each node, not increasing. weight: how many items the node stands for; not a whole number in
    the tail. rank: where they are, from 1. Nodes of the head are items. Of the tail, f is taken to vary little
    over one per cent in rank.
    """

    p: Float[np.ndarray, " k"]
    weight: Float[np.ndarray, " k"]
    rank: Float[np.ndarray, " k"]
    endless: bool = False

    @classmethod
    def of(cls, p: Float[np.ndarray, " n"]) -> Items:
        """Of the frequencies of n items, the most frequent first.

        Blocks beyond the head stand at their mean frequency, which keeps Σ p. Raises ValueError for
        frequencies that increase, are negative or not finite.
        """
        if not (np.isfinite(p).all() and (p >= 0).all() and (np.diff(p) <= 0).all() and p.size):
            raise ValueError(
                "frequencies must be finite, not negative and not increasing with the rank"
            )
        starts = [np.arange(min(HEAD, p.size))]
        if p.size > HEAD:
            blocks = math.ceil(math.log(p.size / HEAD) / BLOCK)
            edges = np.geomspace(HEAD, p.size, blocks + 1)[:-1]
            starts.append(np.unique(np.rint(edges).astype(int)))
        first = np.concatenate(starts)
        weight = np.diff(first, append=p.size).astype(float)
        return cls(np.add.reduceat(p, first) / weight, weight, first + (weight + 1) / 2)

    @classmethod
    def power_law(cls, alpha: float, largest_rank: float = math.inf) -> Items:
        """Of p_i = i^(−α)/Z up to ``largest_rank``, Z their sum: ζ(α) for items without end.

        Beyond the head Σ_i f is ∫ f di from half a rank below to half a rank above, by Gauss–Legendre panels in
        log i. Items without end stop at rank 10^(12 + 12/α), where they are past being told apart by any memory
        here (f is linear in p); the last node carries the Σ p of what is left. Raises ValueError for items
        without end and α ≤ 1, which have no Σ p.
        """
        from scipy.special import zeta

        endless = math.isinf(largest_rank)
        if endless and alpha <= 1:
            raise ValueError(f"alpha is {alpha}; must be above 1 for items without end")
        head = np.arange(1.0, min(HEAD, largest_rank) + 1)
        end = 10.0 ** (12 + 12 / alpha) if endless else largest_rank
        ranks, weights = _panels(HEAD + 0.5, max(end, HEAD) + 0.5, 1 / max(alpha, 0.5))
        rank = np.concatenate([head, ranks])
        weight = np.concatenate([np.ones(head.size), weights])
        p = rank**-alpha
        if endless:
            weight[-1] += end ** (1 - alpha) / (alpha - 1) / p[-1]
        total = float(zeta(alpha)) if endless else weight @ p
        return cls(p / total, weight, rank, endless)

    @property
    def number(self) -> float:
        """How many items: infinity for those without end."""
        return math.inf if self.endless else float(self.weight.sum())

    def most_frequent(self, count: float) -> Float[np.ndarray, " k"]:
        """How many of the ``count`` most frequent items each node stands for."""
        before = np.cumsum(self.weight) - self.weight
        return np.minimum(self.weight, (count - before).clip(0))

    def sum(
        self, values: Inexact[np.ndarray, "*batch k"]
    ) -> float | complex | Inexact[np.ndarray, "*batch"]:
        """Σ over all items of a function, from its values at the nodes (last axis)."""
        return values @ self.weight

    def at_ranks(
        self, values: Float[np.ndarray, " k"], ranks: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """A function of the rank from its values at the nodes: linear in log rank between them."""
        return np.interp(np.log(ranks), np.log(self.rank), values)


def _panels(
    low: float, high: float, width: float
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Nodes and weights of ∫ f(r) dr from ``low`` to ``high``, panels of ``width`` at most in log r."""
    from numpy.polynomial.legendre import leggauss

    count = math.ceil(math.log(high / low) / width)
    if count <= 0:
        return np.empty(0), np.empty(0)
    edges = np.linspace(math.log(low), math.log(high), count + 1)
    x, w = leggauss(NODES)
    half = np.diff(edges)[:, None] / 2
    rank = np.exp(edges[:-1, None] + half * (1 + x))
    return rank.ravel(), (half * w * rank).ravel()
