"""What is measured of a transformer: names, types and meanings (no JAX, so that checks are quick)."""

from __future__ import annotations

import numpy as np

from spectral_capacity.results.schema import STATUS, Dimension, Schema, Variable

TUNING = 0
"""The seed whose runs choose learning rates, and are not reported. It has held-out sequences of its own."""

DIMENSIONS = {
    "optimizer": Dimension(str, "name of the optimizer in the configuration"),
    "alpha_triggers": Dimension(np.float64, "exponent of the frequencies of triggers"),
    "alpha_outputs": Dimension(np.float64, "exponent of the frequencies of outputs"),
    "d": Dimension(np.int64, "width of the model"),
    "batch_size": Dimension(np.int64, "sequences behind a gradient"),
    "learning_rate": Dimension(np.float64, "learning rate"),
    "seed": Dimension(np.int64, "seed of the model and its batches; 0 chooses the learning rate"),
    "iteration": Dimension(np.int64, "updates made"),
}


def _of(where: str) -> dict[str, Variable]:
    """Of predictions on held-out sequences."""
    return {
        "accuracy": Variable(np.float64, f"share of second outputs predicted, {where}"),
        "loss": Variable(np.float64, f"cross-entropy of the second outputs in nats, {where}"),
        "previous_token_score": Variable(
            np.float64, f"attention of layer 1 from a first output to its trigger, {where}"
        ),
        "previous_token_accuracy": Variable(
            np.float64, f"share of pairs for which it is the largest of its row, {where}"
        ),
        "induction_score": Variable(
            np.float64, f"attention of layer 2 from a second trigger to the first output, {where}"
        ),
        "induction_accuracy": Variable(
            np.float64, f"share of pairs for which it is the largest of its row, {where}"
        ),
    }


LAWS = {"id": "sequences as in training", "ood": "sequences of uniform triggers and outputs"}
"""Of held-out sequences: suffix of variables, and what they are."""

VARIABLES = {
    f"{name}_{suffix}": variable
    for suffix, where in LAWS.items()
    for name, variable in _of(where).items()
} | {
    "memory_recall": Variable(np.float64, "share of outputs that layer 2's values recall (wo1)"),
    "position_recall": Variable(
        np.float64, "share of positions whose best key is the one before (wk0)"
    ),
    "trigger_recall": Variable(np.float64, "share of triggers that layer 2 matches best (wk1)"),
    "value_gradient_largest": Variable(
        np.float64,
        "largest singular value of the gradient of layer 2's values; missing where not asked for",
    ),
    "value_gradient_bulk": Variable(np.float64, "its singular value at rank d/2"),
    "status": STATUS,
}

SCHEMA = Schema(DIMENSIONS, VARIABLES)
"""Of cells and grids of transformers. Of a cell the first five dimensions have length one."""
