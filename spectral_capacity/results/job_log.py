"""One log per job: what it works on, how far it is, and the traceback when it fails."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spectral_capacity.devices import memory_advice


@contextmanager
def job_log(
    path: str | Path, title: str, coordinates: Mapping[str, Any]
) -> Iterator[Callable[[str], None]]:
    """Log to ``path`` while the block runs; gives a function that writes one line.

    The first line names the job and its coordinates, the last says how long it took. An exception is
    written with its traceback, shown with its notes in one line on standard error, and ends the process with
    status 1: Snakemake would print its traceback a second time. It shows the log, so nothing of that is said
    again.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    logger = logging.getLogger(f"spectral_capacity.job.{path}")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addHandler(handler)
    where = ", ".join(f"{key} {value}" for key, value in coordinates.items())
    logger.info("%s: %s", title, where)
    started = time.monotonic()
    try:
        yield logger.info
    except Exception as error:
        if advice := memory_advice(error):
            error.add_note(advice)
        logger.exception("failed after %.1f s", time.monotonic() - started)
        what = " ".join([str(error), *(f"({note})" for note in getattr(error, "__notes__", ()))])
        print(f"{title}: {what}\n  full log: {path}", file=sys.stderr)
        sys.exit(1)
    else:
        logger.info("done in %.1f s", time.monotonic() - started)
    finally:
        logger.removeHandler(handler)
        logging.getLogger("py.warnings").removeHandler(handler)
        handler.close()
