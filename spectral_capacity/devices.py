"""Which device a job takes, and what to say where there is none or its memory is full.

Without JAX: jobs that compute nothing ask too, and a card must be chosen before JAX starts.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

NO_GPU = (
    "device: gpu was asked for, but JAX sees no GPU here. Install for CUDA (make env CUDA=1) or set "
    "device: auto or cpu."
)

_taken: list[int] = []
"""Descriptors of the locks that this process holds, open as long as it lives."""


def cards() -> list[str]:
    """Names of the NVIDIA cards that this process may use, in CUDA's order.

    What CUDA_VISIBLE_DEVICES lists (a cluster sets it), or those that the driver has a file for. Empty
    where neither tells: no such card, or one behind another driver.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        names = (path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia*"))
        return sorted(filter(str.isdecimal, names), key=int)
    names = (name.strip() for name in visible.split(","))
    return list(itertools.takewhile(lambda name: name not in ("", "-1"), names))  # as CUDA reads it


def take(names: Sequence[str]) -> int:
    """Index of the device that the fewest processes of this user have taken on this machine, the first of
    equals; it is ours until this process ends, however it ends.

    More processes than devices share them evenly and nobody waits: how many jobs run at once is
    Snakemake's business. A device has a lock for its first process, one for its second, and so on.
    """
    folder = Path(tempfile.gettempdir(), f"spectral-capacity-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    for others in itertools.count():
        for index, name in enumerate(names):
            path = folder / f"{re.sub('[^A-Za-z0-9-]', '_', name)}.{others}.lock"
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            _taken.append(lock)
            return index


def gpu_problem() -> str | None:
    """Why ``device: gpu`` cannot be had on this machine, None where it can.

    JAX is asked in a process of its own: it would keep a part of the card's memory.
    """
    code = "from spectral_capacity import backend; backend.use_device('gpu')"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if asked.returncode == 0:
        return None
    if NO_GPU in asked.stderr:
        return NO_GPU
    return f"device: gpu: {asked.stderr.strip() or 'JAX cannot be started'}"


def memory_advice(error: BaseException) -> str | None:
    """What to change after an error that says that memory is full, a device's or the machine's; else None."""
    if not isinstance(error, MemoryError) and "RESOURCE_EXHAUSTED" not in str(error):
        return None
    return (
        "out of memory: run fewer jobs at once (--cores 1; --resources gpu=1 where they share a GPU), make "
        "n_items or d smaller, or set device: cpu where the machine has more memory than its GPU; "
        "`snakemake plan` says what each cell needs"
    )
