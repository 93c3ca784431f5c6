"""Snakemake in a process that is forked from one that has imported it: most of a start is imports.

All else is as from a shell: a session, a folder, an environment and streams of its own; jobs are processes that
import what they need. That the command itself starts is tested where pages of the documentation are played.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "snakemake.cli",
        # What it imports later, and what the Snakefile does.
        "snakemake.report.html_reporter",
        "snakemake_logger_plugin_rich.handler",
        "jaxtyping",
    ]
)


class Forked:
    """As much of a ``subprocess.Popen`` as tests ask for; what it prints goes to a file beside the folder."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]):
        self.printed = folder.with_name(f"printed-{uuid4().hex}")
        self.printed.touch()
        given = list(arguments), folder, dict(environment), self.printed
        self.process = FORKS.Process(target=_snakemake, args=given)
        self.process.start()
        self.pid = self.process.pid

    def poll(self) -> int | None:
        """Its status, once it has ended."""
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()

    def wait(self, seconds: float | None = None) -> int:
        self.process.join(seconds)
        assert self.poll() is not None, f"hangs after\n{self.output()}"
        return self.poll()

    def output(self) -> str:
        """What has been printed so far."""
        return self.printed.read_text()


def _snakemake(arguments, folder, environment, printed) -> None:
    """Of the forked process."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with printed.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.path.insert(0, str(folder))  # as python -m does
    sys.argv = ["snakemake", *arguments]
    from snakemake.cli import main

    main(arguments)
