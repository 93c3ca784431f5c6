"""The softmax loss after one Muon step from zero, against the learning rate: the mean and the worst item's.

W = η P with P the polar factor, orthogonal. A competitor's logit is then normal with the standard deviation
τ = η/√d, and an item's own one is τ(√d S + z): its signal S of :func:`theory.muon_step.spike_signal`, and z a
standard normal. With n competitors log Σ exp is log n + τ²/2 up to τ = √(2 log n), and the largest of them,
τ√(2 log n), beyond.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy.polynomial.hermite_e import hermegauss

from spectral_capacity.theory.items import Items
from spectral_capacity.theory.muon_step import spike_signal


def mean_loss(items: Items, d: int, noise: Float[np.ndarray, " r"]) -> Float[np.ndarray, " r"]:
    """Σ_i p_i E log(1 + exp(log Σ exp − τ(√d S_i + z))), in nats, for each τ of ``noise``.

    The loss that Corollary 4 of arXiv:2603.26554 bounds at its best rate. Left out: lengths of embeddings,
    which from d = 64 on make no more than 2 per cent up to τ = 2; at d = 32 and τ = 1 the loss is 11 to 23 per
    cent above this.
    """
    z, weight = hermegauss(40)
    margin = math.sqrt(d) * spike_signal(items, d)[:, None] + z
    others = log_sum(float(items.number) - 1, noise)
    losses = np.logaddexp(0, others[:, None, None] - noise[:, None, None] * margin)
    return np.array([items.sum(items.p * each) for each in losses @ (weight / weight.sum())])


def worst_loss(n_items: int, noise: Float[np.ndarray, " r"]) -> Float[np.ndarray, " r"]:
    """log Σ exp + τ m: that of an item without a signal, whose own logit is the least of n normals, −τ m.

    In nats; m is the median of their maximum. A uniform guess loses log n.
    """
    from scipy.stats import norm

    least = norm.isf(-math.expm1(-math.log(2) / n_items))
    return log_sum(n_items - 1, noise) + noise * least


def log_sum(n: float | int, noise: Float[np.ndarray, " r"]) -> Float[np.ndarray, " r"]:
    """log Σ exp of n independent normals of standard deviation ``noise``, without its fluctuations."""
    edge = math.sqrt(2 * math.log(n))
    return np.where(noise < edge, math.log(n) + noise**2 / 2, noise * edge)
