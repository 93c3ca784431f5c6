"""Jobs held at a step that the test chooses, to be killed there: by :mod:`tests.workflow.held_map`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from tests.workflow.conftest import HANGS, Workflow
from tests.workflow.forked import Forked

Found = TypeVar("Found")

OPTIMIZER = {
    "rule": "spectral",
    "map": {"name": "own", "file": "held_map.py", "function": "held"},
    "learning_rate": {"scale": 2.0, "d_power": 0.5},
}


class Holding:
    """Where the jobs of a workflow are held."""

    def __init__(self, workflow: Workflow) -> None:
        self.folder = workflow.folder / "hold"
        self.folder.mkdir()
        shutil.copy(Path(__file__).with_name("held_map.py"), workflow.folder)

    def at(self, *steps: str) -> None:
        """Hold every job that comes to one of these steps from now on, and no others."""
        for step in steps:  # first: a job that is let go may come to one at once
            (self.folder / step).touch()
        for file in self.folder.iterdir():
            if file.name not in steps:
                file.unlink()
        self.steps = steps

    def jobs(self, snakemake: Forked) -> list[psutil.Process]:
        """The jobs that wait at these steps, one at each, once all of them do."""
        return [
            psutil.Process(wait_for(lambda step=step: self._waiting_at(step), snakemake))
            for step in self.steps
        ]

    def _waiting_at(self, step: str) -> int | None:
        """Process that waits at a step."""
        return next((int(file.suffix[1:]) for file in self.folder.glob(f"{step}.*")), None)


def wait_for(condition: Callable[[], Found], snakemake: Forked | None = None) -> Found:
    """What ``condition`` gives, once that is true; an error when Snakemake ends before."""
    started = time.monotonic()
    while not (found := condition()):
        assert snakemake is None or snakemake.poll() is None, snakemake.output()
        assert time.monotonic() - started < HANGS, "this hangs"
        time.sleep(0.02)
    return found


def is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended; nobody may be there to reap it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
