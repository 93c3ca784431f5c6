"""Embeddings that a user supplies: what the file must look like (no JAX, so that checks are quick)."""

from __future__ import annotations

import os

from spectral_capacity.results.netcdf import open_netcdf


def own_embeddings_shape(path: str | os.PathLike) -> tuple[int, int, list[int] | None]:
    """(N, d, seeds) of a file of your own; seeds is None when it has no ``seed`` dimension.

    Raises ValueError, naming the file, when U and V are missing or disagree.
    """
    with open_netcdf(path, ours=False) as file:
        if not {"U", "V"} <= {*file.variables}:
            raise ValueError(f"{path}: needs variables U and V, has {sorted(file.variables)}")
        packed = [n for n in "UV" if {"scale_factor", "add_offset"} & {*file[n].ncattrs()}]
        if packed:
            raise ValueError(f"{path}: {packed[0]} is packed; store it as plain floats")
        shape, other = file["U"].shape, file["V"].shape
        if shape != other or len(shape) not in (2, 3):
            raise ValueError(
                f"{path}: U has shape {shape} and V {other}; both must be (item, component) or "
                "(seed, item, component), and the same"
            )
        if len(shape) == 3 and "seed" not in file.variables:
            raise ValueError(f"{path}: U has three dimensions but there is no seed coordinate")
        seeds = file["seed"][:].tolist() if len(shape) == 3 else None
    return shape[-2], shape[-1], seeds
