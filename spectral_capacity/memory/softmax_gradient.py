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
from spectral_capacity.memory.competitors import Competition, chunks, compete
from spectral_capacity.memory.recall import UNIT_ROUNDOFF

TOLERANCE = 3e-5
"""Error of the gradient that is aimed at, relative to its bulk singular value. Measured errors are 0.1
to 1.3 of it (N = 1,500 to 6,000, d = 16 to 512, α = 1.5 to 3, κ = 0 to 4)."""


@dataclass(frozen=True)
class SoftmaxGradient:
    """matrix: the negative gradient G. competition: what each of the m items of weight above zero met.
    weights: q_i (1 − π_ii) of each. in_float64: how many of them were done in float64. error: what the
    others' rounding amounts to, all together, in the Frobenius norm; singular values below it are lost."""

    matrix: Float[np.ndarray, "d d"]
    competition: Competition
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
    :func:`memory.competitors.compete`. Not finite where the logits are not.
    """
    items = np.flatnonzero(q)
    met = compete(W, data, items, means=True, tile=tile, devices=devices)
    weights = q[items] * _not_learnt(met)
    d = data.U.shape[1]
    roundings = _roundings(weights, met.bound, d)
    rank, share = data.span
    # The singular value at half the rank is no less than about the rank-th largest weight, or less in
    # proportion as the embeddings' own middle directions are weak.
    target = aim = TOLERANCE * share * _nth_largest(weights, rank)
    done, head = np.zeros(items.size, bool), np.zeros((d, d))
    while True:
        coarse, error = _too_coarse(roundings, target)
        new = coarse & ~done
        if new.any():
            exact = compete(W, data, items[new], means=True, precision="float64", devices=devices)
            for name in ("own", "best", "log_sum"):
                getattr(met, name)[new] = getattr(exact, name)
            weights[new] = q[items[new]] * _not_learnt(exact)
            head += _accumulate(data, items[new], exact.mean, weights[new])
            done |= new
        G = head + _accumulate(data, items, met.mean, np.where(done, 0.0, weights))
        least = _least_singular_value(G, min(rank, items.size))
        if not error > least / 4 or target < aim:
            return SoftmaxGradient(G, replace(met, mean=None), weights, int(done.sum()), error)
        target = max(least / 4, aim / 30)


def _not_learnt(met):
    """1 − π_ii of the items met, with all its digits however small it is."""
    with np.errstate(invalid="ignore"):  # infinite logits: NaN, as the gradient then is
        return np.exp(-np.logaddexp(0.0, met.own - met.log_sum))


def _roundings(weights, bounds, d):
    """What the float32 pass errs by in each item's part of the gradient: ε + its logits' errors, weighed."""
    # The bound is of the worst case, in which d roundings agree.
    return weights * (UNIT_ROUNDOFF + np.nan_to_num(bounds, posinf=1e100) / (4 * (d + 4)))


def _nth_largest(weights, n):
    """The smallest where there are fewer."""
    return np.sort(weights)[::-1][:n][-1] if weights.size and n else 0.0


def _too_coarse(roundings, target):
    """Items whose rounding, all together, would exceed ``target``, those that err most; and what the
    others' comes to. Errors of different items are independent."""
    order = np.argsort(roundings)
    left = np.sqrt(np.cumsum(roundings[order] ** 2))
    beyond = left > target  # not where NaN: float64 would not mend those
    coarse = np.zeros(roundings.size, bool)
    coarse[order[beyond]] = True
    return coarse, float(left[~beyond].max(initial=0.0))


def _least_singular_value(G, rank):
    """The smallest that a sum of this rank should have; infinite for what is not finite."""
    if not np.isfinite(G).all() or not rank:
        return math.inf
    return np.linalg.svd(G, compute_uv=False)[rank - 1].item()


def _accumulate(data, items, means, weights):
    """Σ_i a_i (v_i − M_i) u_iᵀ over chunks of items, float64."""
    d = data.U.shape[1]
    G = np.zeros((d, d))
    size = means[0].shape[0] if means else 1
    for (start, some), mean in zip(chunks(items, size), means, strict=True):
        factors = np.zeros(some.size)
        part = weights[start : start + some.size]
        factors[: part.size] = part
        G += weighted_products(data.V[some] - mean, data.U[some], factors)
    return G
