"""Names of the model's parameters, as the configuration writes them (no JAX, so that checks are quick)."""

TABLES = ("embedding", "positions", "unembedding")
"""A row for each token or position."""
MATRICES = ("query", "key", "value", "output", "widen", "narrow")
"""Of a layer: attention, and its feed-forward part."""
SQUARE = tuple(f"{name}_{layer}" for layer in (1, 2) for name in MATRICES[:4])
"""Matrices that can be the identity."""
PARAMETERS = (*TABLES, *(f"{name}_{layer}" for layer in (1, 2) for name in MATRICES))
"""All. Their order numbers streams: never change it."""
