"""A tree in which everything has run, to be damaged, and the results that it must come back to."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import netCDF4
import numpy as np

from tests.workflow.conftest import HANGS, Workflow

HOOK = Path(__file__).with_name("hook")

NAME = "alpha1.5_kappa0.0_d8_seeds0-1"
MADE = {
    "generate_embeddings": ["embeddings/n300_d8_seeds0-1.nc"],
    "train_memory": [f"bundles/one_step/gd_{NAME}.{suffix}" for suffix in ("json", "nc")],
    "assemble_grid": ["grids/one_step.nc"],
    "fit_exponents": ["fits/one_step.nc", "fits/one_step.csv"],
    "plot_fig2": ["figures/fig2.svg"],
    "check_claims": ["claims.csv", "claims.html"],
    "write_page": ["index.html"],
}
"""Files that each rule makes in the tiny configuration."""

CELLS = [f"cells/one_step/{optimizer}_{NAME}.nc" for optimizer in ("gd", "muon")]
"""No rule's, but the training job's."""

LOGS = {
    "generate_embeddings": "generate_embeddings/n300_d8_seeds0-1",
    "train_memory": f"train_memory/one_step/gd_{NAME}",
    "assemble_grid": "assemble_grid/one_step",
    "fit_exponents": "fit_exponents/one_step",
}

SMALL = {"figures": {"formats": ["svg"], "fig1a": None}}


@dataclass
class Tree(Workflow):
    """A copy of the repository, with faults."""

    fault: dict | None = None
    wanted: dict[str, object] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        known = super().environment | {"PYTHONPATH": str(HOOK)}
        return known | ({"FAULT": json.dumps(self.fault)} if self.fault else {})

    def small(self, **top) -> None:
        """Write the configuration: one d, two optimizers, one figure."""
        self.configure({"d": [8]}, **SMALL, **top)

    def at(self, moment: str, rule: str, action: str, output: str | None = None, **more) -> None:
        """Set what happens to the next job of a rule."""
        log = f"results/logs/{LOGS.get(rule, rule)}.log"
        output = f"results/{output or MADE[rule][-1]}"
        hold = str(self.folder / "hold")
        about = {"moment": moment, "log": log, "output": output, "action": action, "hold": hold}
        self.fault = about | more

    def files(self) -> dict[str, tuple[int, int]]:
        """All that is in the results but logs and checkpoints; by what it would be another."""
        found = [path for path in self.results.rglob("[!.]*") if path.is_file()]
        names = {path.relative_to(self.results): path.stat() for path in found}
        return {
            str(path): (stat.st_mtime_ns, stat.st_ino)
            for path, stat in names.items()
            if path.parts[0] not in ("logs", "benchmarks", "checkpoints", ".jax_cache")
        }

    def contents(self) -> dict[str, object]:
        """What all results hold: values of NetCDF, text of others, less times and what they took."""
        return {path: held(self.results / path) for path in self.files()}

    def call(self, *targets: str) -> tuple[bool, str]:
        """Whether Snakemake ended well, and what it printed."""
        process = self.start(*targets)
        return process.wait(HANGS) == 0, process.output()

    def remade(self, before: dict[str, tuple[int, int]]) -> set[str]:
        """Files that are not the ones of ``before`` any more, or are no more."""
        now = self.files()
        return {path for path in before | now if before.get(path) != now.get(path)}

    def is_as_undisturbed(self) -> None:
        """Every result is there, holds what an undisturbed run gives, and nothing else is left."""
        found = self.contents()
        assert found.keys() == self.wanted.keys()
        for path, value in found.items():
            assert same(value, self.wanted[path]), f"{path} is wrong"
        left = [path.name for path in self.results.rglob("*") if path.suffix in (".tmp", ".begun")]
        assert not left


def held(path: Path) -> object:
    if path.suffix == ".nc":
        with netCDF4.Dataset(path) as file:
            file.set_auto_mask(False)
            return {name: np.asarray(variable[...]) for name, variable in file.variables.items()}
    text = path.read_text(errors="replace")
    return re.sub(r"[\d.]+ s\b|\d{4}-\d\d-\d\d", "", text) if path.suffix == ".html" else text


def same(one: object, other: object) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return one == other
    return one.keys() == other.keys() and all(
        np.array_equal(values, other[name], equal_nan=values.dtype.kind == "f")
        for name, values in one.items()
    )


def note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")


def rewrite(path: Path, content: bytes) -> None:
    """Replace what a file holds; its times stay, so that nothing but the content tells."""
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def mounted(folder: Path) -> str | None:
    """Put a small file system where a folder is, with what the folder holds; says why not, if not."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "mounting a small file system needs root"
    aside = folder.rename(folder.with_name("aside"))
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    problem = subprocess.run(command, capture_output=True).returncode
    shutil.copytree(aside, folder, dirs_exist_ok=True)
    shutil.rmtree(aside)
    return "this machine does not let us mount a tmpfs" if problem else None


def unmounted(folder: Path) -> None:
    """Undo :func:`mounted`."""
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()
    kept.rename(folder)
