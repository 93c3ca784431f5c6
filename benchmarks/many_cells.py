"""How Snakemake and the package do with many cells: an experiment of tiny ones, really run.

    .venv/bin/python benchmarks/many_cells.py [--cells 100 1000 10000] [--cores 2]

For each number of cells, in a folder of its own: a dry run from nothing, the run, a second call that does
nothing, one more value of α (its cells only, by a dry run and by a run), and the assembly alone. Wall and CPU
seconds, peak memory of the calling process, jobs; and the exponent of their growth between the last two rows.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
OPTIMIZERS, DIMENSIONS = 5, 10


def configuration(results: str, cells: int, more: int = 0) -> dict:
    """One experiment of so many cells: five maps, ten d's, next to no work each."""
    shipped = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    alphas = cells // (OPTIMIZERS * DIMENSIONS) + more
    many = {
        "n_items": 100,
        "d": [*range(4, 4 + DIMENSIONS)],
        "alpha": [round(1.1 + 0.01 * i, 2) for i in range(alphas)],
        "optimizers": ["gd", "muon", "sign", "power_half", "jordan_5"],
        "seeds": 1,
    }
    dropped = dict.fromkeys(shipped["experiments"])
    return {"results": results, "experiments": dropped | {"many": many}}


def measured(folder: Path, cores: int, *arguments: str) -> tuple[float, float, float, str]:
    """Wall and CPU seconds (with children), peak MiB of the process itself, and what it printed."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "many.yaml")]
    profile = ["--workflow-profile", str(folder / "profile"), "--cores", str(cores), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    log = folder / "printed.txt"
    started, before = time.perf_counter(), os.times()
    with log.open("w") as printed:
        process = subprocess.Popen(
            command + profile, env=environment, stdout=printed, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
    wall, after = time.perf_counter() - started, os.times()
    text = log.read_text()
    if status:
        sys.exit(text)
    children = after.children_user + after.children_system
    cpu = children - before.children_user - before.children_system
    return wall, cpu, usage.ru_maxrss / 1024, text


def jobs(text: str) -> int:
    """Jobs of the table that Snakemake prints."""
    found = re.findall(r"^total +(\d+)", text, re.MULTILINE)
    return int(found[0]) if found else 0


def trained(text: str) -> int:
    """Cells that our line before a run names."""
    found = re.findall(r"^(\d+) cells to train", text, re.MULTILINE)
    return int(found[0]) if found else 0


def one_size(cells: int, cores: int) -> list[tuple]:
    """A row for each call: what, wall, CPU, memory, jobs, cells trained."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="many-cells-") as name:
        folder = Path(name)
        for linked in ("config", "data"):
            (folder / linked).symlink_to(ROOT / linked)
        profile = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
        profile.pop("logger")
        profile.pop("cores")
        (folder / "profile").mkdir()
        (folder / "profile/config.yaml").write_text(yaml.safe_dump(profile))

        def call(what: str, more: int, *arguments: str) -> None:
            config = configuration(str(folder / "results"), cells, more)
            (folder / "many.yaml").write_text(json.dumps(config))
            wall, cpu, memory, text = measured(folder, cores, "grids", *arguments)
            rows.append((what, wall, cpu, memory, jobs(text), trained(text)))

        call("dry run", 0, "--dry-run")
        call("run", 0)
        (grid,) = (folder / "results/grids").glob("*.nc")
        call("second call", 0)
        grid.unlink()
        call("assembly", 0)
        call("α more, dry run", 1, "--dry-run")
        call("α more", 1)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    found: dict[int, list[tuple]] = {}
    print(
        f"{'cells':>7} {'call':18} {'wall s':>8} {'CPU s':>8} {'MiB':>6} {'jobs':>6} {'trained':>8}"
    )
    for cells in options.cells:
        found[cells] = one_size(cells, options.cores)
        for what, wall, cpu, memory, n_jobs, n_trained in found[cells]:
            print(
                f"{cells:7} {what:18} {wall:8.1f} {cpu:8.1f} {memory:6.0f} {n_jobs:6} {n_trained:8}",
                flush=True,
            )
    if len(options.cells) > 1:
        fewer, most = options.cells[-2:]
        print(f"exponents of growth from {fewer} to {most} cells (wall, CPU, memory):")
        for small, large in zip(found[fewer], found[most], strict=True):
            growth = [
                math.log(b / a) / math.log(most / fewer)
                for a, b in zip(small[1:4], large[1:4], strict=True)
            ]
            print(f"        {small[0]:18}" + "".join(f"{g:9.2f}" for g in growth))


if __name__ == "__main__":
    main()
