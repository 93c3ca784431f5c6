"""Every kind of experiment by its name in the configuration."""

from __future__ import annotations

from spectral_capacity.kinds.experiment import Experiment
from spectral_capacity.kinds.incontext import InContextExperiment
from spectral_capacity.kinds.memory import MemoryExperiment

DEFAULT = "memory"
"""The kind of an experiment that names none."""

KINDS: dict[str, type[Experiment]] = {
    "memory": MemoryExperiment,
    "incontext": InContextExperiment,
}
