"""Exponents and breaks, fitted to grids."""

from spectral_capacity.regression.exponents import fit_exponents
from spectral_capacity.regression.lines import fit_counts, fit_line, local_exponents
from spectral_capacity.regression.quantities import LINE, LONG_NAMES, QUANTITIES
from spectral_capacity.regression.rows import FITS, STATISTICS

__all__ = [
    "FITS",
    "LINE",
    "LONG_NAMES",
    "QUANTITIES",
    "STATISTICS",
    "fit_counts",
    "fit_exponents",
    "fit_line",
    "local_exponents",
]
