"""A cell that was cut off goes on with the numbers it would have had, or starts again and says why."""

import numpy as np
import pytest

from spectral_capacity.checkpoints import Checkpoint, identity
from spectral_capacity.training import train_cell
from tests.unit.test_dynamics import MUON, cell

CELL = cell(MUON, 100, 8, steps=4, seeds=(0, 1), batch_sizes=(50.0, np.inf)) | {
    "early_stop": {"window": 2, "gain": 0.3}
}


class Cut(Exception):
    """What stands for SIGKILL here."""


class CutOff(Checkpoint):
    """Writes at every step, and is cut off after ``writes`` of them."""

    writes = 10**6

    def save(self, results, run, state):
        super().save(results, run, state)
        self.writes -= 1
        if self.writes == 0:
            raise Cut


def train(draws, checkpoint):
    return train_cell(CELL, lambda s: draws(100, 8, s), checkpoint=checkpoint)


def test_a_cell_cut_off_anywhere_ends_the_same(draws, tmp_path):
    undisturbed = train(draws, None)
    steps = int((undisturbed["capacity"] >= 0).sum())
    for writes in range(1, steps + 1):
        path = tmp_path / f"{writes}.nc"
        cut = CutOff(path, {"code": "a"}, 0.0)
        cut.writes = writes
        with pytest.raises(Cut), cut:
            train(draws, cut)
        lines = []
        with Checkpoint(path, {"code": "a"}, 0.0, lines.append) as checkpoint:
            resumed = train(draws, checkpoint)
        assert len(lines) == 1
        assert "goes on after step" in lines[0]
        for name, values in undisturbed.items():
            np.testing.assert_array_equal(resumed[name], values, err_msg=name)
        assert not path.exists()


def test_another_identity_starts_again(draws, tmp_path):
    path = tmp_path / "c.nc"
    cut = CutOff(path, {"code": "a", "backend": "cpu"}, 0.0)
    cut.writes = 3
    with pytest.raises(Cut):
        train(draws, cut)
    before = path.read_bytes()
    for changed, about in [
        ({"code": "b", "backend": "cpu"}, "another code"),
        ({"code": "b", "backend": "gpu"}, "another backend and code"),
    ]:
        lines = []
        results = {"capacity": np.zeros((2, 2, 4), np.int64)}
        assert Checkpoint(path, changed, 0.0, lines.append).load(results) == (0, None)
        assert about in lines[0]
        assert (results["capacity"] == 0).all()
    assert path.read_bytes() == before


def test_a_broken_file_starts_again(draws, tmp_path):
    path = tmp_path / "c.nc"
    cut = CutOff(path, {}, 0.0)
    cut.writes = 1
    with pytest.raises(Cut):
        train(draws, cut)
    path.write_bytes(path.read_bytes()[:-50])
    lines = []
    with Checkpoint(path, {}, 0.0, lines.append) as checkpoint:
        resumed = train(draws, checkpoint)
    assert "broken off, ignored" in lines[0]
    np.testing.assert_array_equal(resumed["capacity"], train(draws, None)["capacity"])


def test_written_at_most_so_often(draws, tmp_path):
    path = tmp_path / "c.nc"
    train(draws, Checkpoint(path, {}, 3600.0))
    assert not path.exists()


def test_identity_knows_code_and_embeddings_but_not_the_revision(tmp_path):
    embeddings = tmp_path / "e.nc"
    embeddings.write_bytes(b"1")
    made = {"configuration": {"d": 4}, "versions": {"jax": "1"}, "git_revision": "x"}
    one = identity(made, embeddings, "c", "")
    assert one == identity(made | {"git_revision": "y"}, embeddings, "c", "")
    assert one != identity(made, embeddings, "d", "")
    assert one != identity(made, embeddings, "c", "m")
    embeddings.write_bytes(b"22")
    assert one != identity(made, embeddings, "c", "")
