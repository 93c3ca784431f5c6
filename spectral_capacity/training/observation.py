"""What is seen of a memory after an update: what it recalls, and every number that is kept of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from spectral_capacity.memory.competitors import CompetitorSoftmax, competitor_softmax
from spectral_capacity.memory.recall import Recall, recall, recall_from_margins
from spectral_capacity.memory.softmax_gradient import SoftmaxGradient, softmax_gradient
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.training.diagnostics import (
    loss_grid,
    momentum_spectrum,
    response_slope,
    spectrum,
)
from spectral_capacity.training.response import logit_noise
from spectral_capacity.training.run import Run

LOSSES = ("loss", "worst_item_loss", "best_loss", "best_learning_rate", "best_worst_item_loss")


@dataclass(frozen=True)
class Observation:
    """recall: what the memory recalls. measured: one value per variable of the schema. gradient: that of the
    memory, for the next step, where recall took the softmax of every item anyway."""

    recall: Recall
    measured: dict[str, float | int]
    gradient: SoftmaxGradient | None = None


def observe(
    run: Run,
    W: Float[np.ndarray, "d d"],
    gradient: Gradient,
    smoothed: Gradient | None,
    full_rank: int,
    context: StepContext,
    rate: float,
    seen: Bool[np.ndarray, " n"],
    known: Bool[np.ndarray, " n"],
) -> Observation:
    """Look at the memory W that a step has led to.

    ``gradient``, ``smoothed`` (the momentum that stood for it, None without one), ``full_rank`` (how many
    directions the gradient's items can span), ``context`` and ``rate`` are of this step; ``seen`` are the items
    behind this and all earlier gradients, ``known`` those recovered after any earlier step.
    """
    found, softmax, next_gradient = _recall(run, W, is_last=context.step == run.steps)
    variances = run.output_variances
    measured = {
        "capacity": found.capacity,
        "prefix_capacity": found.prefix_capacity,
        "robust_prefix": found.robust_prefix(run.prefix_share),
        "head_recall": found.head_recall(W.shape[0]),
        "forgotten": int(np.count_nonzero(known & ~found.recovered)),
        "recovered_mass": found.mass(run.p),
        "near_ties": found.near_ties,
        "items_seen": int(np.count_nonzero(seen)),
        **_losses(run, W, rate, softmax),
        **spectrum(gradient, full_rank, variances),
        **momentum_spectrum(smoothed),
        "signal_slope": response_slope(run.optimizer, W, gradient, context, rate, variances),
        "logit_noise": logit_noise(W, variances),
    }
    return Observation(found, measured, next_gradient)


def _recall(
    run: Run, W: Float[np.ndarray, "d d"], is_last: bool
) -> tuple[Recall, CompetitorSoftmax | None, SoftmaxGradient | None]:
    """What W recalls, and what was computed on the way: the softmax of every item, the next gradient."""
    data = run.data
    if not run.computes_all_logits:
        return recall(W, data.U, data.V), None, None
    if is_last:
        next_gradient, items = None, np.arange(run.p.size)
        softmax = competitor_softmax(W, data, items, means=False, devices=run.devices)
    else:
        next_gradient = softmax_gradient(W, data, run.p, devices=run.devices)
        softmax = next_gradient.softmax
    found = recall_from_margins(softmax.margins, softmax.bound, W, data.U, data.V)
    return found, softmax, next_gradient


def _losses(
    run: Run, W: Float[np.ndarray, "d d"], rate: float, softmax: CompetitorSoftmax | None
) -> dict[str, float]:
    """The losses that were asked for, those that came with the softmax, or none: NaN."""
    unknown = dict.fromkeys(LOSSES, math.nan)
    if run.loss_factors is not None:
        return loss_grid(W, run.data, run.p, rate, run.loss_factors)
    if softmax is None:
        return unknown
    items = softmax.losses
    return unknown | {"loss": float(run.p @ items), "worst_item_loss": float(items.max())}
