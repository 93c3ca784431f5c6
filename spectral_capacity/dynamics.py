"""Training: what happens to a memory in one cell of an experiment, seed by seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.backend import jax
from spectral_capacity.batches import batch_counts
from spectral_capacity.embeddings import anisotropic
from spectral_capacity.frequencies import item_frequencies
from spectral_capacity.linearresponse import logit_noise, spike_slope
from spectral_capacity.loss import item_losses, population_loss
from spectral_capacity.memory import Associations
from spectral_capacity.optimizers import direction, learning_rate, response_slope
from spectral_capacity.outcomes import MEASURED, Status
from spectral_capacity.recall import recall
from spectral_capacity.spectral import Gradient, StepContext

LoadEmbeddings = Callable[[int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Memory:
    """A memory after training, and what was measured on the way (one value per variable)."""

    W: Float[np.ndarray, "d d"]
    measured: dict[str, float | int]


@dataclass(frozen=True)
class BatchMoments:
    """Second moments of the embeddings for one batch; see :class:`spectral.Moments`."""

    data: Associations
    weights: Float[np.ndarray, " n"]

    @property
    def output_covariance(self) -> Float[np.ndarray, "d d"]:
        return self.data.output_covariance

    @cached_property
    def input_moment(self) -> Float[np.ndarray, "d d"]:
        return self.data.input_moment(self.weights)


def one_step(
    data: Associations,
    p: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    optimizer: Mapping[str, Any],
    *,
    alpha: float,
    batch_size: float = math.inf,
    output_variances: Float[np.ndarray, " d"] | None = None,
    loss_factors: Sequence[float] | None = None,
) -> Memory:
    """One update from W = 0 and the recall, and on request the loss, after it.

    ``weights`` are the q_i of the gradient: ``p`` itself for the population, counts / B for a batch.
    ``optimizer`` is an entry of the configuration's ``optimizers``. ``output_variances`` are the
    eigenvalues of Ξ (None: isotropic). ``loss_factors`` are multiples of the configured learning rate at
    which the loss over all items is computed, N² logits each (None: it is not). Raises
    FloatingPointError when the update is not finite.
    """
    U, V = data.U, data.V
    gradient = Gradient(data.initial_gradient(weights))
    if not np.isfinite(gradient.matrix).all():
        raise FloatingPointError("the gradient has entries that are not finite")
    moments = BatchMoments(data, weights)
    context = StepContext(U.shape[1], alpha, batch_size, moments=moments)
    W = learning_rate(optimizer, context) * direction(optimizer, gradient, context)
    outcome = recall(W, U, V)
    measured = {
        "capacity": outcome.capacity,
        "prefix_capacity": outcome.prefix_capacity,
        "recovered_mass": outcome.mass(p),
        "near_ties": outcome.near_ties,
        "items_seen": int(np.count_nonzero(weights)),
        **spectrum(gradient, weights, output_variances),
        "signal_slope": response_slope(optimizer, W, gradient, context, output_variances),
        "logit_noise": logit_noise(W, output_variances),
        **losses(W, data, p, learning_rate(optimizer, context), loss_factors),
    }
    return Memory(W, measured)


def spectrum(
    gradient: Gradient,
    weights: Float[np.ndarray, " n"],
    output_variances: Float[np.ndarray, " d"] | None = None,
) -> dict[str, float | int]:
    """Diagnostics of a gradient's singular values, and whether float64 resolved them all.

    ``bulk_singular_value`` is σ at rank ⌈d/2⌉. ``status`` is ``precision_limited`` when directions
    that the items should span fell below the numerical range (a gradient of zero has none to lose).
    """
    d = gradient.matrix.shape[0]
    sigma = gradient.singular_values
    # The mean of all v's is taken out: all items together span one direction less than they are.
    seen = np.count_nonzero(weights)
    expected_rank = min(d, seen, weights.size - 1)
    resolved = gradient.rank >= expected_rank or not gradient.matrix.any()
    along = None if output_variances is None else output_variances @ gradient.left**2
    middle = -(-d // 2)
    return {
        "status": Status.OK if resolved else Status.PRECISION_LIMITED,
        "sigma_max": sigma[0] if sigma.size else 0.0,
        "sigma_min": sigma[-1] if sigma.size else 0.0,
        "bulk_singular_value": sigma[middle - 1] if sigma.size >= middle else np.nan,
        "mean_inverse_singular_value": float(np.mean(1 / sigma)) if sigma.size else np.nan,
        "null_directions": d - gradient.rank,
        "spike_slope": spike_slope(sigma, d, along),
    }


def losses(
    W: Float[np.ndarray, "d d"],
    data: Associations,
    p: Float[np.ndarray, " n"],
    rate: float,
    factors: Sequence[float] | None,
) -> dict[str, float]:
    """The loss at the learning rate of ``W``, and the best over its multiples by ``factors``."""
    names = ("loss", "worst_item_loss", "best_loss", "best_learning_rate", "best_worst_item_loss")
    if factors is None:
        return dict.fromkeys(names, np.nan)
    scales = sorted({1.0, *factors})
    items = item_losses(W, data.U, data.V, np.array(scales))
    mean, worst = population_loss(items, p), items.max(axis=1)
    here, best = scales.index(1.0), int(mean.argmin())
    values = (mean[here], worst[here], mean[best], rate * scales[best], worst[best])
    return dict(zip(names, map(float, values), strict=True))


def train_cell(
    cell: Mapping[str, Any],
    load: LoadEmbeddings,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, np.ndarray]:
    """All seeds of one cell; arrays over (batch_size, seed, step), one per variable of ``MEASURED``.

    ``cell`` holds ``n_items, d, alpha, frequencies, kappa, batch_sizes, seeds, root_seed, optimizer,
    loss_factors``; ``load(seed)`` gives (U, V). ``report`` is told of each seed: its counts, how many are
    done and the time left. A value that is not finite stops the cell with a FloatingPointError that
    names the coordinates.
    """
    shape = (len(cell["batch_sizes"]), len(cell["seeds"]), 1)
    results = {name: np.empty(shape, variable.dtype) for name, variable in MEASURED.items()}
    table = cell["frequencies"]
    p = item_frequencies(cell["n_items"], cell["alpha"], table and table["file"])
    finite = [int(size) for size in cell["batch_sizes"] if math.isfinite(size)]
    started = time.monotonic()
    for s, seed in enumerate(cell["seeds"]):
        U, V = map(jax.device_put, load(seed))  # no copy on a CPU, unlike jnp.asarray
        V, variances = anisotropic(V, cell["kappa"])
        data = Associations(U, V)
        counts = batch_counts(p, finite, root_seed=cell["root_seed"], d=cell["d"], seed=seed)
        for b, batch_size in enumerate(cell["batch_sizes"]):
            weights = counts[int(batch_size)] / batch_size if math.isfinite(batch_size) else p
            try:
                memory = one_step(
                    data,
                    p,
                    weights,
                    cell["optimizer"],
                    alpha=cell["alpha"],
                    batch_size=batch_size,
                    output_variances=variances if cell["kappa"] else None,
                    loss_factors=cell["loss_factors"],
                )
            except FloatingPointError as error:
                raise FloatingPointError(
                    f"{error} (seed {seed}, batch size {batch_size})"
                ) from error
            for name, values in results.items():
                values[b, s, 0] = memory.measured[name]
        done = s + 1
        left = (time.monotonic() - started) / done * (len(cell["seeds"]) - done)
        report(
            f"seed {seed}: recovered {results['capacity'][:, s, -1].tolist()}; "
            f"{done} of {len(cell['seeds'])} seeds done, about {left:.0f} s left"
        )
    return results
