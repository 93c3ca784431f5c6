"""Values relative to a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray


def relative_to(values: xarray.DataArray, **reference: Any) -> xarray.DataArray:
    """``values`` relative to those at one coordinate, as ``kappa=0.0``; NaN where these are not positive.

    Counts with their seeds are compared seed by seed.
    """
    at = values.sel(reference, drop=True)
    return (values / at.where(at > 0)).transpose(*values.dims)
