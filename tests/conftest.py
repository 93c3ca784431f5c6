"""What tests share."""

from __future__ import annotations

import os

# Before NumPy: workers share the cores, and threads that wait for each other cost most of the time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from spectral_capacity.backend import jax

# A silent promotion costs digits or memory: in the package every change of type or rank is written out.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

LONGEST = ("tests/cluster", "test_first_day", "test_smoke", "tests/faults", "tests/workflow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first, dealt out file by file to the workers, who each begin with an equal part of the
    list: one that begins last would run alone."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    long = [file for part in LONGEST for file in files if part in file]
    parts: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for number, file in enumerate(dict.fromkeys(long)):
        parts[number % workers] += files.pop(file)
    others = [item for file in files.values() for item in file]
    ends = [len(items) * (worker + 1) // workers for worker in range(workers)]
    items[:] = []
    for part, end in zip(parts, ends, strict=True):
        taken = max(end - len(items) - len(part), 0)
        items += part + others[:taken]
        others = others[taken:]
    items += others


@pytest.fixture
def draws():
    """Gaussian embeddings of small memories: ``draws(n, d, seed) -> (U, V)``, float32."""

    def make(n: int, d: int, seed: int = 0):
        rng = np.random.default_rng([n, d, seed])
        return tuple((rng.standard_normal((n, d)) / np.sqrt(d)).astype(np.float32) for _ in "UV")

    return make
