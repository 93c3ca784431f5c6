"""What a step of each optimizer of config/practice.yaml costs, beside the gradient that it is given.

    python benchmarks/updates.py [--d 64 128 256] [--items 3000] [--repeats 20]

Medians of repeats, one after another, compiled before; the gradient is exact softmax on the population of a
memory that has made a step, and its singular values are taken anew by each optimizer that needs them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spectral_capacity.backend import jax
from spectral_capacity.config.parse import merged, parse
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.softmax_gradient import softmax_gradient
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.update import optimizer_of
from spectral_capacity.sampling.frequencies import power_law

ROOT = Path(__file__).parents[1]


def milliseconds(run: Callable[[], object], repeats: int) -> float:
    """Median time of a call; the first one compiles and does not count."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(run())
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def main() -> None:
    """Print a table, a column per d."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--d", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=20)
    given = parser.parse_args()
    config = parse(merged([ROOT / "config/config.yaml", ROOT / "config/practice.yaml"]), root=ROOT)
    names = config.experiments["practice"].optimizers
    print("| milliseconds | " + " | ".join(f"d = {d}" for d in given.d) + " |")
    print("|---" * (len(given.d) + 1) + "|")
    rows = {name: [] for name in ("gradient", *names)}
    for d in given.d:
        rng = np.random.default_rng(0)
        U, V = rng.standard_normal((2, given.items, d)) / np.sqrt(d)
        data, p = Associations(jax.device_put(U), jax.device_put(V)), power_law(given.items, 1.5)
        first = np.linalg.svd(data.initial_gradient(p))
        W = 2 * np.sqrt(d) * first[0] @ first[2]
        rows["gradient"].append(
            milliseconds(lambda W=W, data=data, p=p: softmax_gradient(W, data, p).matrix, 5)
        )
        G, context = softmax_gradient(W, data, p).matrix, StepContext(d, 1.5, np.inf, 2)
        for name in names:
            optimizer = optimizer_of(config.shared.optimizers[name].model_dump())
            state = optimizer.init(W)
            step = lambda o=optimizer, s=state, G=G, W=W, c=context: o.step(Gradient(G), s, W, c)  # noqa: E731
            rows[name].append(milliseconds(lambda step=step: step().direction, given.repeats))
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in values) + " |")


if __name__ == "__main__":
    main()
