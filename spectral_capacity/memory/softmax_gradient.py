"""The gradient of the softmax loss at any memory, accurate enough for a spectral map.

A spectral map lifts singular values far below the largest one, so what counts is the error against the
bulk of them. float32 logits are good for most items: an item's rounding enters with its weight
q_i (1 − π_ii), which falls like a power law. Those at its head, a few times d, are done in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from spectral_capacity.memory.associations import Associations, weighted_products
from spectral_capacity.memory.chunks import chunks
from spectral_capacity.memory.competitors import CompetitorSoftmax, competitor_softmax
from spectral_capacity.memory.recall import UNIT_ROUNDOFF

TOLERANCE = 3e-5
"""Error of the gradient that is aimed at, relative to its bulk singular value. Measured errors are 0.1
to 1.3 of it (N = 1,500 to 6,000, d = 16 to 512, α = 1.5 to 3, κ = 0 to 4)."""


@dataclass(frozen=True)
class SoftmaxGradient:
    """matrix: the negative gradient G. softmax: that of each of the m items of weight above zero.
    weights: q_i (1 − π_ii) of each. in_float64: how many of them were done in float64. error: what the
    others' rounding amounts to, all together, in the Frobenius norm; singular values below it are lost."""

    matrix: Float[np.ndarray, "d d"]
    softmax: CompetitorSoftmax
    weights: Float[np.ndarray, " m"]
    in_float64: int
    error: float


def softmax_gradient(
    W: Float[np.ndarray, "d d"],
    data: Associations,
    q: Float[np.ndarray, " n"],
    *,
    tile: tuple[int, int] | None = None,
    devices: int = 1,
) -> SoftmaxGradient:
    """Negative gradient of the loss, G = Σ_i q_i (v_i − Σ_j π_ij v_j) u_iᵀ, at the memory W.

    π_i is the softmax of the logits s_ij = v_jᵀ W u_i over all n items. ``q`` as in
    :meth:`Associations.initial_gradient`; items of weight zero cost nothing. Written without the
    diagonal, G = Σ_i q_i (1 − π_ii)(v_i − M_i) u_iᵀ with M_i the softmax mean over j ≠ i and 1 − π_ii from
    log-odds, so that learnt items, for which v_i − Σ_j π_ij v_j cancels, keep their digits.

    The error aimed at is :data:`TOLERANCE` of the bulk singular value, or, down to a thirtieth of that, a
    quarter of the smallest one. ``tile``, of the float32 logits, and ``devices`` as in
    :func:`memory.competitors.competitor_softmax`. Not finite where the logits are not.
    """
    terms = _Terms(W, data, q, tile, devices)
    rank, share = data.span
    # The singular value at half the rank is no less than about the rank-th largest weight, or less in
    # proportion as the embeddings' middle directions are weak.
    aim = TOLERANCE * share * _nth_largest(terms.weights, rank)
    error = terms.refine(aim)
    G = terms.sum()
    smallest = _smallest_singular_value(G, min(rank, terms.items.size))
    if error > smallest / 4:
        error = terms.refine(max(smallest / 4, aim / 30))
        G = terms.sum()
    softmax = replace(terms.softmax, mean=None)
    return SoftmaxGradient(G, softmax, terms.weights, int(terms.exact.sum()), error)


class _Terms:
    """The terms q_i (1 − π_ii)(v_i − M_i) u_iᵀ of a gradient: all in float32 first, then some in float64.

    items: those of weight above zero. softmax: theirs. weights: q_i (1 − π_ii). roundings: what float32
    errs by in each term. exact: which of them are done in float64; ``head`` is the sum of these.
    """

    def __init__(self, W, data, q, tile, devices):
        self.W, self.data, self.devices = W, data, devices
        self.items = np.flatnonzero(q)
        self.q = q[self.items]
        self.softmax = competitor_softmax(
            W, data, self.items, means=True, tile=tile, devices=devices
        )
        self.weights = self.q * _not_learnt(self.softmax)
        self.roundings = _roundings(self.weights, self.softmax.bound, W.shape[0])
        self.exact = np.zeros(self.items.size, bool)
        self.head = np.zeros(W.shape)

    def refine(self, target):
        """Redo in float64 what keeps the error above ``target``; the error of what stays in float32."""
        coarse, error = _too_coarse(self.roundings, target)
        new = coarse & ~self.exact
        if new.any():
            self._redo(new)
        return error

    def _redo(self, new):
        items = self.items[new]
        precise = competitor_softmax(
            self.W, self.data, items, means=True, precision="float64", devices=self.devices
        )
        for name in ("target", "best", "log_sum"):
            getattr(self.softmax, name)[new] = getattr(precise, name)
        self.weights[new] = self.q[new] * _not_learnt(precise)
        self.head += _weighted_sum(self.data, items, precise.mean, self.weights[new])
        self.exact |= new

    def sum(self):
        rest = np.where(self.exact, 0.0, self.weights)
        return self.head + _weighted_sum(self.data, self.items, self.softmax.mean, rest)


def _not_learnt(softmax):
    """1 − π_ii of the items, with all its digits however small it is."""
    with np.errstate(invalid="ignore"):  # infinite logits: NaN, as the gradient then is
        return np.exp(-np.logaddexp(0.0, softmax.target - softmax.log_sum))


def _roundings(weights, bounds, d):
    """What the float32 pass errs by in each item's term: ε + its logits' errors, weighed."""
    # The bound is of the worst case, in which d roundings agree.
    return weights * (UNIT_ROUNDOFF + np.nan_to_num(bounds, posinf=1e100) / (4 * (d + 4)))


def _nth_largest(weights, n):
    """The smallest where there are fewer."""
    return np.sort(weights)[::-1][:n][-1] if weights.size and n else 0.0


def _too_coarse(roundings, target):
    """Items whose rounding, all together, would exceed ``target``, those that err most; and what the
    others' comes to. Errors of different items are independent."""
    order = np.argsort(roundings)
    total = np.sqrt(np.cumsum(roundings[order] ** 2))
    beyond = total > target  # not where NaN: float64 would not mend those
    coarse = np.zeros(roundings.size, bool)
    coarse[order[beyond]] = True
    return coarse, float(total[~beyond].max(initial=0.0))


def _smallest_singular_value(G, rank):
    """Of the ``rank`` that a sum should have; infinite for what is not finite."""
    if not np.isfinite(G).all() or not rank:
        return math.inf
    return np.linalg.svd(G, compute_uv=False)[rank - 1].item()


def _weighted_sum(data, items, means, weights):
    """Σ_i a_i (v_i − M_i) u_iᵀ over chunks of items, float64."""
    G = np.zeros((data.V.shape[1], data.U.shape[1]))
    size = means[0].shape[0] if means else 1
    pieces = zip(chunks(items, size), chunks(weights, size), means, strict=True)
    for (_, some), (_, factors), mean in pieces:
        rows = data.V[some].astype(mean.dtype) - mean
        G += weighted_products(rows, data.U[some], factors)
    return G
