"""A cell that was cut off goes on with the numbers it would have had, or starts again and says why."""

import resource

import numpy as np
import pytest

from spectral_capacity.results.schema import Status
from spectral_capacity.training import checkpoints
from spectral_capacity.training.cell import train_cell
from spectral_capacity.training.checkpoints import Checkpoint, identity
from tests.unit.cells import MUON, cell

SEVERAL = {"seeds": (0, 1), "batch_sizes": (50.0, np.inf), "rate_factors": [0.5, 1.0]}
CELL = cell(MUON, 100, 8, steps=4, **SEVERAL) | {"early_stop": {"window": 2, "gain": 0.3}}


class Cut(Exception):
    """What stands for SIGKILL here."""


class CutOff(Checkpoint):
    """Writes at every step, and is cut off after ``writes`` of them."""

    writes = 10**6

    def save(self, arrays, numbers):
        super().save(arrays, numbers)
        self.writes -= 1
        if self.writes == 0:
            raise Cut


SOAP = {"rule": "soap", "learning_rate": {"scale": 0.3, "d_power": 0.0}}
WITH_MOMENTUM = MUON | {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}


def train(draws, checkpoint, report=lambda line: None, optimizer=MUON):
    this = CELL | {"optimizer": optimizer}
    return train_cell(this, lambda s: draws(100, 8, s), report, checkpoint)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", [WITH_MOMENTUM, SOAP], ids=["momentum", "soap"])
def test_a_cell_cut_off_anywhere_ends_the_same(draws, tmp_path, optimizer):
    undisturbed = train(draws, None, optimizer=optimizer)
    steps = int((undisturbed["capacity"] >= 0).sum())
    for writes in {*range(1, steps, 7), steps}:  # a step of each kind; runs have up to four
        path = tmp_path / f"{writes}.nc"
        cut = CutOff(path, {"code": "a"}, 0.0)
        cut.writes = writes
        with pytest.raises(Cut), cut:
            train(draws, cut, optimizer=optimizer)
        lines = []
        with Checkpoint(path, {"code": "a"}, 0.0) as checkpoint:
            resumed = train(draws, checkpoint, lines.append, optimizer)
        assert sum(line.startswith("goes on after step") for line in lines) == 1
        for name, values in undisturbed.items():
            np.testing.assert_array_equal(resumed[name], values, err_msg=name)
        assert not path.exists()


def test_arrays_of_any_kind_come_back_to_the_last_bit(tmp_path):
    arrays = {
        "matrix": np.array([[np.pi, np.nan], [-0.0, np.inf]]),
        "single": np.float32([1e-40, 1.0]),
        "mask": np.array([True, False, True]),
        "counts": np.arange(4, dtype=np.int64),
        "status": np.int8([[[0], [4]]]),
        "none": np.zeros(0),
        "number": np.zeros((), np.int32),
        "half": np.array([1.5, -2.0], "bfloat16"),
    }
    checkpoint = Checkpoint(tmp_path / "c.nc", {}, 0.0)
    assert checkpoint.load() is None
    checkpoint.save(arrays, {"step": 3, "layer": 0})
    found, numbers = checkpoint.load()
    assert numbers == {"step": 3, "layer": 0}
    assert found.keys() == arrays.keys()
    for name, values in arrays.items():
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
        assert found[name].tobytes() == values.tobytes()


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
        assert Checkpoint(path, changed, 0.0, lines.append).load() is None
        assert about in lines[0]
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


def test_a_run_that_diverged_is_not_taken_up(draws, tmp_path):
    """Cut off once the first run has ended badly: its last good state is what there is."""
    fast = {"rule": "sign", "learning_rate": {"scale": 6e14, "d_power": 0.0}}
    this = cell(fast, 60, 8, steps=4, seeds=(0, 1))
    undisturbed = train_cell(this, lambda s: draws(60, 8, s))
    assert (undisturbed["status"][0, 0, 1:] == Status.DIVERGED).all()
    path = tmp_path / "c.nc"

    def cut(line):
        if "diverged" in line:
            raise Cut

    with pytest.raises(Cut), Checkpoint(path, {}, 0.0) as checkpoint:
        train_cell(this, lambda s: draws(60, 8, s), cut, checkpoint)
    _, numbers = Checkpoint(path, {}, 0.0).load()
    assert numbers["step"] == 1
    lines = []
    with Checkpoint(path, {}, 0.0) as checkpoint:
        resumed = train_cell(this, lambda s: draws(60, 8, s), lines.append, checkpoint)
    assert lines[:2] == [
        "goes on after step 1 of seed 0, batch size inf",
        "seed 0, batch size inf: diverged at step 2",
    ]
    for name, values in undisturbed.items():
        np.testing.assert_array_equal(resumed[name], values, err_msg=name)


def test_a_checkpoint_that_cannot_be_written_ends_nothing(draws, tmp_path):
    """A quota: netCDF4 tells of it by an error of its own."""
    undisturbed = train(draws, None)
    lines = []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with Checkpoint(tmp_path / "c.nc", {}, 0.0, lines.append) as checkpoint:
            results = train(draws, checkpoint)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert any(line.startswith("no checkpoint: ") for line in lines)
    assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(results["capacity"], undisturbed["capacity"])


def test_written_at_most_so_often(draws, tmp_path):
    path = tmp_path / "c.nc"
    train(draws, Checkpoint(path, {}, 3600.0))
    assert not path.exists()


def test_identity_knows_code_and_embeddings_but_not_the_revision(monkeypatch):
    embeddings = "1"
    made = {"configuration": {"d": 4}, "versions": {"jax": "1"}, "git_revision": "x"}
    one = identity(made, embeddings, "c", "")
    assert one == identity(made | {"git_revision": "y"}, embeddings, "c", "")
    assert one != identity(made, embeddings, "d", "")
    assert one != identity(made, embeddings, "c", "m")
    assert one != identity(made, embeddings, "c", "", devices=3)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "processor", lambda: {"processor": "another", "threads": 1})
        assert one != identity(made, embeddings, "c", "")
    assert one != identity(made, "2", "c", "")


def test_a_flipped_bit_is_told_and_ignored(tmp_path):
    path, lines = tmp_path / "c.nc", []
    W = np.array([3.25, 1.5, 2.125])
    Checkpoint(path, {}, 0.0).save({"W": W}, {"step": 1})
    raw = bytearray(path.read_bytes())
    raw[raw.index(W.tobytes())] ^= 1
    path.write_bytes(raw)
    assert Checkpoint(path, {}, 0.0, lines.append).load() is None
    assert "c.nc: damaged" in lines[0]
