"""At N = 100,000, counts against references measured with independent programs."""

import numpy as np
import pytest

from spectral_capacity.dynamics import train_cell
from spectral_capacity.embeddings import generate_embeddings, load_embeddings

SEEDS = 4
# (optimizer, α): mean, and its standard error, of float64 NumPy programs that compute all logits a block at
# a time from other draws. Muon at α = 1.5: six seeds; the others: two to four.
REFERENCE = {
    ("muon", 1.5): (117.0, 1.6),
    ("muon", 2.0): (102, 3),
    ("muon", 3.0): (96, 2),
    ("gd", 1.5): (9, 1),
}
RULES = {"gd": {"rule": "gradient"}, "muon": {"rule": "spectral", "map": {"name": "polar"}}}


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "e.nc"
    generate_embeddings(
        path, n_items=100_000, d=128, seeds=list(range(SEEDS)), root_seed=0, store="keys"
    )
    return lambda seed: load_embeddings(path, seed)


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.parametrize(("optimizer", "alpha"), REFERENCE)
def test_counts_agree_within_seed_noise(load, optimizer, alpha):
    cell = {
        "optimizer": RULES[optimizer] | {"learning_rate": {"scale": 1.0, "d_power": 0.0}},
        "n_items": 100_000,
        "d": 128,
        "alpha": alpha,
        "kappa": 0.0,
        "batch_sizes": [np.inf],
        "seeds": range(SEEDS),
    }
    counts = train_cell(cell, load)["capacity"]
    mean, error = REFERENCE[optimizer, alpha]
    own_error = counts.std(ddof=1) / np.sqrt(SEEDS)
    assert abs(counts.mean() - mean) < 3.5 * np.hypot(error, own_error)
