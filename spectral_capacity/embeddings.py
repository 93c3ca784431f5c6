"""Embeddings, for users: those of a run with ``load_embeddings``, your own with ``save_embeddings``."""

from spectral_capacity.sampling.embeddings import load_embeddings
from spectral_capacity.sampling.own_embeddings import save_embeddings

__all__ = ["load_embeddings", "save_embeddings"]
