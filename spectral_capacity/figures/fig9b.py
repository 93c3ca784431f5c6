r"""In-context accuracy on uniform sequences (OOD) against the width, for several frequencies of triggers.

In training the frequency of triggers falls as a power of their rank, with the exponent :math:`-\alpha_t`; that
of outputs is uniform. **a**, **b**, …: a panel per optimizer. Points: runs; lines: medians. The learning rate
of each optimizer, exponent and width is chosen by a run that is not shown, by this accuracy. Open: the chosen
rate is the least or the largest that was tried. Crosses: a run diverges. Grey lines: :math:`1/K`, a copy of any
of the :math:`K` pairs of the context, and :math:`1/|V|`, a guess.
"""

from __future__ import annotations

from typing import Annotated

import xarray as xr
from annotated_types import doc
from matplotlib.figure import Figure

from spectral_capacity.figures.parts import recall_against_d

KIND = "incontext"
THEME = "In-context recall"
SHOWS = "incontext_exponents"
NEEDS = ("uniform outputs",)


def plot(
    grid: xr.Dataset,
    fits: None,
    *,
    finite_size: bool = True,
    iteration: Annotated[int | None, doc("the one shown; by default 512, or else the last")] = None,
    batch_size: Annotated[
        int | None, doc("the one shown; by default 256, or else the largest")
    ] = None,
) -> Figure:
    """As in :mod:`parts.recall_against_d`; ``fits`` and ``finite_size`` play no part."""
    return recall_against_d.plot(grid, "alpha_triggers", iteration, batch_size)
