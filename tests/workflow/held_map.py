"""Muon's spectral map, which waits where a test tells it to.

Tests copy this file beside the Snakefile as a user's own map. A step waits as long as the folder ``hold``
beside the file has a file of its name, ``d8_alpha1.5_step3``; ``d8_alpha1.5_step3.4711`` then names the
process that waits. What the map returns does not depend on any of this, nor does its code.
"""

import os
import time
from pathlib import Path

import numpy as np

HOLD = Path(__file__).resolve().parent / "hold"


def held(gradient, context):
    step = HOLD / f"d{context.d}_alpha{context.alpha}_step{context.step}"
    while step.exists():
        step.with_name(f"{step.name}.{os.getpid()}").touch()
        time.sleep(0.01)
    return gradient.with_singular_values(np.ones_like(gradient.singular_values))
