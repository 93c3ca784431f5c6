"""A sweep of learning rates in one cell, beside as many cells of one rate each.

    python benchmarks/sweep.py [--rates 64] [--items 5000] [--d 64] [--steps 8] [--batch 1024] [--sample 4]

One optimizer, one d, two seeds, on batches. All rates of a sweep share the process, its imports and compiled
programs, the draws of the embeddings, the first gradient and its decomposition. "Processes": a process for
each rate, as jobs have that are not bundled, of which --sample are run and the rest counted in proportion;
"cells": one process that trains a cell for each rate, as bundles do. CPU time, of which other work on the
machine takes nothing; compilation cached in all.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time

import numpy as np

OPTIMIZERS = {
    "muon": {"rule": "spectral", "map": {"name": "polar"}, "momentum": 0.95},
    "adamw": {"rule": "adamw"},
}
ONE = """
import sys, time
from benchmarks.sweep import measured, parsed
arguments = parsed(sys.argv[2:])
measured(arguments, sys.argv[1], [1.0])
"""


def measured(arguments: argparse.Namespace, name: str, factors: list[float], apart: bool = False):
    """Train the rates in one cell, or each in a cell of its own."""
    from spectral_capacity import measure
    from spectral_capacity.backend import use_compilation_cache

    use_compilation_cache(arguments.cache)
    sizes = {
        "n_items": arguments.items,
        "d": arguments.d,
        "alpha": 1.5,
        "steps": arguments.steps,
        "batch_size": arguments.batch,
    }
    of = OPTIMIZERS[name]
    if not apart:
        rate = {"d_power": 0.5, "sweep": {"factors": factors, "tuning_seeds": 1}}
        return measure({name: of | {"learning_rate": rate}}, seeds=2, **sizes)
    rates = {
        f"{name}_{i}": of | {"learning_rate": {"scale": f, "d_power": 0.5}}
        for i, f in enumerate(factors)
    }
    return measure(rates, seeds=2, **sizes)


def parsed(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("rates", 64), ("items", 5000), ("d", 64), ("steps", 8), ("batch", 1024)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--sample", type=int, default=4)
    parser.add_argument("--cache", default="/tmp/sweep-cache")
    return parser.parse_args(given)


def of_children() -> float:
    """CPU seconds of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    arguments = parsed()
    factors = np.geomspace(0.01, 10, arguments.rates).tolist()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    print("| optimizer | a sweep | cells | ratio | processes | ratio |")
    print("|---|---|---|---|---|---|")
    for name in OPTIMIZERS:
        measured(arguments, name, factors[:1])  # compiles
        start = time.process_time()
        together = measured(arguments, name, factors)
        sweep = time.process_time() - start
        start = time.process_time()
        apart = measured(arguments, name, factors, apart=True)
        cells = time.process_time() - start
        same = np.array_equal(
            together.capacity.transpose("learning_rate_factor", ...).values.ravel(),
            apart.capacity.values.ravel(),
        )
        assert same, "the counts of a sweep must be those of its rates"
        start = of_children()
        command = [sys.executable, "-c", ONE, name, *sys.argv[1:]]
        for _ in range(arguments.sample):
            subprocess.run(command, env=environment, check=True)
        processes = (of_children() - start) / arguments.sample * arguments.rates
        row = f"| {name} | {sweep:.1f} s | {cells:.1f} s | {cells / sweep:.2f} "
        print(row + f"| {processes:.0f} s | {processes / sweep:.1f} |")


if __name__ == "__main__":
    main()
