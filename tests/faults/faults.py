"""The faults: each a function of the tree and a rule, which checks what is said of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import netCDF4
import psutil

from spectral_capacity.results.digests import digest, keep_digest
from spectral_capacity.results.netcdf import read_values, write_netcdf
from tests.faults.tree import CELLS, MADE, Tree, note_of, rewrite
from tests.workflow.holding import is_gone, wait_for


def targets(rule: str) -> list[str]:
    """What is asked for: the files of the rule; what follows from them is asked for at the end."""
    return [f"results/{path}" for path in MADE.get(rule, MADE["train_memory"])]


def ended_badly(tree: Tree, rule: str, *said: str) -> None:
    """The call stops, and says what and what to do before it shows a traceback, if it does at all.

    Snakemake has some of its own, and of the plugin that prints, where a log cannot be written or read.
    """
    well, output = tree.call(*targets(rule))
    tree.fault = None
    assert not well, output
    for text in said:
        assert text in output.split("Traceback")[0], output


def without(tree: Tree, rule: str) -> None:
    """Delete what a rule makes, so that it runs; of cells one."""
    for path in MADE[rule]:
        (tree.results / path).unlink()
    if rule == "train_memory":
        (tree.results / CELLS[1]).unlink()


def killed(moment: str) -> Callable[[Tree, str], None]:
    def happen(tree: Tree, rule: str) -> None:
        without(tree, rule)
        tree.at(moment, rule, "kill")
        ended_badly(tree, rule, rule, "SIGKILL")

    return happen


def killed_with_snakemake(tree: Tree, rule: str) -> None:
    without(tree, rule)
    tree.at("noted", rule, "kill all")
    well, _ = tree.call(*targets(rule))
    tree.fault = None
    assert not well
    ended_badly(tree, rule, "cannot be locked", "--unlock")
    tree.run("--unlock")


@contextmanager
def ballast(tree: Tree) -> Iterator[str]:
    """What fills the disk, as a command; it is thrown out at the end."""
    path = tree.results / "ballast"
    try:
        yield f"head -c 1G /dev/zero > {path}"
    finally:
        path.unlink()


@contextmanager
def locked_up(tree: Tree) -> Iterator[str]:
    """What makes the folder of results read-only, as a command; it can be written again at the end."""
    try:
        yield f"mount -o remount,ro {tree.results}"
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(tree.results)], check=True)


Happening = Callable[[Tree], AbstractContextManager[str]]


def in_a_job(what: Happening, *said: str) -> Callable[[Tree, str], None]:
    """It happens when the job begins; before, all was well."""

    def happen(tree: Tree, rule: str) -> None:
        without(tree, rule)
        with what(tree) as command:
            tree.at("start", rule, command)
            ended_badly(tree, rule, *said)

    return happen


def before_the_call(what: Happening, *said: str) -> Callable[[Tree, str], None]:
    def happen(tree: Tree, rule: str) -> None:
        without(tree, rule)
        with what(tree) as command:
            subprocess.run(command, shell=True, stderr=subprocess.DEVNULL)
            ended_badly(tree, rule, *said)

    return happen


def orphaned(tree: Tree, rule: str, then: Callable[[], None] = lambda: None) -> None:
    """Snakemake is killed, its job lives on, and writes its file after another call has written it.

    ``then``: what happens before that call.
    """
    without(tree, rule)
    tree.at("half", rule, "hold")
    hold = tree.folder / "hold"
    hold.touch()
    process = tree.start(*targets(rule))
    waits = wait_for(lambda: next(iter(tree.folder.glob("hold.*")), None), process)
    job = psutil.Process(int(waits.suffix[1:]))
    for other in [*psutil.Process(process.pid).children(recursive=True), process]:
        if other.pid != job.pid:
            os.kill(other.pid, signal.SIGKILL)
    process.wait()
    tree.fault = None
    then()
    ended_badly(tree, rule, "cannot be locked", "--unlock")
    tree.run("--unlock")
    tree.run(*targets(rule))
    hold.unlink()
    wait_for(lambda: is_gone(job))
    waits.unlink()


DAMAGED = MADE | {"a cell": CELLS[1:]}


def damaged(how: Callable[[Path, Path], None]) -> Callable[[Tree, str], None]:
    """Files of a rule, one after the other named: the last, whose time stays."""

    def happen(tree: Tree, rule: str) -> None:
        path = DAMAGED[rule][-1]
        how(tree.results / path, tree.folder.with_name("other") / "results" / path)

    return happen


def truncate(path: Path, other: Path) -> None:
    rewrite(path, path.read_bytes()[:-20])


def empty(path: Path, other: Path) -> None:
    rewrite(path, b"")


def flip(path: Path, other: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    rewrite(path, bytes(raw))


def delete(path: Path, other: Path) -> None:
    path.unlink()


def from_elsewhere(path: Path, other: Path) -> None:
    """The file of a run of another root seed, as ``cp`` copies it."""
    rewrite(path, other.read_bytes())


def from_elsewhere_with_its_note(path: Path, other: Path) -> None:
    """As ``cp -r`` of a folder copies it, with all that is beside it."""
    from_elsewhere(path, other)
    if note_of(other).exists():
        rewrite(note_of(path), note_of(other).read_bytes())


def of_another_version(path: Path, other: Path) -> None:
    """Whole, with the note of the code that made it, which named things otherwise."""
    if path.suffix == ".nc":
        with netCDF4.Dataset(path) as file:
            file.set_auto_maskandscale(False)
            about = {name: getattr(file, name) for name in file.ncattrs()}
            values = read_values(file)
            variables = {
                f"{name}_old": (file[name].dimensions, array, {}) for name, array in values.items()
            }
        about.pop("checksum", None)
        (made := path.with_name("made.nc")).unlink(missing_ok=True)
        write_netcdf(made, variables, about)
        raw = made.read_bytes()
        made.unlink()
    else:
        raw = path.read_bytes().replace(b"e", b"E", 3)
    rewrite(path, raw)
    if note_of(path).exists():
        note = json.loads(note_of(path).read_text())
        keep_digest(path, note | {"sha256": digest(path), "params": "0" * 16})


Fault = Callable[[Tree, str], None]
KILLED: dict[str, Fault] = {
    "killed before its file is written": killed("start"),
    "killed while its file is written": killed("half"),
    "killed before the note beside it is written": killed("written"),
}
TOGETHER: dict[str, Fault] = {
    "killed with Snakemake, before that knows that it ended": killed_with_snakemake,
    "goes on when Snakemake is killed, and writes after the next call": orphaned,
}
DISKS: dict[str, Fault] = {
    "disk full when it begins": in_a_job(ballast, "o space left", "results/"),
    "folder read-only when it begins": in_a_job(locked_up, "Read-only file system", "results/"),
}
DISKS_AT_THE_START: dict[str, Fault] = {
    "disk full before the call": before_the_call(ballast, "results: ", "Free some space"),
    "folder read-only before the call": before_the_call(
        locked_up, "Read-only file system", "Make results writable"
    ),
}
DAMAGES: dict[str, Fault] = {
    "deleted": damaged(delete),
    "truncated": damaged(truncate),
    "emptied": damaged(empty),
    "one bit flipped": damaged(flip),
    "of another version of the code": damaged(of_another_version),
    "of other settings": damaged(from_elsewhere),
    "of other settings, with the note beside it": damaged(from_elsewhere_with_its_note),
}
FAULTS = KILLED | TOGETHER | DISKS | DISKS_AT_THE_START | DAMAGES
