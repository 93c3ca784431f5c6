"""A cell as a whole: its shapes, its draws, its frequencies, and what it says."""

import numpy as np
import pytest

from spectral_capacity.memory.measured import VARIABLES
from spectral_capacity.sampling.frequencies import frequencies_digest, item_frequencies
from spectral_capacity.training.cell import train_cell
from tests import oracle
from tests.unit.cells import GD, MUON, cell


def test_shapes_types_and_reports(draws):
    lines = []
    results = train_cell(cell(GD, 40, 4, seeds=(2, 5)), lambda s: draws(40, 4, s), lines.append)
    assert set(results) == set(VARIABLES)
    for name, array in results.items():
        assert array.shape == (1, 2, 1)
        assert array.dtype == VARIABLES[name].dtype
    assert "seed 2" in lines[0]
    assert "2 of 2 seeds done" in lines[1]


def test_every_optimizer_learns_from_the_same_draws(draws):
    loaded = []

    def load(seed):
        loaded.append(seed)
        return draws(60, 8, seed)

    sigma = [train_cell(cell(o, 60, 8), load)["sigma_max"].item() for o in (GD, MUON)]
    assert sigma[0] == sigma[1]
    assert loaded == [0, 0]


@pytest.mark.parametrize("optimizer", [GD, MUON])
def test_a_value_that_is_not_finite_names_its_coordinates(draws, optimizer):
    U, V = draws(40, 4)
    U[3, 1] = np.inf
    with pytest.raises(FloatingPointError, match="seed 7"):
        train_cell(cell(optimizer, 40, 4, seeds=(7,)), lambda s: (U, V))


def test_frequencies_from_a_table(draws, tmp_path):
    n, d = 60, 8
    table = tmp_path / "counts.csv"
    counts = np.random.default_rng(0).integers(1, 1000, n + 20)
    table.write_text("count\n" + "\n".join(map(str, counts)) + "\n")
    digest = frequencies_digest(item_frequencies(n, 1.5, table))
    this = cell(MUON, n, d) | {"frequencies": digest}
    results = train_cell(this, lambda s: draws(n, d, s), table=table)
    q = np.sort(counts)[::-1][:n] / np.sort(counts)[::-1][:n].sum()
    U, V = draws(n, d)
    assert results["capacity"].item() == oracle.capacity(U, V, 1.5, oracle.polar, q)


@pytest.mark.parametrize(("digest", "table"), [("its digest", None), (None, "counts.csv")])
def test_a_digest_goes_with_its_table(draws, digest, table):
    this = cell(GD, 40, 4) | {"frequencies": digest}
    with pytest.raises(ValueError, match="goes with its digest"):
        train_cell(this, lambda s: draws(40, 4, s), table=table)
