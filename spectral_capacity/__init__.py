"""Measure how many associations a linear memory stores after training.

Pure functions, in rooms that import one way:

    backend < theory < results < memory < sampling < optimizers < training
            < analysis < figures < report < kinds < config

A module may import its own room and those before it, module by module, never a room by its name: then a digest
of the code behind a result covers what it must and nothing else. ``embeddings`` is the face of one function for
users. Nothing here knows of Snakemake.
"""
