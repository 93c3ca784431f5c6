"""Real Snakemake that submits to a real Slurm, of one node on this machine, started for these tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workflow.conftest import HANGS, Workflow, copy, copy_tree, locked

SCRIPT = Path(__file__).with_name("slurm_up.sh")
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
FOLDER = Path(tempfile.gettempdir()) / "slurm-of-spectral-capacity"
SETTINGS = {"SLURM_CI_CPUS": "4", "SLURM_CI_MEM_MB": "64000", "SLURM_CI_GPUS": "4"}
"""More than the machine has: a job that a test holds must not keep others from starting."""


@dataclass(frozen=True)
class Job:
    """What Slurm's books say of a job."""

    number: int
    state: str
    minutes: int
    """It may take."""
    megabytes: int
    """It may take."""
    comment: str
    """The executor's: rule and wildcards."""


@dataclass
class OnSlurm(Workflow):
    """A copy of the repository that submits its jobs to Slurm, with the profile that is shipped."""

    def arguments(self, *others: str) -> list[str]:
        # No database of jobs here, and jobs of seconds: not asked after half a minute first.
        here = {"status-command": "squeue", "init-seconds-before-status-checks": "2"}
        options = [part for name, value in here.items() for part in (f"--slurm-{name}", value)]
        return ["--configfile", self.configfile, "--workflow-profile", "slurm", *options, *others]

    def jobs(self, *states: str) -> list[Job]:
        """Jobs that this workflow has submitted, the first one first: of some states, or all."""
        listed = slurm("squeue", "--states=all", "--noheader", "-o", "%A|%T|%l|%m|%k|%Z")
        rows = [line.split("|") for line in listed.splitlines()]
        jobs = [
            Job(int(number), state, _minutes(limit), _megabytes(memory), comment.strip())
            for number, state, limit, memory, comment, folder in rows
            if Path(folder) == self.folder
        ]
        return sorted((job for job in jobs if job.state in (states or job.state)), key=_number)

    def wait_for_state(self, number: int, *states: str) -> Job:
        """The job, once it is in one of these states."""
        started = time.monotonic()
        while not (found := [job for job in self.jobs(*states) if job.number == number]):
            assert time.monotonic() - started < HANGS, f"job {number} never was {states}"
            time.sleep(0.1)
        return found[0]

    def cancel(self) -> None:
        """End all of its jobs, and wait until they have ended."""
        live = [job.number for job in self.jobs("PENDING", "RUNNING", "COMPLETING")]
        for number in live:
            slurm("scancel", str(number))
        for number in live:
            self.wait_for_state(number, "CANCELLED", "COMPLETED", "FAILED", "TIMEOUT")

    def stop(self) -> None:
        super().stop()
        self.cancel()


def _number(job: Job) -> int:
    return job.number


def _minutes(limit: str) -> int:
    """``1:30:00`` or ``30:00``, days before a dash."""
    days, _, clock = limit.rpartition("-")
    *hours, minutes, _ = map(int, clock.split(":"))
    return 1440 * int(days or 0) + 60 * sum(hours) + minutes


def _megabytes(memory: str) -> int:
    return round(float(memory[:-1]) * {"M": 1, "G": 1024, "T": 1024**2}[memory[-1]])


def slurm(*command: str) -> str:
    """What a command of Slurm prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def missing() -> str:
    """Why no cluster can be started here; empty where one can."""
    # Debian keeps daemons in folders that a user's PATH may not have.
    os.environ["PATH"] += os.pathsep + os.pathsep.join(["/usr/sbin", "/sbin"])
    if os.geteuid() != 0:
        return "starting a Slurm cluster needs root"
    if absent := [name for name in NEEDED if shutil.which(name) is None]:
        return f"Slurm is not installed, no {', '.join(absent)}: .ci/run has the packages"
    etc = Path("/etc/slurm/slurm.conf")
    if (
        os.path.lexists(etc)
        and FOLDER not in Path(os.readlink(etc) if etc.is_symlink() else etc).parents
    ):
        return f"{etc}: this machine has a Slurm of its own"
    return ""


def alone(file: int) -> bool:
    """Whether nobody else holds this file."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """Slurm: one on this machine, though several workers of xdist may come, and what a run that was killed
    has left is cleared away."""
    if reason := missing():
        pytest.skip(reason)
    FOLDER.mkdir(exist_ok=True)
    environment = os.environ | SETTINGS | {"SLURM_CI_DIR": str(FOLDER / "slurm")}

    def script(what: str) -> None:
        subprocess.run([SCRIPT, what], env=environment, check=True)

    with (FOLDER / "users").open("a") as users:
        with locked(FOLDER / "gate"):
            if alone(users.fileno()):
                script("down")
                script("up")
            fcntl.flock(users, fcntl.LOCK_SH)
        yield
        with locked(FOLDER / "gate"):
            if alone(users.fileno()):
                script("down")


@pytest.fixture
def fresh(cluster, tmp_path) -> Iterator[OnSlurm]:
    """A tree in which nothing has run."""
    copied = copy(tmp_path / "tree")
    workflow = OnSlurm(copied.folder)
    yield workflow
    workflow.stop()


@pytest.fixture
def smoke(cluster, tmp_path) -> Iterator[OnSlurm]:
    """The shipped smoke configuration, in which nothing has run."""
    copy_tree(tmp_path / "tree")
    workflow = OnSlurm(tmp_path / "tree", "config/smoke.yaml", "results-smoke")
    yield workflow
    workflow.stop()
