"""The embeddings of a run, for users: ``from spectral_capacity.embeddings import load_embeddings``."""

from spectral_capacity.sampling.embeddings import load_embeddings

__all__ = ["load_embeddings"]
