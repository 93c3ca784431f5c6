"""Configuration: what may be written in config/*.yaml, checked before any job starts."""

from spectral_capacity.config.cells import (
    Cell,
    EmbeddingsFile,
    cells,
    coordinates,
    embeddings_files,
    frequencies,
    numeric_options,
    own_code,
    shown,
    sorted_plain,
    theory_of,
)
from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.models import FIGURES, Config, MemoryExperiment
from spectral_capacity.config.parse import json_schema, parse

__all__ = [
    "FIGURES",
    "Cell",
    "Config",
    "ConfigError",
    "EmbeddingsFile",
    "MemoryExperiment",
    "cells",
    "coordinates",
    "embeddings_files",
    "frequencies",
    "json_schema",
    "numeric_options",
    "own_code",
    "parse",
    "shown",
    "sorted_plain",
    "theory_of",
]
