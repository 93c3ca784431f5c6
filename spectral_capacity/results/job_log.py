"""One log per job: what it works on, how far it is, and the traceback when it fails."""

from __future__ import annotations

import errno
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from spectral_capacity.devices import memory_advice
from spectral_capacity.results.digests import Product


@contextmanager
def job_log(
    path: str | Path,
    title: str,
    coordinates: Mapping[str, Any],
    made: Product | None = None,
) -> Iterator[Callable[[str], None]]:
    """Log to ``path`` while the block runs; gives a function that writes one line.

    The first line names the job and its coordinates, the last ones say how long it took, and what its process
    had used before (to start, or for what it worked on first). An exception is
    written with its traceback, shown with its notes in one line on standard error, and ends the process with
    status 1: Snakemake would print its traceback a second time. It shows the log, so nothing of that is said
    again. When the block ends well, what was ``made`` is written down (:mod:`results.digests`). A log that
    cannot be written, as on a full disk, stops nothing.
    """
    handler = _handler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    logger = logging.getLogger(f"spectral_capacity.job.{path}")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addHandler(handler)
    where = ", ".join(f"{key} {value}" for key, value in coordinates.items())
    logger.info("%s: %s", title, where)
    started, cpu_before = time.monotonic(), time.process_time()
    try:
        origin = made.origin() if made else {}
        yield logger.info
        if made:
            made.keep(origin)
    except Exception as error:
        if advice := memory_advice(error):
            error.add_note(advice)
        logger.exception("failed after %.1f s", time.monotonic() - started)
        what = " ".join([str(error), *(f"({note})" for note in getattr(error, "__notes__", ()))])
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            what += ". Make room, or the folder writable, and run again: what is finished stays"
        print(f"{title}: {what}\n  full log: {path}", file=sys.stderr)
        sys.exit(1)
    else:
        cpu = time.process_time() - cpu_before
        logger.info("CPU: %.2f s before this, %.2f s for it", cpu_before, cpu)
        logger.info("done in %.2f s", time.monotonic() - started)
    finally:
        logger.removeHandler(handler)
        logging.getLogger("py.warnings").removeHandler(handler)
        with suppress(OSError):
            handler.close()


UNWRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT)


class _Quiet(logging.FileHandler):
    """A log whose disk may be full."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


def _handler(path: str | Path) -> logging.Handler:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return _Quiet(path, mode="w", encoding="utf-8")
    except OSError as error:
        print(f"{path}: no log: {error}", file=sys.stderr)
        return logging.NullHandler()


def seconds_of(path: str | Path) -> float | None:
    """How long the job of a log took; None where there is no log of a job that ended well."""
    try:
        last = Path(path).read_text(encoding="utf-8").splitlines()[-1:]
    except (OSError, UnicodeDecodeError):
        return None
    found = re.search(r"  done in ([\d.]+) s$", "".join(last))
    return float(found[1]) if found else None


def add_to_log(path: str | Path, title: str, what: str) -> None:
    """Say on standard error and at the end of a log how a job ended that could not say so itself."""
    with suppress(OSError), Path(path).open("a", encoding="utf-8") as log:
        print(f"{time.strftime('%H:%M:%S')}  {what}", file=log)
    print(f"{title}: {what}\n  full log: {path}", file=sys.stderr)
