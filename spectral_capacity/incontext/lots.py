"""Items by lot: what 32 random bits each decide.

Probabilities near zero need finer steps than those of uniform numbers in float32, 2^-23, and of sums near 1,
2^-24. Here whole numbers are compared with whole numbers, and waiting times are made of the end of the lots
that is next to zero.
"""

from __future__ import annotations

from jaxtyping import Array, Float, Int, UInt32

from spectral_capacity.backend import jax, jnp

FEW = 128
"""Items, of which each is compared with a lot."""


def bounds(p: Float[Array, "*rows v"]) -> UInt32[Array, "*rows v"]:
    """Where the parts of [0, 2^31) end that belong to items of probabilities p, along the last axis; they need
    not sum to 1. An item's part is p · 2^31, to within one."""
    cumulative = jnp.cumsum(p.astype(jnp.float64), axis=-1)
    return jnp.round(cumulative / cumulative[..., -1:] * 2.0**31).astype(jnp.uint32)


def items(ends: UInt32[Array, " v"], lots: UInt32[Array, "*n"]) -> Int[Array, "*n"]:
    """The item of each lot, from :func:`bounds`; never one of probability zero."""
    # A search by halves is a loop, which a few items are not worth.
    method = "compare_all" if ends.size <= FEW else "scan"
    # 31 bits of a lot: 2^31, where the last part ends, is a number, too.
    found = jnp.searchsorted(ends, lots >> 1, side="right", method=method)
    return found.astype(jnp.int32)


def different_items(
    p: Float[Array, " v"], lots: UInt32[Array, "n v"], number: int
) -> Int[Array, "n number"]:
    """Different items for each row of lots, as if drawn one after another without replacement, in that order.

    A probability below 2^-32 comes out too small.
    """
    # The first to ring of exponential clocks of rates p, then the first of the rest, and so on. The largest
    # lots are the shortest times: those near zero decide whether a rare item is among the first.
    late = (~lots).astype(jnp.float32) * 2.0**-32 + 2.0**-33
    return jax.lax.top_k(jnp.log1p(-late) / p.astype(jnp.float32)[None, :], number)[1]
