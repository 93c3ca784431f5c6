"""Real Snakemake on a copy of the tree, with a configuration of seconds."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.workflow.forked import Forked

ROOT = Path(__file__).parents[2]
TREE = ("Snakefile", "workflow", "profiles", "scripts", "spectral_capacity", "config", "data")

TINY = {
    "seeds_per_job": 2,
    "experiments": {"one_step": {"n_items": 300, "d": [4, 8], "alpha": [1.5], "seeds": 2}},
    "fits": {"bootstrap": 100},
    "figures": {"formats": ["svg"]},
}
SHIPPED = yaml.safe_load((ROOT / "config/config.yaml").read_text())["experiments"]
HANGS = 1200
"""Seconds after which a test takes what it waits for to hang, on any machine."""

RULES = {
    "embeddings": "generate_embeddings",
    "cells": "train_memory",  # a job trains several
    "grids": "assemble_grid",
    "fits": "fit_exponents",
    "claims.csv": "check_claims",
    "claims.html": "check_claims",
    "index.html": "write_page",
}


@dataclass
class Workflow:
    """A copy of the repository that Snakemake runs in."""

    folder: Path
    configfile: str = "tiny.yaml"
    results_name: str = "results"
    started: list[Forked] = field(default_factory=list)

    @property
    def results(self) -> Path:
        return self.folder / self.results_name

    def configure(self, one_step: dict | None = None, others: dict | None = None, **top) -> None:
        """Write the tiny configuration with changes to its experiment, with others, or at the top."""
        config = {**TINY, **top}
        experiment = TINY["experiments"]["one_step"] | (one_step or {})
        dropped = dict.fromkeys(SHIPPED)
        config["experiments"] = dropped | {"one_step": experiment} | (others or {})
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(config))

    def arguments(self, *others: str) -> list[str]:
        """Of Snakemake."""
        return ["--configfile", self.configfile, "--cores", "2", *others]

    @property
    def environment(self) -> dict[str, str]:
        """Of this process, less what changes how Snakemake and git run or print."""
        # PYTHONPATH names the tree that pytest runs in: the copy's own package must be found.
        changing = ("PYTHONPATH", "OMP_NUM_THREADS", "FORCE_COLOR", "SNAKEMAKE_", "GIT_")
        kept = {name: v for name, v in os.environ.items() if not name.startswith(changing)}
        return kept | {"COLUMNS": "200"}  # messages in one line

    def start(self, *arguments: str) -> Forked:
        process = Forked(self.arguments(*arguments), self.folder, self.environment)
        self.started.append(process)
        return process

    def run(self, *arguments: str, fails: bool = False) -> str:
        """What Snakemake printed."""
        return self.end(self.start(*arguments), fails=fails)

    def end(self, process: Forked, fails: bool = False) -> str:
        """What Snakemake printed, once it has ended as it should."""
        status = process.wait(HANGS)
        assert (status != 0) == fails, process.output()
        return process.output()

    def stop(self) -> None:
        """Kill what a failed test left running."""
        for process in self.started:
            if process.poll() is None:
                with suppress(ProcessLookupError):  # where it has no group of its own yet
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
                process.wait()

    def files(self) -> dict[str, tuple[int, int]]:
        """Finished outputs, and by what another file in their place is known: its time and inode."""
        found = {
            path.relative_to(self.results): path.stat()
            for path in self.results.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }
        made = {*RULES, "figures"}
        return {
            str(path): (stat.st_mtime_ns, stat.st_ino)
            for path, stat in found.items()
            if path.parts[0] in made
        }

    def ran(self, *arguments: str) -> dict[str, int]:
        """Jobs of each rule that the next call runs, and cells that it trains, by files rewritten."""
        before = self.files()
        self.run(*arguments)
        jobs = {
            _job(Path(path)) for path, known in self.files().items() if before.get(path) != known
        }
        return dict(Counter(rule for rule, _ in jobs))

    def would_run(self, *arguments: str) -> dict[str, int]:
        """Jobs of each rule that the next call would run, from the table that a dry run prints.

        A training job is a bundle of cells: which of them it would train is not in the table.
        """
        output = self.run(*arguments, "--dry-run", "--workflow-profile", "plain")
        if "Nothing to be done" in output:
            return {}
        table = re.search(r"^job +count\n-+ +-+\n(.*?)^total ", output, re.MULTILINE | re.DOTALL)
        rows = [row.split() for row in table[1].splitlines()]
        jobs = {rule: int(count) for rule, count in rows}
        return {
            rule: count
            for rule, count in jobs.items()
            if rule in RULES.values() or rule.startswith("plot_")
        }

    def edit(self, path: str, old: str, new: str, count: int = -1) -> None:
        """Replace a text in a file, where it stands first or (-1) everywhere."""
        text = (self.folder / path).read_text()
        assert old in text
        (self.folder / path).write_text(text.replace(old, new, count))

    def append(self, path: str, text: str) -> None:
        with (self.folder / path).open("r+") as file:  # which must be there
            file.seek(0, os.SEEK_END)
            file.write(text)


def _job(path: Path) -> tuple[str, str]:
    """Rule and name of the job that writes a file of the results."""
    top = path.parts[0]
    if top == "figures":
        return f"plot_{path.stem}", ""
    return RULES[top], "" if path.parent == Path() else path.stem


def copy(destination: Path) -> Workflow:
    """A copy with the tiny configuration of one experiment."""
    copy_tree(destination)
    _plain_profile(destination)
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


def _plain_profile(tree: Path) -> None:
    """The profile that Snakemake finds, as ``plain``, with Snakemake's own log for what is read from it."""
    profile = yaml.safe_load((tree / "profiles/default/config.yaml").read_text())
    profile.pop("logger", None)
    (tree / "plain").mkdir()
    (tree / "plain/config.yaml").write_text(yaml.safe_dump(profile))


def _age(folder: Path, days: int) -> None:
    """Make files older, and keep their order: what is written now is newer on any clock."""
    for path in folder.rglob("*"):
        times = path.stat()
        ago = days * 24 * 3600 * 10**9
        os.utime(path, ns=(times.st_atime_ns - ago, times.st_mtime_ns - ago))


@pytest.fixture
def fresh(tmp_path) -> Iterator[Workflow]:
    """A tree in which nothing has run."""
    workflow = copy(tmp_path / "tree")
    yield workflow
    workflow.stop()


@contextmanager
def locked(file: Path) -> Iterator[int]:
    """The file, locked: nobody else goes on from here meanwhile. A process that dies holds no lock."""
    with file.open("a") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield opened.fileno()


@pytest.fixture(scope="session")
def first_run(tmp_path_factory) -> tuple[Workflow, dict[str, int]]:
    """A tree in which everything has run, to be left as it is, and the jobs that ran.

    One for all workers of xdist: whoever comes first makes it.
    """
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    base = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    workflow, known = Workflow(base / "finished/tree"), base / "finished/jobs.json"
    with locked(base / "finished.lock"):
        if not known.exists():
            shutil.rmtree(known.parent, ignore_errors=True)  # of a worker that could not end it
            copy(workflow.folder)
            _age(workflow.folder, days=2)
            try:
                jobs = workflow.ran()
            finally:
                workflow.stop()
            _age(workflow.results, days=1)
            known.write_text(json.dumps(jobs))
    return workflow, json.loads(known.read_text())


@pytest.fixture
def finished(first_run, tmp_path) -> Iterator[Workflow]:
    """A tree in which everything has run, with Snakemake's memory of it, a day ago."""
    shutil.copytree(first_run[0].folder, tmp_path / "tree")
    workflow = Workflow(tmp_path / "tree")
    yield workflow
    workflow.stop()
