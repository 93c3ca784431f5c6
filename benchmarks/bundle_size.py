"""How long bundles should be: wall and CPU time of a run's training, for several `bundle_seconds`.

    .venv/bin/snakemake
    .venv/bin/python benchmarks/bundle_size.py results [--configfile FILE]

Each cell takes what its log says that it took in that run, and a job a start on top; jobs go to the next core
that is free, in the order of the configuration, as Snakemake's greedy scheduler gives them out. This is a
calculation from measured times: 2 cores can be held against a run, 16 are what it says they would be.
"""

from __future__ import annotations

import argparse
import heapq
from pathlib import Path

from spectral_capacity.config.parse import merged, parse
from spectral_capacity.kinds.bundles import cut
from spectral_capacity.results.job_log import seconds_of

LENGTHS = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)


def makespan(jobs: list[float], cores: int) -> float:
    """When the last job ends."""
    free = [0.0] * cores
    for job in jobs:
        heapq.heappush(free, heapq.heappop(free) + job)
    return max(free)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--configfile", nargs="*", default=[])
    parser.add_argument("--start", type=float, default=1.0, help="seconds to start a job")
    parser.add_argument("--cores", type=int, nargs="+", default=[2, 16])
    options = parser.parse_args()
    config = parse(merged(["config/config.yaml", *options.configfile]))
    print(
        f"{'bundle_seconds':>14} {'jobs':>5} {'CPU s':>7}"
        + "".join(f"{c:>6} cores" for c in options.cores)
    )
    for seconds in LENGTHS:
        jobs = []
        for name, experiment in config.selected.items():
            for bundle in cut(experiment.cells(name, config.shared), seconds):
                logs = [options.results / f"logs/cells/{name}/{c.name}.log" for c in bundle.cells]
                jobs.append(options.start + sum(seconds_of(log) or 0.0 for log in logs))
        wall = "".join(f"{makespan(jobs, cores):10.0f} s" for cores in options.cores)
        print(f"{seconds:14.0f} {len(jobs):5} {sum(jobs):7.0f}{wall}")


if __name__ == "__main__":
    main()
