"""How much of a run's CPU time goes into starting: interpreters, imports, compilation, the first draw.

    .venv/bin/snakemake --configfile config/smoke.yaml
    .venv/bin/python benchmarks/start_up.py results-smoke

Reads the logs of a finished run, below the folder of results: what each process had used when its work began
and, of training, what it spent on tracing, lowering and compiling. Prints a row per rule. Of Snakemake itself
logs know nothing: `time snakemake` less the last row is its share.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

CPU = re.compile(r"  CPU: ([\d.]+) s before this, ([\d.]+) s for it$", re.MULTILINE)
COMPILED = re.compile(r"  compilation: ([\d.]+) s$", re.MULTILINE)


def times(log: Path) -> tuple[float, float, float]:
    """CPU seconds before a job's work and for it, and seconds of compilation; zeros without a log."""
    text = log.read_text() if log.exists() else ""
    found, compiled = CPU.search(text), COMPILED.search(text)
    before, used = map(float, found.groups()) if found else (0.0, 0.0)
    return before, used, float(compiled[1]) if compiled else 0.0


def of_bundle(results: Path, manifest: Path) -> tuple[float, float]:
    """CPU seconds of the process that trained a bundle, and of these what it took to start."""
    experiment = manifest.parent.name
    cells = json.loads(manifest.read_text())["cells"]
    logs = [times(results / f"logs/cells/{experiment}/{cell}.log") for cell in cells]
    if not logs:
        return 0.0, 0.0
    total = max(before + used for before, used, _ in logs)
    return total, min(before for before, *_ in logs) + sum(compiled for *_, compiled in logs)


def main() -> None:
    if len(sys.argv) != 2 or not (results := Path(sys.argv[1])).is_dir():
        sys.exit(__doc__)
    total: dict[str, float] = defaultdict(float)
    start: dict[str, float] = defaultdict(float)
    jobs: dict[str, int] = defaultdict(int)
    for log in (results / "logs").rglob("*.log"):
        rule = log.relative_to(results / "logs").parts[0].removesuffix(".log")
        if rule in ("cells", "plan", "prune"):
            continue
        rule = "plot_*" if rule.startswith("plot_") else rule
        before, used, _ = times(log)
        total[rule] += before + used
        start[rule] += before
        jobs[rule] += 1
    for manifest in (results / "bundles").rglob("*.json"):
        took, began = of_bundle(results, manifest)
        total["cells"] += took
        start["cells"] += began
        jobs["cells"] += 1
    print(f"{'rule':20} {'processes':>9} {'CPU s':>8} {'start-up s':>10} {'share':>6}")
    for rule in sorted(total, key=total.__getitem__, reverse=True):
        share = start[rule] / (total[rule] or 1.0)
        print(f"{rule:20} {jobs[rule]:9} {total[rule]:8.1f} {start[rule]:10.1f} {share:6.1%}")
    everything, starting = sum(total.values()), sum(start.values())
    share = starting / (everything or 1.0)
    print(f"{'all':20} {sum(jobs.values()):9} {everything:8.1f} {starting:10.1f} {share:6.1%}")


if __name__ == "__main__":
    main()
