"""At N = 100,000, counts against references measured with independent programs."""

from functools import cache, partial

import numpy as np
import pytest

from spectral_capacity.sampling.embeddings import generate_embeddings, load_embeddings
from spectral_capacity.training.cell import train_cell

SEEDS = 4
# (optimizer, α, d): mean and standard error of float64 NumPy programs that compute all logits a block at a
# time, from other draws. Muon at α = 1.5, d = 128: six seeds; the others: two to four.
REFERENCE = {
    ("muon", 1.5, 128): (117.0, 1.6),
    ("muon", 2.0, 128): (102, 3),
    ("muon", 3.0, 128): (96, 2),
    ("gd", 1.5, 128): (9, 1),
    ("muon", 1.5, 256): (309, 3.5),
    ("muon", 3.0, 256): (243, 3),
    ("gd", 1.5, 256): (13, 1.2),
}
RULES = {"gd": {"rule": "gradient"}, "muon": {"rule": "spectral", "map": {"name": "polar"}}}


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.parametrize("d", [128, 256])
def test_counts_agree_within_seed_noise(tmp_path, d):
    path = tmp_path / "e.nc"
    seeds = list(range(SEEDS))
    generate_embeddings(path, n_items=100_000, d=d, seeds=seeds, root_seed=0, store="keys")
    load = cache(partial(load_embeddings, path))
    for (optimizer, alpha, at), (mean, error) in REFERENCE.items():
        if at != d:
            continue
        cell = {
            "optimizer": RULES[optimizer] | {"learning_rate": {"scale": 1.0, "d_power": 0.0}},
            "n_items": 100_000,
            "d": d,
            "alpha": alpha,
            "kappa": 0.0,
            "frequencies": None,
            "root_seed": 0,
            "loss_factors": None,
            "prefix_share": 0.95,
            "gradient": "exact",
            "steps": 1,
            "early_stop": None,
            "rate_factors": None,
            "batch_sizes": [np.inf],
            "seeds": seeds,
        }
        counts = train_cell(cell, load)["capacity"]
        own_error = counts.std(ddof=1) / np.sqrt(SEEDS)
        assert abs(counts.mean() - mean) < 3.5 * np.hypot(error, own_error), (optimizer, alpha)
