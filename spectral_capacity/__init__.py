"""Measure how many associations a linear memory stores after training.

Pure functions, in rooms that import one way:

    devices < backend < theory < results < memory < sampling < optimizers < training
            < incontext < analysis < figures < report < kinds < config

A module may import its own room and those before it, module by module, never a room by its name: then a digest
of the code behind a result covers what it must and nothing else. Two modules are faces for users, imported by
nothing here: ``embeddings``, and ``measuring``, whose ``measure`` and ``fit`` are names of the package. Nothing
here knows of Snakemake.
"""

import importlib


def __getattr__(name: str):
    # By a text, when it is asked for: an import statement would run the whole package for any module of it,
    # and put all of its code into the digest behind every result (results/code_digest.py).
    if name in ("fit", "measure"):
        return getattr(importlib.import_module("spectral_capacity.measuring"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
