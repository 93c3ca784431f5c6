"""Learning rates of linear memories: all tried in one cell, chosen by tuning seeds, shown by the others."""

import json

import numpy as np
import pytest

from spectral_capacity import fit, measure
from spectral_capacity.config.messages import ConfigError
from spectral_capacity.results.schema import RATE_FACTOR, Status
from spectral_capacity.results.swept_rates import at_chosen_rates

POLAR = {"rule": "spectral", "map": {"name": "polar"}}
FACTORS = [2.0, 0.25, 1.0]
SIZES = {"n_items": 200, "d": [8, 12], "alpha": [1.5], "steps": 3, "seeds": 3}


def swept(scale=1.0, **sweep):
    return POLAR | {
        "learning_rate": {"scale": scale, "d_power": 0.5, "sweep": {"factors": FACTORS} | sweep}
    }


@pytest.fixture(scope="module")
def grid():
    return measure({"muon": swept(), "gd": {"rule": "gradient"}}, **SIZES)


def test_every_rate_of_a_sweep_is_the_run_at_this_rate(grid):
    assert grid[RATE_FACTOR].values.tolist() == sorted(FACTORS)
    for factor in FACTORS:
        rate = {"scale": factor, "d_power": 0.5}
        alone = measure({"muon": POLAR | {"learning_rate": rate}}, **SIZES)
        here = grid.sel(optimizer=["muon"], drop=True).sel({RATE_FACTOR: factor}, drop=True)
        for name in alone.data_vars:
            np.testing.assert_array_equal(here[name], alone[name], err_msg=name)


def test_an_optimizer_without_a_sweep_is_at_its_one_rate(grid):
    gd = grid.sel(optimizer="gd")
    assert (gd.status.sel({RATE_FACTOR: 1.0}) == Status.OK).all()
    assert (gd.status.sel({RATE_FACTOR: [0.25, 2.0]}) == Status.NOT_RUN).all()
    chosen = at_chosen_rates(grid).sel(optimizer="gd")
    assert (chosen.learning_rate_factor == 1).all()
    assert not chosen.rate_at_edge.any()
    at_one = gd.capacity.sel({RATE_FACTOR: 1.0, "seed": [1, 2]})
    np.testing.assert_array_equal(chosen.capacity, at_one)


def with_values(grid, name, values, diverged=()):
    """The grid, in which Muon has these values (rate, seed) after the last step, and everywhere else 1."""
    shape = grid[name].sel(optimizer="muon").shape
    made = np.ones(shape)
    made[..., -1] = np.array(values, float)
    changed = grid.copy(deep=True)
    changed[name] = changed[name].astype(float)
    changed[name].loc[{"optimizer": "muon"}] = made
    for factor, seed in diverged:
        changed.status.loc[{"optimizer": "muon", RATE_FACTOR: factor, "seed": seed}] = (
            Status.DIVERGED
        )
    return changed


def criterion(grid, **sweep):
    """The grid as if its configuration had this sweep."""
    provenance = json.loads(grid.attrs["provenance"])
    rate = provenance["configuration"]["definitions"]["muon"]["learning_rate"]
    rate["sweep"] |= sweep
    return grid.assign_attrs(provenance=json.dumps(provenance))


CHOICES = {
    "the largest of the tuning seed": (
        "capacity",
        [[9, 1, 1], [5, 20, 20], [7, 1, 1]],
        {},
        (),
        0.25,
    ),
    "of equal ones the least": ("capacity", [[5, 1, 1], [9, 1, 1], [9, 1, 1]], {}, (), 1.0),
    "the least loss": ("loss", [[2, 1, 1], [0.5, 9, 9], [3, 1, 1]], {"by": "loss"}, (), 1.0),
    "means of two": ("capacity", [[9, 1, 1], [7, 7, 1], [2, 9, 1]], {"tuning_seeds": 2}, (), 1.0),
    "at an earlier step all are 1": (
        "capacity",
        [[1, 0, 0], [5, 0, 0], [9, 0, 0]],
        {"step": 2},
        (),
        0.25,
    ),
    "never one that diverged": ("capacity", [[5, 1, 1], [9, 1, 1], [7, 1, 1]], {}, [(1.0, 0)], 2.0),
    "another seed's end decides nothing": (
        "capacity",
        [[5, 1, 1], [9, 1, 1], [7, 1, 1]],
        {},
        [(1.0, 2)],
        1.0,
    ),
}


@pytest.mark.parametrize("case", CHOICES)
def test_tuning_seeds_choose(grid, case):
    name, values, sweep, diverged, expected = CHOICES[case]
    made = criterion(with_values(grid, name, values, diverged), **sweep)
    chosen = at_chosen_rates(made).sel(optimizer="muon")
    assert (chosen.learning_rate_factor == expected).all()
    assert (chosen.rate_at_edge == (expected != 1.0)).all()
    first = sweep.get("tuning_seeds", 1)
    assert chosen.seed.values.tolist() == [*range(first, 3)]
    shown = chosen[name].isel(step=-1, d=0).values.squeeze((0, 1, 2))
    at = sorted(FACTORS).index(expected)
    ran = [(expected, seed) not in diverged for seed in range(first, 3)]
    np.testing.assert_array_equal(shown[ran], np.array(values)[at, first:][ran])


def test_every_number_of_steps_may_have_a_rate_of_its_own(grid):
    made = with_values(grid, "capacity", [[1, 2, 3], [5, 6, 7], [9, 10, 11]])
    early = {"optimizer": "muon", RATE_FACTOR: 0.25, "seed": 0, "step": [1, 2]}
    made.capacity.loc[early] = 4
    made.status.loc[early | {RATE_FACTOR: 2.0, "step": 2}] = Status.DIVERGED
    chosen = at_chosen_rates(criterion(made, step="each")).sel(optimizer="muon", d=8).squeeze()
    assert chosen.learning_rate_factor.values.tolist() == [0.25, 0.25, 1.0]
    assert chosen.capacity.sel(step=3, seed=2) == 7
    assert chosen.rate_decades.dims == ("step",)


def test_without_a_choice_nothing_is_shown(grid):
    values = [[5, 1, 1], [9, 1, 1], [7, 1, 1]]
    made = with_values(grid, "capacity", values, [(factor, 0) for factor in FACTORS])
    chosen = at_chosen_rates(made).sel(optimizer="muon")
    assert chosen.learning_rate_factor.isnull().all()
    assert chosen.capacity.isnull().all()
    assert (chosen.status == Status.NOT_RUN).all()
    assert chosen.status.dtype == np.int8


def test_how_wide_good_rates_lie(grid):
    chosen = at_chosen_rates(with_values(grid, "capacity", [[1, 0, 0], [95, 0, 0], [100, 0, 0]]))
    np.testing.assert_allclose(chosen.rate_decades.sel(optimizer="muon"), np.log10(2))


def test_a_grid_without_a_sweep_is_as_it_is():
    grid = measure({"gd": {"rule": "gradient"}}, n_items=50, d=[4], alpha=[1.5], seeds=2)
    assert at_chosen_rates(grid) is grid


def test_fits_are_of_the_chosen_rates_and_the_other_seeds(grid):
    fitted = fit(grid)
    shown = at_chosen_rates(grid).capacity.astype(float).mean("seed")
    mean = fitted.mean_capacity.sel(step=3)
    np.testing.assert_allclose(mean.values.ravel(), shown.sel(step=3).values.ravel())


REFUSED = {
    "no seed is left": (
        {"seeds": 1},
        {},
        r"seeds: 1: 'muon' chooses its learning rate by 1 of them",
    ),
    "a step that is not made": (
        {},
        {"step": 4},
        r"chooses its learning rate after step 4; there are 3",
    ),
    "a loss that is not measured": (
        {"steps": 3, "batch_size": [10]},
        {"by": "loss"},
        r"write loss: \{\}",
    ),
    "a count that no rate changes": ({"steps": 1}, {}, "choose by loss, or take more steps"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_choice_that_cannot_be_made_is_refused(case):
    sizes, sweep, message = REFUSED[case]
    with pytest.raises(ConfigError, match=message):
        measure({"muon": swept(**sweep)}, **SIZES | sizes)


def test_a_criterion_is_no_setting_of_a_cell():
    from spectral_capacity.config.parse import parse
    from tests.unit.configurations import ROOT, cells, change

    key = "optimizers.muon_rates.learning_rate.sweep"
    settings = []
    for sweep in ({"by": "loss"}, {"by": "loss", "tuning_seeds": 2}, {"by": "loss", "step": 1}):
        config = parse(change(key, {"factors": [2.0, 1.0]} | sweep), root=ROOT)
        settings.append([cell.settings() for cell in cells(config, "loss_rates")])
    assert settings[0] == settings[1] == settings[2]
    assert settings[0][0]["rate_factors"] == [1.0, 2.0]
