"""What is measured of a linear memory: names, types and meanings (no JAX, so that checks are quick)."""

from __future__ import annotations

import numpy as np

from spectral_capacity.results.schema import RATE_FACTOR, STATUS, Dimension, Schema, Variable

DIMENSIONS = {
    "optimizer": Dimension(str, "name of the optimizer in the configuration"),
    "alpha": Dimension(np.float64, "exponent of the item frequencies"),
    "kappa": Dimension(np.float64, "exponent of the spectrum of the output embeddings"),
    "d": Dimension(np.int64, "embedding dimension"),
    "batch_size": Dimension(np.float64, "samples behind a gradient; inf is the population"),
    "seed": Dimension(np.int64, "seed of the embeddings and batches"),
    "step": Dimension(np.int64, "updates made"),
}

VARIABLES = {
    "capacity": Variable(np.int64, "number of recovered items"),
    "prefix_capacity": Variable(np.int64, "length of the initial run of recovered items"),
    "robust_prefix": Variable(
        np.int64, "most frequent items of which a share (prefix_share) is recovered: how many"
    ),
    "head_recall": Variable(np.float64, "share of the d most frequent items that are recovered"),
    "forgotten": Variable(np.int64, "items recovered after an earlier step and not now"),
    "recovered_mass": Variable(np.float64, "total frequency of the recovered items"),
    "loss": Variable(np.float64, "softmax loss, at the configured learning rate"),
    "worst_item_loss": Variable(np.float64, "largest loss of an item at that learning rate"),
    "best_loss": Variable(np.float64, "smallest softmax loss over the grid of learning rates"),
    "best_learning_rate": Variable(np.float64, "learning rate of the smallest loss"),
    "best_worst_item_loss": Variable(
        np.float64, "largest loss of an item at the learning rate of the smallest loss"
    ),
    "items_seen": Variable(np.int64, "distinct items behind the gradients so far"),
    "status": STATUS,
    "gradient_norm": Variable(np.float64, "Frobenius norm of the gradient"),
    "sigma_max": Variable(np.float64, "largest singular value of the gradient"),
    "sigma_min": Variable(np.float64, "smallest singular value in the gradient's numerical range"),
    "bulk_singular_value": Variable(np.float64, "singular value of the gradient at rank d/2"),
    "mean_inverse_singular_value": Variable(
        np.float64, "mean of 1/sigma over the gradient's numerical range"
    ),
    "momentum_norm": Variable(
        np.float64,
        "Frobenius norm of the momentum that stood for the gradient; missing without one",
    ),
    "momentum_sigma_max": Variable(np.float64, "its largest singular value"),
    "momentum_sigma_min": Variable(np.float64, "the smallest one in its numerical range"),
    "momentum_bulk_singular_value": Variable(np.float64, "its singular value at rank d/2"),
    "null_directions": Variable(np.int64, "directions below the gradient's numerical range"),
    "near_ties": Variable(
        np.int64, "items within float32's error bound of a tie, decided in float64"
    ),
    "spike_slope": Variable(np.float64, "slope at which the polar map lifts one item"),
    "signal_slope": Variable(np.float64, "slope at which this optimizer's map lifts one item"),
    "logit_noise": Variable(np.float64, "standard deviation of a competitor's logit"),
}

SCHEMA = Schema(DIMENSIONS, VARIABLES)
"""Of cells and grids of linear memories. Of a cell the first four dimensions have length one."""

_BEFORE_SEED = [*DIMENSIONS.items()][:-2]
_RATE = Dimension(np.float64, "learning rate over the configured one", absent=1.0)

SWEPT_SCHEMA = Schema(dict(_BEFORE_SEED) | {RATE_FACTOR: _RATE} | DIMENSIONS, VARIABLES)
"""The same with the rates of a sweep. Of a grid where one optimizer is swept; the others are at 1."""
