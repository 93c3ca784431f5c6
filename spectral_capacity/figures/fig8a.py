r"""In-context accuracy on uniform sequences (OOD) against the batch size.

**a**, **b**, …: a panel per optimizer, a curve per width :math:`d` of the model. Points: runs; lines: medians.
The learning rate of each optimizer, width and batch size is chosen by a run that is not shown, by this
accuracy. Open: the chosen rate is the least or the largest that was tried. Crosses: a run diverges. Grey lines:
:math:`1/K`, a copy of any of the :math:`K` pairs of the context, and :math:`1/|V|`, a guess.
"""

from __future__ import annotations

from typing import Annotated

import xarray as xr
from annotated_types import doc
from matplotlib.figure import Figure

from spectral_capacity.figures.parts import recall_against_batches

KIND = "incontext"
THEME = "In-context recall"
SHOWS = "incontext"
NEEDS = ("batch sizes",)


def plot(
    grid: xr.Dataset,
    fits: None,
    *,
    finite_size: bool = True,
    iteration: Annotated[
        int | None, doc("the one shown; by default 1024, or else the last")
    ] = None,
) -> Figure:
    """OOD accuracy as in :mod:`parts.recall_against_batches`; ``fits`` and ``finite_size`` play no part."""
    return recall_against_batches.plot(grid, "accuracy_ood", iteration)
