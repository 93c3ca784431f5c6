"""Learning rates that one seed chooses and the others are reported at."""

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.chosen_rates import at_chosen_rates
from spectral_capacity.incontext.measured import DIMENSIONS, TUNING
from spectral_capacity.results.near_best import decades_near_best, near_best, rates_tried
from spectral_capacity.results.schema import Status

NAN = np.nan


def made(runs, rates, **coordinates):
    """A grid of one law, d and batch size, at two iterations.

    runs: {optimizer: rows of ``accuracy_ood``, a seed each, over the rates}; NaN: not run, −1: diverged. The
    last iteration has these, the first one their square.
    """
    values = np.array([runs[name] for name in runs], float)  # (optimizer, seed, rate)
    coords = {
        "optimizer": [*runs],
        "alpha_triggers": [0.0],
        "alpha_outputs": [0.0],
        "d": [16],
        "batch_size": [8],
        "learning_rate": list(rates),
        "seed": [*range(values.shape[1])],
        "iteration": [4, 8],
    }
    last = values.transpose(0, 2, 1)[:, None, None, None, None]
    both = np.stack([np.where(last == -1, -1, last**2), last], axis=-1)
    status = np.where(np.isnan(both), Status.NOT_RUN, Status.OK)
    status = np.where(both == -1, Status.DIVERGED, status).astype(np.int8)
    both = np.where(both == -1, NAN, both)
    return xr.Dataset(
        {"accuracy_ood": (tuple(DIMENSIONS), both), "status": (tuple(DIMENSIONS), status)},
        {**coords, **coordinates},
    )


def chosen(grid, iteration=8):
    return at_chosen_rates(grid, "accuracy_ood", iteration).squeeze()


def test_the_tuning_seed_chooses_and_the_others_are_reported():
    tuning, one, two = [0.1, 0.9, 0.2], [1.0, 0.3, 1.0], [1.0, 0.4, 1.0]
    found = chosen(made({"muon": [tuning, one, two]}, [0.01, 0.1, 1.0]))
    assert found.learning_rate == 0.1
    assert found.seed.values.tolist() == [1, 2]
    assert found.value.values.tolist() == [0.3, 0.4]
    assert not found.at_edge


def test_each_metric_and_iteration_has_its_own_choice():
    grid = made({"muon": [[0.5, 0.9], [0.5, 0.9]]}, [0.1, 1.0])
    other = grid.accuracy_ood.where(grid.iteration == 8, 1 - grid.accuracy_ood)
    grid = grid.assign(accuracy_ood=other, accuracy_id=-other)
    assert chosen(grid, 8).learning_rate == 1.0
    assert chosen(grid, 4).learning_rate == 0.1
    assert at_chosen_rates(grid, "accuracy_id", 8).learning_rate.item() == 0.1


def test_of_equal_rates_the_least_is_chosen_however_they_are_ordered():
    grid = made({"muon": [[0.7, 0.7, 0.1], [0.2, 0.3, 0.4]]}, [0.3, 0.1, 0.01])
    found = chosen(grid)
    assert found.learning_rate == 0.1
    assert found.value == 0.3


def test_a_run_that_diverged_is_never_chosen_and_one_that_is_reported_has_no_value():
    grid = made({"muon": [[0.3, 0.4, -1], [0.3, -1, 0.9]]}, [0.1, 0.3, 1.0])
    huge = grid.accuracy_ood.where(grid.status != Status.DIVERGED, 2.0)  # whatever it holds
    found = chosen(grid.assign(accuracy_ood=huge))
    assert found.learning_rate == 0.3
    assert np.isnan(found.value)
    assert found.status == Status.DIVERGED
    assert not found.at_edge  # one beyond was tried


@pytest.mark.parametrize("nothing", [NAN, -1])
def test_where_no_rate_works_nothing_is_chosen(nothing):
    grid = made({"muon": [[nothing] * 2, [nothing] * 2], "sgd": [[0.1, 0.2]] * 2}, [0.1, 1.0])
    found = chosen(grid)
    lost, other = found.sel(optimizer="muon"), found.sel(optimizer="sgd")
    assert np.isnan(lost.learning_rate)
    assert np.isnan(lost.value)
    assert np.isnan(lost.decades)
    assert not lost.at_edge
    assert other.learning_rate == 1.0


def test_an_edge_is_one_of_the_optimizers_own_rates():
    rates = [0.01, 0.03, 0.1, 0.3, 1.0]
    low, high = [0.2, 0.5, 0.9, NAN, NAN], [NAN, NAN, 0.2, 0.9, 0.3]
    grid = made({"adamw": [low, low], "sgd": [high, high]}, rates)
    np.testing.assert_array_equal(
        rates_tried(grid), [[True, True, True, False, False], [False, False, True, True, True]]
    )
    found = chosen(grid)
    assert found.learning_rate.values.tolist() == [0.1, 0.3]
    assert found.at_edge.values.tolist() == [True, False]


def test_of_one_rate_it_is_not_known_whether_another_is_better():
    assert chosen(made({"muon": [[0.5], [0.5]]}, [0.1])).at_edge


def test_one_missing_cell_leaves_the_others_as_they_are():
    grid = made({"muon": [[0.1, 0.9, 0.2]] * 2}, [0.01, 0.1, 1.0])
    missing = grid.assign_coords(alpha_outputs=[2.0])
    missing = missing.assign(
        accuracy_ood=missing.accuracy_ood * NAN, status=missing.status * 0 + np.int8(Status.NOT_RUN)
    )
    found = chosen(xr.concat([grid, missing], "alpha_outputs"))
    xr.testing.assert_identical(found.sel(alpha_outputs=0.0), chosen(grid))
    assert np.isnan(found.learning_rate.sel(alpha_outputs=2.0))
    assert found.status.sel(alpha_outputs=2.0) == Status.NOT_RUN


WIDTHS = {
    "a peak": ([0.1, 1.0, 0.1], [False, True, False]),
    "nine tenths count": ([0.5, 0.9, 1.0, 0.89], [False, True, True, False]),
    "a second peak is apart": ([1.0, 0.2, 0.95], [True, False, False]),
    "a run that diverged is a gap": ([0.95, NAN, 1.0, 0.95], [False, False, True, True]),
    "nothing learned": ([0.0, 0.0], [False, False]),
    "nothing known": ([NAN, NAN], [False, False]),
}


@pytest.mark.parametrize("case", WIDTHS)
def test_rates_near_the_best(case):
    values, near = WIDTHS[case]
    rates = 10.0 ** np.arange(len(values))
    values = xr.DataArray(values, {"learning_rate": rates}, "learning_rate")
    tried = xr.ones_like(values, bool)
    assert near_best(values, tried).values.tolist() == near
    width = sum(near) - 1 if any(near) else NAN
    np.testing.assert_equal(decades_near_best(values, tried).item(), float(width))


def test_a_rate_of_another_optimizer_is_no_gap():
    values = xr.DataArray([0.95, NAN, 1.0], {"learning_rate": [0.1, 0.3, 10.0]}, "learning_rate")
    tried = values.notnull()
    assert near_best(values, tried).values.tolist() == [True, False, True]
    assert decades_near_best(values, tried) == pytest.approx(2.0)


def test_decades_are_those_of_the_tuning_seed():
    grid = made({"muon": [[0.95, 1.0, 0.92, 0.1], [1.0, 0.1, 0.1, 0.1]]}, [0.1, 1.0, 10.0, 100.0])
    assert grid.seed[0] == TUNING
    assert chosen(grid).decades == pytest.approx(2.0)
