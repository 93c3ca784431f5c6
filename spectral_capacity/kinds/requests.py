"""What a training job asks of a cluster: enough, and more after each try that was cut off."""

from __future__ import annotations

import math

from spectral_capacity.kinds.bundles import Bundle

BESIDE = 500
"""Megabytes beside the cells: of the two Snakemakes in a job of a cluster, and of the process that watches."""

START = 10
"""Minutes for a node that is slow to start, whose file system is cold or that compiles anew."""


def megabytes(bundle: Bundle, attempt: int) -> int:
    """Memory for a bundle at its ``attempt``-th try, from 1: that of its largest cell with a quarter on top."""
    return math.ceil(1.25 * bundle.bytes / 1e6 * attempt) + BESIDE


def minutes(bundle: Bundle, attempt: int) -> int:
    """Time for a bundle at its ``attempt``-th try, from 1: three times what a core of nominal speed takes.

    A cell that is cut off goes on from its checkpoint, so a later try has less to do as well.
    """
    return attempt * (START + math.ceil(3 * bundle.seconds / 60))
