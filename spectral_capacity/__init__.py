"""Measure how many associations a linear memory stores after training.

Pure functions, in rooms that only look down: ``config`` and ``theory`` know nothing of JAX;
``streams``, ``embeddings`` and ``frequencies`` make the data; ``memory``, ``spectral``,
``optimizers``, ``recall`` and ``dynamics`` are the experiment; ``grids``, ``regression``,
``claims`` and ``plotting`` read what it left; ``artefacts`` and ``netcdf`` keep files whole, ``joblog`` and
``provenance`` say where they come from. Nothing here knows of Snakemake.
"""

__version__ = "0.1.0"
