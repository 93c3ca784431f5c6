"""What the device in use does in a second, for estimates; apart, since no result depends on it."""

from __future__ import annotations

import time
from functools import partial

from spectral_capacity.backend import HIGHEST, by_device, jax, jnp


def measured_rates() -> tuple[float, float, float]:
    """Float64 and float32 operations and exponentials that the device does in a second."""
    found = []
    # Large enough to fill what computes: a launch is most of what a card does in a small one.
    larger = by_device(cpu=1, gpu=4)
    for dtype, size in ((jnp.float64, 1024 * larger), (jnp.float32, 2048 * larger)):
        A = jnp.ones((size, size), dtype)
        found.append(2 * size**3 / _fastest(jax.jit(partial(jnp.matmul, precision=HIGHEST)), A, A))
    x = jnp.ones(2**21 * larger**2, jnp.float32)
    return found[0], found[1], x.size / _fastest(jax.jit(jnp.exp), x)


def _fastest(function, *arguments) -> float:
    function(*arguments).block_until_ready()
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        function(*arguments).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return best
