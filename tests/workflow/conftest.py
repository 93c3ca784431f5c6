"""Real Snakemake on a copy of the tree, with a configuration of seconds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TREE = ("Snakefile", "workflow", "profiles", "scripts", "spectral_capacity", "config", "data")

TINY = {
    "seeds_per_job": 2,
    "experiments": {"one_step": {"n_items": 300, "d": [4, 8], "alpha": [1.5, 2.0], "seeds": 2}},
    "fits": {"bootstrap": 100},
    "figures": {"formats": ["svg"]},
}
RULES = {
    "embeddings": "generate_embeddings",
    "cells": "train_memory",
    "grids": "assemble_grid",
    "fits": "fit_exponents",
    "claims.csv": "check_claims",
    "claims.html": "check_claims",
}


@dataclass
class Workflow:
    """A copy of the repository that Snakemake runs in."""

    folder: Path
    configfile: str = "tiny.yaml"
    results_name: str = "results"

    @property
    def results(self) -> Path:
        return self.folder / self.results_name

    def configure(self, one_step: dict | None = None, **top) -> None:
        """Write the tiny configuration with changes to its experiment, or at the top."""
        config = {**TINY, **top}
        experiment = TINY["experiments"]["one_step"] | (one_step or {})
        config["experiments"] = {"one_step": experiment}
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(config))

    def command(self, *arguments: str) -> list[str]:
        snakemake = [sys.executable, "-m", "snakemake", "--configfile", self.configfile]
        return [*snakemake, "--cores", "2", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        # Without the tree that pytest runs in: the copy's own package must be found.
        return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "OMP_NUM_THREADS")}

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, fails: bool = False) -> str:
        """What Snakemake printed."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=300)
        assert (process.returncode != 0) == fails, output
        return output

    def files(self) -> dict[str, int]:
        """Finished outputs and their times."""
        return {
            str(path.relative_to(self.results)): path.stat().st_mtime_ns
            for path in self.results.rglob("*")
            if path.is_file()
            and path.relative_to(self.results).parts[0] in {*RULES, "figures"}
            and not path.name.startswith(".")
        }

    def ran(self, *arguments: str) -> dict[str, int]:
        """Jobs of each rule that the next call runs, told by the files that it rewrites."""
        before = self.files()
        self.run(*arguments)
        written = [path for path, time in self.files().items() if before.get(path) != time]
        jobs: dict[str, set[str]] = {}
        for path in map(Path, written):
            top = path.parts[0]
            rule = f"plot_{path.stem}" if top == "figures" else RULES[top]
            jobs.setdefault(rule, set()).add("" if top.startswith("claims") else path.stem)
        return {rule: len(names) for rule, names in jobs.items()}

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text
        (self.folder / path).write_text(text.replace(old, new))


def copy(destination: Path) -> Workflow:
    """A copy with the tiny configuration of one experiment."""
    copy_tree(destination)
    _only_one_step(destination / "config/config.yaml")
    workflow = Workflow(destination)
    workflow.configure()
    return workflow


def copy_tree(destination: Path) -> None:
    destination.mkdir(parents=True)
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, destination / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy2(source, destination / name)


def _only_one_step(path: Path) -> None:
    """Leave the default's other experiments out: a configuration laid over it cannot take them away."""
    config = yaml.safe_load(path.read_text())
    config["experiments"] = {"one_step": config["experiments"]["one_step"]}
    look = ("formats", "finite_size", "style")
    shown = {figure: e for figure, e in config["figures"].items() if figure not in look}
    config["figures"] |= {f: e if e == "one_step" else None for f, e in shown.items()}
    path.write_text(yaml.safe_dump(config))


@pytest.fixture
def fresh(tmp_path) -> Workflow:
    """A tree in which nothing has run."""
    return copy(tmp_path / "tree")


@pytest.fixture(scope="session")
def _finished(tmp_path_factory) -> Workflow:
    workflow = copy(tmp_path_factory.mktemp("finished") / "tree")
    workflow.run()
    return workflow


@pytest.fixture
def finished(_finished, tmp_path) -> Workflow:
    """A tree in which everything has run, with Snakemake's memory of it."""
    shutil.copytree(_finished.folder, tmp_path / "tree")
    return Workflow(tmp_path / "tree")
