"""Predictions continued to dimensions that no run reaches: the exponents that they have there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

DIMENSIONS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
"""Half a decade apart."""

COMPETITORS = 99_999.0
"""Of a memory of 100,000 items, kept while d grows: more of them change the logarithms, not the exponent."""


def local_exponents(
    count: Callable[[int], float], dimensions: Sequence[int] = DIMENSIONS
) -> Float[np.ndarray, " s"]:
    """Slopes of log count over log d between neighbouring dimensions; NaN where a count is not positive.

    ``count`` is a prediction as a function of d, for items without end as in
    ``lambda d: muon_step.capacity(Items.power_law(1.5), d, n_competitors=COMPETITORS)``. With d they tend to
    the exponent of the theorem.
    """
    counts = np.array([count(d) for d in dimensions], dtype=float)
    logs = np.log(np.where(counts > 0, counts, np.nan))
    return np.diff(logs) / np.diff(np.log(np.array(dimensions, dtype=float)))
