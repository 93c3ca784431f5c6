r"""Share of outputs that the second layer's value matrices recall, against the batch size.

An output :math:`w` is recalled if :math:`U_{w'}^\top W_O W_V E_w` is largest among all outputs :math:`w'` for
:math:`w' = w`: it is what a layer that attends to :math:`w` predicts. **a**, **b**, …: a panel per optimizer, a
curve per width :math:`d` of the model. Points: runs; lines: medians. The learning rate of each optimizer, width
and batch size is chosen by a run that is not shown, by this share. Open: the chosen rate is the least or the
largest that was tried. Crosses: a run diverges. Grey line: :math:`1/|V|`, a guess.
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
NEEDS = ("batch sizes", "no feed-forward")


def plot(
    grid: xr.Dataset,
    fits: None,
    *,
    finite_size: bool = True,
    iteration: Annotated[
        int | None, doc("the one shown; by default 1024, or else the last")
    ] = None,
) -> Figure:
    """Recall as in :mod:`parts.recall_against_batches`; ``fits`` and ``finite_size`` play no part."""
    return recall_against_batches.plot(grid, "memory_recall", iteration)
