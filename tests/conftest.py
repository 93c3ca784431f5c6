"""What tests share."""

from __future__ import annotations

import numpy as np
import pytest

from spectral_capacity.backend import jax

# A silent promotion costs digits or memory: in the package every change of type or rank is written out.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

FIRST = ("tests/cluster", "test_first_day", "test_smoke", "tests/faults", "tests/workflow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first, the others in their order: one that begins last would run alone."""

    def place(item):
        return next((i for i, part in enumerate(FIRST) if part in item.nodeid), len(FIRST))

    items.sort(key=place)


@pytest.fixture
def draws():
    """Gaussian embeddings of small memories: ``draws(n, d, seed) -> (U, V)``, float32."""

    def make(n: int, d: int, seed: int = 0):
        rng = np.random.default_rng([n, d, seed])
        return tuple((rng.standard_normal((n, d)) / np.sqrt(d)).astype(np.float32) for _ in "UV")

    return make
