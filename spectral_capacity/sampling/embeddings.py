"""Isotropic Gaussian embeddings: drawn, stored, and given back the same.

A file holds the draws of some seeds for one (N, d), either as float32 arrays or as the keys that
make them with a fingerprint of the result. :func:`load_embeddings` hides the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Array, Float, Float32, Int64

from spectral_capacity.backend import jax, jnp
from spectral_capacity.results.netcdf import declare, new_netcdf, open_netcdf
from spectral_capacity.sampling.own_embeddings import load_own_embeddings
from spectral_capacity.sampling.streams import Stream, stream_key

DRAW_BLOCK = 128
"""Items drawn from one key. Part of the data: item i has the same embedding for every N > i."""

BLOCKS_AT_ONCE = 16
"""Drawn by one call: a compromise between calls and rows drawn for nothing at the end."""

ROLES = {"U": Stream.INPUT_EMBEDDINGS, "V": Stream.OUTPUT_EMBEDDINGS}


def generate_embeddings(
    path: str | Path,
    *,
    n_items: int,
    d: int,
    seeds: Sequence[int],
    root_seed: int,
    store: Literal["keys", "arrays"],
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Draw U and V for each seed and write them to ``path`` (NetCDF).

    u_i, v_i ~ N(0, I_d / d), float32. With ``store="keys"`` the file holds the keys and a 64-bit
    fingerprint of each array (a kilobyte); with ``"arrays"`` the arrays too (8·N·d bytes a seed).
    ``report`` is told of each seed done. Raises OSError when the disk is full; ``path`` is then
    as it was before.
    """
    keys = np.empty((len(seeds), len(ROLES), 2), np.uint32)
    marks = np.empty((len(seeds), len(ROLES)), np.uint64)
    dims = {"seed": len(seeds), "item": n_items, "component": d}
    size = 8 * n_items * d * len(seeds) if store == "arrays" else 0
    with new_netcdf(path, expected_bytes=size) as file:
        file.setncatts(
            {
                "title": "Isotropic Gaussian embeddings N(0, I_d / d)",
                "store": store,
                "generator": "threefry2x32",
                "draw_block": DRAW_BLOCK,
                "jax_version": jax.__version__,
            }
        )
        for dim, length in {**dims, "role": len(ROLES), "word": 2}.items():
            file.createDimension(dim, length)
        arrays = {}
        if store == "arrays":
            for name in ROLES:
                attributes = {"long_name": f"embeddings {name.lower()}_i in rows", "units": "1"}
                arrays[name] = declare(file, name, dims, np.float32, attributes)
        for index, seed in enumerate(seeds):
            for role, stream in enumerate(ROLES.values()):
                keys[index, role] = jax.random.key_data(stream_key(root_seed, stream, d, seed))
            drawn = _draw_both(keys[index], n_items, d)
            for role, (name, array) in enumerate(zip(ROLES, drawn, strict=True)):
                marks[index, role] = fingerprint(array)
                if store == "arrays":
                    arrays[name][index] = array
            report(f"seed {seed}: {n_items} items of dimension {d}")
        for name, dims, values in (
            ("seed", ("seed",), np.asarray(seeds, np.int64)),
            ("key", ("seed", "role", "word"), keys),
            ("fingerprint", ("seed", "role"), marks),
        ):
            shape = dict(zip(dims, values.shape, strict=True))
            declare(file, name, shape, values.dtype, {"long_name": name})[...] = values


KEPT = 2**28
"""Bytes of embeddings that :class:`KeptEmbeddings` holds at most: memory of a job beyond its largest cell's."""


class KeptEmbeddings:
    """Generated embeddings of one file, drawn once for all cells of a bundle that learn from it.

    As many seeds as :data:`KEPT` holds; the others are drawn for every cell. Nobody may write into them.
    """

    def __init__(self) -> None:
        self._path: str | os.PathLike | None = None
        self._held: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def load(self, path: str | os.PathLike, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """As :func:`load_embeddings` of a file that a rule made."""
        if path != self._path:
            self._path, self._held = path, {}
        if seed in self._held:
            return self._held[seed]
        drawn = load_embeddings(path, seed, ours=True)
        held = [array for pair in self._held.values() for array in pair]
        if sum(array.nbytes for array in (*held, *drawn)) <= KEPT:
            self._held[seed] = drawn
        return drawn


def load_embeddings(
    path: str | os.PathLike,
    seed: int,
    *,
    rows: Int64[np.ndarray, " n"] | None = None,
    ours: bool = False,
) -> tuple[Float32[np.ndarray, "n d"], Float32[np.ndarray, "n d"]]:
    """(U, V) of one seed, each (N, d) float32, rows are items.

    Reads files of :func:`generate_embeddings` and files of your own, with variables ``U`` and ``V``
    over (item, component), the same for every seed, or (seed, item, component) with a ``seed``
    coordinate. ``rows``: which rows, in this order (None: all). Raises KeyError for a seed the file does
    not hold, and ValueError when the draws are not the ones the file was made from (another JAX version or
    processor) or are not finite.
    ``ours``: a rule made the file, so it is set aside when it is damaged (DamagedFile), to be made again.
    """
    path = Path(path)
    with open_netcdf(path, ours=ours) as file:
        if "fingerprint" not in file.variables:
            return load_own_embeddings(path, seed, rows)
        held = file["seed"][:].tolist()
        if seed not in held:
            raise KeyError(f"{path}: seed {seed} is not in this file, it holds {held}")
        index = held.index(seed)
        marks = file["fingerprint"][index]
        if file.store == "arrays":
            arrays = [file[name][index] for name in ROLES]
            if ours and any(map(_differs, arrays, marks)):
                raise OSError(f"NetCDF: seed {seed} is not what its fingerprint says")
            advice = "The file is damaged: delete it, the next run makes it again."
        else:
            n, d = file.dimensions["item"].size, file.dimensions["component"].size
            arrays = _draw_both(file["key"][index], n, d)
            advice = (
                f"The file was made with JAX {file.jax_version}, this is {jax.__version__}, perhaps "
                "on another kind of processor: delete the file to draw anew, or set "
                "embeddings: {store: arrays} to carry the draws themselves."
            )
    for name, array, mark in zip(ROLES, arrays, marks, strict=True):
        if _differs(array, mark):
            raise ValueError(
                f"{path}: {name} of seed {seed} is not what its fingerprint says. {advice}"
            )
    U, V = arrays if rows is None else (array[rows] for array in arrays)
    return U, V


def _differs(array, mark) -> bool:
    return fingerprint(array) != int(mark)


def anisotropic(
    V: Float[Array, "n d"], kappa: float
) -> tuple[Float[Array, "n d"], Float[np.ndarray, " d"]]:
    """Rescale isotropic draws to N(0, Ξ), Ξ diagonal, eigenvalues ∝ k^(−κ), trace 1.

    Returns the scaled float32 rows and the eigenvalues of Ξ; κ = 0 gives V back, unchanged.
    """
    d = V.shape[1]
    variances = np.arange(1, d + 1, dtype=np.float64) ** -kappa
    variances /= variances.sum()
    if kappa == 0:
        return V, variances
    return V * jnp.asarray(np.sqrt(d * variances), V.dtype)[None, :], variances


def fingerprint(array: Float[Array, "n d"] | Float[np.ndarray, "n d"]) -> int:
    """64 bits of an array's bits and their order; equal arrays have equal fingerprints."""
    bits = np.ascontiguousarray(array).view(np.uint32)
    # Σ word_k · odd(k) over each row, then over rows, modulo 2^64.
    columns = np.arange(bits.shape[1], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) | np.uint64(
        1
    )
    rows = np.arange(bits.shape[0], dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03) | np.uint64(1)
    total = 0
    for start in range(0, bits.shape[0], 512):
        block = slice(start, start + 512)
        total += int((bits[block].astype(np.uint64) @ columns) @ rows[block])
    return total % 2**64


def _draw_both(keys, n_items: int, d: int) -> list[np.ndarray]:
    """U and V from their keys, side by side: one draw alone leaves a second core idle."""
    draw = _compiled(d)  # before there are two to do it
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: _draw(draw, key, n_items, d), keys))


def _draw(draw, key, n_items: int, d: int) -> np.ndarray:
    """N(0, I/d) rows, so many at a time: what is compiled does not depend on how many there are."""
    rows = np.empty((n_items, d), np.float32)
    for start in range(0, n_items, DRAW_BLOCK * BLOCKS_AT_ONCE):
        part = rows[start : start + DRAW_BLOCK * BLOCKS_AT_ONCE]
        drawn = draw(key, np.int64(start // DRAW_BLOCK))
        part[...] = np.asarray(drawn).reshape(-1, d)[: len(part)]
    return rows


@cache
def _compiled(d: int):
    """What draws blocks of rows on the CPU, so that their bits do not depend on the device."""
    with jax.default_device(jax.devices("cpu")[0]):
        key = jax.ShapeDtypeStruct((2,), np.uint32)
        return _draw_blocks.lower(key, jax.ShapeDtypeStruct((), np.int64), d=d).compile()


@partial(jax.jit, static_argnames="d")
def _draw_blocks(key_data, first, *, d):
    key = jax.random.wrap_key_data(key_data, impl="threefry2x32")
    scale = np.float32(1 / np.sqrt(d))

    def rows(b):
        return scale * jax.random.normal(jax.random.fold_in(key, b), (DRAW_BLOCK, d), jnp.float32)

    return jax.lax.map(rows, first + jnp.arange(BLOCKS_AT_ONCE))
