"""A process that works through the cells of a bundle, and one that watches it.

What ends the working process, such as the kernel when memory is short, ends one cell: the watching one says
which, and starts another process for those that are left.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from spectral_capacity.results.bundles import Member, begun, write_manifest
from spectral_capacity.results.freshness import Content, fresh, no_data
from spectral_capacity.results.grids import read_points, write_table
from spectral_capacity.results.job_log import add_to_log, job_log

Report = Callable[[str], None]
Train = Callable[[Member, Report], None]


class CellsFailed(Exception):
    """Some cells of a bundle could not be trained; the others are finished."""


def train_bundle(
    manifest: str | os.PathLike,
    table: str | os.PathLike,
    members: Sequence[Member],
    start: Callable[[], Train],
    title: str,
    report: Report,
    content: Content = no_data,
) -> None:
    """Train the members that are not fresh (:func:`results.freshness.fresh`); list all in ``manifest``, and
    what they hold in ``table`` (:func:`results.grids.write_table`).

    Raises CellsFailed as :func:`train_each` does; there is neither then.
    """
    kept = fresh(members, content)
    to_train = [member for member in members if member.name not in kept]
    report(f"{len(to_train)} of {len(members)} cells to train")
    train_each(to_train, start, title, report)
    write_manifest(manifest, members)
    write_table(table, [kept.get(member.name) or read_points(member.file) for member in members])


def train_each(
    members: Sequence[Member], start: Callable[[], Train], title: str, report: Report
) -> None:
    """Train every member in a process of its own kind, one after another, each with its own log.

    ``start`` is called once in that process and gives what trains one: what is slow to import belongs there.
    What it raises ends the job.
    A member that fails, or whose process is killed, does not stop the others. One whose process was killed
    in an earlier job comes last, so that it keeps no other from being trained. ``report`` is told of each.

    Raises CellsFailed at the end, which names those that failed.
    """
    left = sorted(members, key=lambda member: os.path.exists(begun(member.checkpoint)))
    failed: list[Member] = []
    while left:
        ended = _in_a_process(left, start, title, report)
        failed += [member for member, well in ended if not well]
        left = left[len(ended) :]
    if failed:
        names = ", ".join(member.name for member in failed[:3])
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        raise CellsFailed(f"{len(failed)} of {len(members)} cells failed: {names}{more}")


def _in_a_process(members, start, title, report) -> list[tuple[Member, bool]]:
    """Members that a process has worked on, in order, and whether each ended well.

    All of them, unless the process was killed at the last.
    """
    fork = multiprocessing.get_context("fork")  # shares what is imported here, which is not JAX
    ours, theirs = fork.Pipe()
    process = fork.Process(target=_work, args=(members, start, title, report, ours, theirs))
    process.start()
    theirs.close()
    ended: list[tuple[Member, bool]] = []
    try:
        while message := ours.recv_bytes():
            if message not in (WELL, BADLY):
                raise CellsFailed(message.decode())
            member, well = members[len(ended)], message == WELL
            ended.append((member, well))
            report(f"{member.name}: {'done' if well else f'failed, see {member.log}'}")
    except EOFError:
        process.join()
    finally:
        ours.close()
    if len(ended) < len(members):
        member = members[len(ended)]
        what = (
            f"its process {_how(process.exitcode)}. SIGKILL comes from the machine or the cluster when memory "
            f"is short: about {member.memory / 1e9:.1f} GB were expected. Run fewer jobs at once (--cores), or "
            "ask for more memory. The next call takes it up again, last"
        )
        add_to_log(member.log, title, what)
        ended.append((member, False))
        report(f"{member.name}: {what}")
    return ended


WELL, BADLY = b"+", b"-"


def _work(members, start, title, report, other_end, pipe) -> None:
    """Of the working process."""
    other_end.close()
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    try:
        train = start()
    except Exception as error:
        report(traceback.format_exc())
        pipe.send_bytes(str(error).encode())
        return
    for member in members:
        marker = Path(begun(member.checkpoint))
        with suppress(OSError):  # of a full disk the cell itself tells, if it cannot be written
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()
        try:
            with job_log(member.log, title, member.settings) as report:
                train(member, report)
            well = WELL
        except SystemExit:
            well = BADLY
        with suppress(OSError):
            marker.unlink(missing_ok=True)
        pipe.send_bytes(well)


def _end_with(pipe: Connection) -> None:
    """End this process when the one at the other end of the pipe does, even if it is killed."""
    try:
        pipe.poll(None)
    finally:
        os._exit(1)


def _how(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return f"was ended by {signal.Signals(-exitcode).name}"
    return f"ended with status {exitcode}"
