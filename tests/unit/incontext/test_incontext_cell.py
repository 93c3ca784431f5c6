"""A cell: the same numbers every time, after any interruption, and in any company."""

import numpy as np
import pytest

from spectral_capacity.incontext.cell import train_cell
from spectral_capacity.incontext.measured import SCHEMA
from spectral_capacity.results.schema import Status
from spectral_capacity.training.checkpoints import Checkpoint

pytestmark = pytest.mark.slow

OPTIMIZERS = {
    "sgd": {"rule": "sgd", "momentum": 0.9},
    "adamw": {"rule": "adamw"},
    "muon": {"rule": "muon"},
}


def cell(optimizer="muon", learning_rates=(0.01, 0.1), seeds=(0, 1), iterations=(2, 70), **model):
    return {
        "name": optimizer,
        "root_seed": 0,
        "optimizer": OPTIMIZERS[optimizer],
        "task": {"vocabulary": 6, "length": 12, "pairs": 2, "fixed_triggers": False},
        "architecture": {"vocabulary": 6, "length": 12, "d": 8} | model,
        "alpha_triggers": 1.5,
        "alpha_outputs": 1.0,
        "batch_size": 8,
        "held_out": 128,
        "gradient_spectrum": True,
        "noise": 0.0,
        "iterations": list(iterations),
        "learning_rates": list(learning_rates),
        "seeds": list(seeds),
    }


@pytest.fixture(scope="module")
def undisturbed():
    return train_cell(cell())


def assert_same(found, expected):
    assert found.keys() == expected.keys() == SCHEMA.variables.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


class Cut(Exception):
    """What stands for SIGKILL here."""


class CutOff(Checkpoint):
    """Writes at every look, and is cut off after ``writes`` of them."""

    writes = 10**6

    def save(self, arrays, numbers):
        super().save(arrays, numbers)
        self.writes -= 1
        if self.writes == 0:
            raise Cut


def test_every_run_has_its_numbers(undisturbed):
    for name, values in undisturbed.items():
        assert values.shape == (2, 2, 2), name
        assert np.isfinite(values).all(), name
    assert (undisturbed["status"] == Status.OK).all()
    # Rates, seeds and iterations make a difference.
    loss = undisturbed["loss_id"]
    assert len(np.unique(loss)) == loss.size
    assert (loss[..., 1] < loss[..., 0]).any()


def test_the_same_settings_give_the_same_bits(undisturbed):
    assert_same(train_cell(cell()), undisturbed)


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_a_cell_cut_off_at_any_look_ends_the_same(undisturbed, tmp_path, writes):
    """Looks are after 2, 66 and 70 iterations."""
    path, lines = tmp_path / "c.nc", []
    cut = CutOff(path, {}, 0.0)
    cut.writes = writes
    with pytest.raises(Cut), cut:
        train_cell(cell(), checkpoint=cut)
    with Checkpoint(path, {}, 0.0) as checkpoint:
        resumed = train_cell(cell(), lines.append, checkpoint)
    assert lines[0] == f"goes on after iteration {[2, 66, 70][writes - 1]}"
    assert_same(resumed, undisturbed)
    assert not path.exists()


@pytest.mark.parametrize(("i", "j"), [(0, 1), (1, 0)])
def test_a_run_in_company_is_a_run_alone(undisturbed, i, j):
    alone = train_cell(cell("muon", [(0.01, 0.1)[i]], [j]))
    for name, values in alone.items():
        np.testing.assert_array_equal(values[0, 0], undisturbed[name][i, j], err_msg=name)


def test_other_iterations_measure_the_same_run(undisturbed):
    """One more look moves nothing."""
    found = train_cell(cell(iterations=(2, 30, 70)))
    for name, values in undisturbed.items():
        np.testing.assert_array_equal(found[name][..., [0, 2]], values, err_msg=name)


EVEN = {"zero": ["query_1", "query_2"], "normalise": False}
"""Attention is even, and tells only where pairs stand, until queries have moved."""


@pytest.fixture(scope="module")
def diverging():
    return train_cell(cell("sgd", (1e-30, 1e30), (0, 1, 2), (1, 4), **EVEN))


def test_a_rate_that_diverges_is_a_status_and_leaves_the_others_alone(diverging):
    """After one step its parameters are finite, but not what they make."""
    assert (diverging["status"][0] == Status.OK).all()
    assert (diverging["status"][1] == Status.DIVERGED).all()
    for name, values in diverging.items():
        if name != "status":
            assert np.isfinite(values[0]).all(), name
            assert np.isnan(values[1]).all(), name


def test_all_rates_may_diverge():
    lines = []
    found = train_cell(cell("sgd", (1e30, 1e31), (0, 1, 2), (1, 4), **EVEN), lines.append)
    assert (found["status"] == Status.DIVERGED).all()
    assert lines[-1].startswith("iteration 4: ")


def test_seed_0_has_held_out_sequences_of_its_own(diverging):
    tuning, *reported = diverging["induction_score_ood"][0, :, 0]
    assert reported[0] == pytest.approx(reported[1], rel=1e-6)
    assert tuning != pytest.approx(reported[0], rel=1e-3)
