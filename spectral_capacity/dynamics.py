"""Training: what happens to a memory in one cell of an experiment, seed by seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from spectral_capacity.backend import jax
from spectral_capacity.embeddings import anisotropic
from spectral_capacity.frequencies import power_law
from spectral_capacity.memory import initial_gradient
from spectral_capacity.optimizers import direction, learning_rate
from spectral_capacity.outcomes import MEASURED, Status
from spectral_capacity.recall import recall
from spectral_capacity.spectral import Gradient, StepContext, spike_slope

LoadEmbeddings = Callable[[int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Memory:
    """A memory after training, and what was measured on the way (one value per variable)."""

    W: Float[np.ndarray, "d d"]
    measured: dict[str, float | int]


def one_step(
    U: Float[Array, "n d"],
    V: Float[Array, "n d"],
    p: Float[np.ndarray, " n"],
    optimizer: Mapping[str, Any],
    context: StepContext,
    output_variances: Float[np.ndarray, " d"] | None = None,
) -> Memory:
    """One population update from W = 0 and the recall after it.

    ``optimizer`` is an entry of the configuration's ``optimizers``. ``output_variances`` are the
    eigenvalues of Ξ for the spike slope (None: isotropic). Raises FloatingPointError when the update is
    not finite.
    """
    gradient = Gradient(initial_gradient(U, V, p))
    if not np.isfinite(gradient.matrix).all():
        raise FloatingPointError("the gradient has entries that are not finite")
    W = learning_rate(optimizer, context) * direction(optimizer, gradient, context)
    outcome = recall(W, U, V)
    return Memory(
        W,
        {
            "capacity": outcome.capacity,
            "prefix_capacity": outcome.prefix_capacity,
            "recovered_mass": outcome.mass(p),
            "near_ties": outcome.near_ties,
            **spectrum(gradient, U.shape[0], output_variances),
        },
    )


def spectrum(
    gradient: Gradient, n_items: int, output_variances: Float[np.ndarray, " d"] | None = None
) -> dict[str, float | int]:
    """Diagnostics of a gradient's singular values, and whether float64 resolved them all.

    ``bulk_singular_value`` is σ at rank ⌈d/2⌉. ``status`` is ``precision_limited`` when directions
    that the items should span fell below the numerical range (a gradient of zero has none to lose).
    """
    d = gradient.matrix.shape[0]
    sigma = gradient.singular_values
    expected_rank = min(d, n_items - 1)  # the mean of the v's is taken out
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


def train_cell(
    cell: Mapping[str, Any],
    load: LoadEmbeddings,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, np.ndarray]:
    """All seeds of one cell; arrays over (batch_size, seed, step), one per variable of ``MEASURED``.

    ``cell`` holds ``n_items, d, alpha, kappa, batch_sizes, seeds, optimizer``; ``load(seed)`` gives
    (U, V). ``report`` is told of each seed: its counts, how many are done and the time left. A value
    that is not finite stops the cell with a FloatingPointError that names the coordinates.
    """
    shape = (len(cell["batch_sizes"]), len(cell["seeds"]), 1)
    results = {name: np.empty(shape, variable.dtype) for name, variable in MEASURED.items()}
    p = power_law(cell["n_items"], cell["alpha"])
    started = time.monotonic()
    for s, seed in enumerate(cell["seeds"]):
        U, V = map(jax.device_put, load(seed))  # no copy on a CPU, unlike jnp.asarray
        V, variances = anisotropic(V, cell["kappa"])
        for b, batch_size in enumerate(cell["batch_sizes"]):
            context = StepContext(cell["d"], cell["alpha"], batch_size)
            try:
                memory = one_step(
                    U, V, p, cell["optimizer"], context, variances if cell["kappa"] else None
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
