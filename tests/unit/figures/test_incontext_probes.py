"""What the figure of the probes shows."""

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.chosen_rates import at_chosen_rates
from spectral_capacity.analysis.reached import first_reached
from spectral_capacity.figures import incontext_probes
from spectral_capacity.figures.parts import incontext, looks
from spectral_capacity.results.schema import Status
from tests.unit.figures import data, transformers

TIMES = (10, 20, 30, 40)


@pytest.fixture
def grid():
    """Metrics that rise to 1, trigger recall before position recall."""
    grid = transformers.measured(iteration=TIMES, d=(32, 16))
    rises = {
        name: 0.5 * grid[name] / grid[name].max() + rate * grid.iteration
        for name, rate in {"trigger_recall": 0.02, "position_recall": 0.01}.items()
    }
    return grid.assign({name: values.clip(0, 1) for name, values in rises.items()})


def lines(axes, width, color):
    return [line for line in data.lines(axes, linewidth=width) if line.get_color() == color]


def test_every_run_and_the_medians_are_drawn_at_the_rate_of_the_last_iteration(grid):
    names = incontext_probes.METRICS
    figure = incontext_probes.plot(grid, None, d=16)
    here = incontext.first_laws(grid.sel(d=16, batch_size=256))
    best = at_chosen_rates(here, "accuracy_ood", TIMES[-1])
    for axes, name in zip(figure.axes, grid.optimizer.values, strict=True):
        rate = best.learning_rate.sel(optimizer=name).item()
        assert axes.get_title() == rf"{looks.label(name)}, $\eta$ = {rate:g}"
        runs = here.sel(optimizer=name, learning_rate=rate, seed=[1, 2, 3])
        for metric, look in zip(names, looks.ordered(len(names)), strict=True):
            values = runs[metric].transpose("iteration", "seed")
            thin = lines(axes, incontext_probes.THIN, look["color"])
            drawn = np.stack([line.get_ydata() for line in thin], axis=1)
            np.testing.assert_array_equal(drawn, values)
            (thick,) = lines(axes, incontext_probes.THICK, look["color"])
            np.testing.assert_array_equal(thick.get_ydata(), np.median(values, axis=1))
            np.testing.assert_array_equal(thick.get_xdata(), TIMES)
        (level,) = data.lines(axes, linestyle="--")
        assert level.get_ydata()[0] == incontext_probes.LEVEL
    assert "$d$ = 16 of 32, 16; $B$ = 256 of 16, 64, 256" in figure.left_out


def test_under_a_panel_stands_when_each_metric_is_at_the_level(grid):
    figure = incontext_probes.plot(grid, None, metrics=["trigger_recall", "memory_recall"])
    rows = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    here = incontext.first_laws(grid.sel(d=32, batch_size=256, optimizer="muon"))
    best = at_chosen_rates(here, "accuracy_ood", TIMES[-1]).learning_rate.item()
    values = here.trigger_recall.sel(learning_rate=best, seed=[1, 2, 3])
    first = [
        next(t for t in TIMES if one.sel(iteration=t) >= 0.95)
        for one in values.transpose("seed", ...)
    ]
    assert 10 < np.median(first) < 40
    assert rows == [f"trigger recall: {np.median(first):g}", "memory recall: \N{EN DASH}"]


def test_the_iteration_is_the_first_that_is_there_and_infinite_where_none_is():
    values = xr.DataArray(
        [[0.1, 0.96, 0.2], [np.nan, np.nan, 0.95], [0.9, 0.94, np.nan]],
        {"iteration": [30, 10, 20]},
        ("seed", "iteration"),
    )
    np.testing.assert_array_equal(first_reached(values, 0.95), [10, 20, np.inf])
    np.testing.assert_array_equal(first_reached(values, 0.1), [10, 20, 10])


def test_a_run_that_diverges_is_a_cross_where_it_does_and_leaves_no_median(grid):
    at = (grid.optimizer == "muon") & (grid.seed == 2) & (grid.iteration >= 30)
    lost = grid.assign(status=xr.where(at, np.int8(Status.DIVERGED), grid.status))
    figure = incontext_probes.plot(lost.transpose(*grid.status.dims, ...), None)
    axes = figure.axes[0]
    (cross,) = data.lines(axes, marker="x")
    np.testing.assert_array_equal(cross.get_xydata(), [[30, 0]])
    (thick,) = lines(axes, incontext_probes.THICK, looks.ordered(4)[0]["color"])
    assert np.isnan(thick.get_ydata()).tolist() == [False, False, True, True]
    assert "a run diverges" in data.texts(figure)


def test_a_rate_at_the_end_of_its_list_is_open_and_explained(grid):
    color = looks.ordered(4)[0]["color"]
    muon, adamw, _ = incontext_probes.plot(grid, None).axes
    fills = [
        lines(axes, incontext_probes.THICK, color)[0].get_markerfacecolor()
        for axes in (muon, adamw)
    ]
    assert fills == [color, "white"]
    text = "rate at an end of its list"
    assert text in data.texts(adamw.figure)
    assert text not in data.texts(incontext_probes.plot(grid.sel(optimizer=["muon"]), None))


@pytest.mark.parametrize(("key", "known"), [("d", "16, 32"), ("batch_size", "16, 64, 256")])
def test_what_the_experiment_does_not_have_cannot_be_asked_for(grid, key, known):
    with pytest.raises(ValueError, match=f"{key}: the experiment has no 5; it has {known}"):
        incontext_probes.plot(grid.sortby("d"), None, **{key: 5})


@pytest.mark.filterwarnings("error")
def test_what_was_not_measured_has_no_row(grid):
    without = grid.assign(position_recall=grid.position_recall * np.nan)
    figure = incontext_probes.plot(without, None)
    figure.draw_without_rendering()
    rows = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert [row.partition(":")[0] for row in rows] == [
        "memory recall",
        "trigger recall",
        "OOD accuracy",
    ]
    nothing = grid.assign(status=xr.full_like(grid.status, Status.NOT_RUN))
    assert "nan" not in " ".join(data.texts(incontext_probes.plot(nothing, None)))
