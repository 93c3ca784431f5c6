"""Memories trained with the package's own code, to hold predictions against."""

import numpy as np

from spectral_capacity.backend import jax, jnp
from spectral_capacity.memory.associations import Associations
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.training.run import Run
from spectral_capacity.training.steps import train


def recovered(n, d, alpha, optimizer, *, seeds, steps, gradient):
    """(seed, step, item), and the direction of each step (seed, step, d, d), of Frobenius norm √d."""
    p = power_law(n, alpha)
    items, directions = [], []
    for seed in range(seeds):
        U, V = (
            jax.random.normal(key, (n, d), jnp.float32) / jnp.sqrt(jnp.float32(d))
            for key in jax.random.split(jax.random.key(seed))
        )
        run = Run(Associations(U, V), p, optimizer, alpha, steps=steps, gradient=gradient)
        states = [*train(run)]
        items.append([state.observation.recall.recovered for state in states])
        moves = np.diff([np.zeros((d, d)), *(state.W for state in states)], axis=0)
        directions.append(moves * np.sqrt(d) / np.linalg.norm(moves, axis=(1, 2), keepdims=True))
    return np.array(items), np.array(directions)


def muon(scale):
    """Muon at the learning rate ``scale`` · √d."""
    return {
        "rule": "spectral",
        "map": {"name": "polar"},
        "learning_rate": {"scale": scale, "d_power": 0.5},
    }


def assert_counts_agree(recovered, predicted, tolerance):
    """Mean counts are within ``tolerance``, a share, and two standard errors of those predicted."""
    counts = recovered.sum(axis=2)
    error = counts.std(axis=0, ddof=1) / np.sqrt(len(counts))
    assert (np.abs(counts.mean(axis=0) - predicted) < tolerance * predicted + 2 * error).all(), (
        counts.mean(axis=0),
        predicted,
        error,
    )
