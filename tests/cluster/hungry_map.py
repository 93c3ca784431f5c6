"""Muon's spectral map, which takes memory without end the first time.

Tests copy this file beside the Snakefile as a user's own map. It eats if the file ``hungry`` is there, which
it removes before; what it returns doesn't depend on that.
"""

import time
from pathlib import Path

import numpy as np

HUNGRY = Path(__file__).resolve().parent / "hungry"


def fed(gradient, context):
    if HUNGRY.exists():
        HUNGRY.unlink()
        meals = []
        while True:  # until it is killed
            if len(meals) < 40:  # ten gigabytes, of which a limit lets it have one or two
                meals.append(np.ones(2**25))
            time.sleep(0.2)
    return gradient.with_singular_values(np.ones_like(gradient.singular_values))
