"""What a cell measures: names, types and units of its variables, and the codes of ``status``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Status(IntEnum):
    """How far to trust a value. Stored as int8 with ``flag_values`` and ``flag_meanings``."""

    OK = 0
    PRECISION_LIMITED = 1
    DIVERGED = 2
    FAILED = 3
    NOT_RUN = 4


@dataclass(frozen=True)
class Measured:
    """A variable of a grid: on-disk type and what it means."""

    dtype: type
    long_name: str

    @property
    def missing(self) -> float | int:
        """The value that says "nothing was measured"."""
        return np.nan if np.issubdtype(self.dtype, np.floating) else -1


MEASURED: dict[str, Measured] = {
    "capacity": Measured(np.int64, "number of recovered items"),
    "prefix_capacity": Measured(np.int64, "length of the initial run of recovered items"),
    "recovered_mass": Measured(np.float64, "total frequency of the recovered items"),
    "loss": Measured(np.float64, "softmax loss, at the configured learning rate"),
    "worst_item_loss": Measured(np.float64, "largest loss of an item at that learning rate"),
    "best_loss": Measured(np.float64, "smallest softmax loss over the grid of learning rates"),
    "best_learning_rate": Measured(np.float64, "learning rate of the smallest loss"),
    "best_worst_item_loss": Measured(
        np.float64, "largest loss of an item at the learning rate of the smallest loss"
    ),
    "items_seen": Measured(np.int64, "distinct items behind the gradients so far"),
    "status": Measured(np.int8, "how far to trust the values"),
    "sigma_max": Measured(np.float64, "largest singular value of the gradient"),
    "sigma_min": Measured(np.float64, "smallest singular value in the gradient's numerical range"),
    "bulk_singular_value": Measured(np.float64, "singular value of the gradient at rank d/2"),
    "mean_inverse_singular_value": Measured(
        np.float64, "mean of 1/sigma over the gradient's numerical range"
    ),
    "null_directions": Measured(np.int64, "directions below the gradient's numerical range"),
    "near_ties": Measured(
        np.int64, "items within float32's error bound of a tie, decided in float64"
    ),
    "spike_slope": Measured(np.float64, "slope at which the polar map lifts one item"),
    "signal_slope": Measured(np.float64, "slope at which this optimizer's map lifts one item"),
    "logit_noise": Measured(np.float64, "standard deviation of a competitor's logit"),
}

DIMS = ("optimizer", "alpha", "kappa", "d", "batch_size", "seed", "step")
"""Dimensions of a grid, in order. A cell has all of them; the first four have length 1."""

COORDINATES = {
    "optimizer": "name of the optimizer in the configuration",
    "alpha": "exponent of the item frequencies",
    "kappa": "exponent of the spectrum of the output embeddings",
    "d": "embedding dimension",
    "batch_size": "samples behind a gradient; inf is the population",
    "seed": "seed of the embeddings and batches",
    "step": "updates made",
}


def variable_attributes(name: str) -> dict:
    """CF-style attributes of a measured variable."""
    attributes = {"long_name": MEASURED[name].long_name, "units": "1"}
    if name == "status":
        attributes["flag_values"] = np.array([s.value for s in Status], np.int8)
        attributes["flag_meanings"] = " ".join(s.name.lower() for s in Status)
    return attributes
