"""What figures share."""

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.runs import capacity_to_the_end
from spectral_capacity.figures.parts import capacity_after_steps, common, curves, legends, steps
from spectral_capacity.figures.parts.axes import named_ticks
from spectral_capacity.results.schema import Status
from spectral_capacity.theory.exponents import muon_exponent
from spectral_capacity.theory.predictions import ceiling
from tests.unit.figures import data
from tests.unit.figures.conftest import STYLE


def test_equal_figures_give_equal_files(tmp_path):
    for run in "ab":
        figure, axes = common.plt.subplots()
        axes.plot([1, 2], [3, 4], label="line")
        figure.legend(loc="outside lower center")
        common.save(figure, [tmp_path / f"{run}.{suffix}" for suffix in ("pdf", "svg", "png")])
    for suffix in ("pdf", "svg", "png"):
        a, b = ((tmp_path / f"{run}.{suffix}").read_bytes() for run in "ab")
        assert a == b, suffix


def test_the_users_own_defaults_do_not_leak_in():
    common.plt.rcParams["font.size"] = 33
    with common.style(STYLE):
        assert common.plt.rcParams["font.size"] == 8


def test_a_mean_ends_where_a_seed_does_and_the_others_go_on_by_themselves():
    axes = common.plt.figure().add_subplot()
    values = np.array([[1.0, 3.0], [2.0, 4.0], [np.nan, 5.0], [np.nan, 6.0]])
    steps.step_band(axes, np.arange(1, 5), values, color="C0")
    mean, first, second = (line.get_ydata() for line in axes.lines)
    np.testing.assert_array_equal(mean, [2, 3, np.nan, np.nan])
    np.testing.assert_array_equal(first, [np.nan, 2, np.nan, np.nan])
    np.testing.assert_array_equal(second, [np.nan, 4, 5, 6])
    (band,) = axes.collections
    low, high = band.get_paths()[0].vertices[:, 1].min(), band.get_paths()[0].vertices[:, 1].max()
    assert (low, high) == (1, 4)


def test_only_runs_of_the_population_that_stopped_early_are_carried_on():
    one = {"optimizer": ["muon"], "alpha": [1.5], "d": [16], "batch_size": [np.inf, 4.0]}
    grid = data.synthetic(step=range(1, 6), **one)
    grid = data.ended(grid, 3, Status.NOT_RUN, seed=0)
    grid = data.ended(grid, 3, Status.DIVERGED, seed=1)
    grid = data.ended(grid, 0, Status.NOT_RUN, seed=2)
    found = capacity_to_the_end(grid)[0].squeeze()
    counts = grid.capacity.squeeze().transpose(*found.dims)
    stopped = found.sel(batch_size=np.inf, seed=0)
    np.testing.assert_array_equal(stopped[3:], counts.sel(batch_size=np.inf, seed=0)[2])
    assert np.isfinite(stopped).all()
    for where in ({"batch_size": 4}, {"seed": [1, 2]}):
        xr.testing.assert_identical(found.sel(where), counts.sel(where))


def test_steps_that_were_made_are_counted_by_run():
    grid = data.synthetic(step=range(1, 6), optimizer=["muon"], alpha=[1.5], d=[16])
    grid = data.ended(data.ended(grid, 3, Status.NOT_RUN, seed=0), 0, Status.NOT_RUN, seed=2)
    assert sorted(steps.steps_made(grid)) == [3, 5]


@pytest.mark.parametrize("number", [2, 3, 4])
def test_counts_after_so_many_steps_with_fits_and_theory(number):
    grid, fits = data.measured(step=range(1, 5))
    figure = capacity_after_steps.plot(grid, fits, steps=[number])
    (axes,) = figure.axes
    assert axes.get_title() == f"{number} Muon steps"
    slopes = data.lines(axes, color=common.GUIDE["color"], linestyle="-")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    for alpha, container, slope, label in zip(
        (1.5, 2.0), data.bars(axes), slopes, labels, strict=False
    ):
        here = {"optimizer": "muon", "alpha": alpha, "step": number}
        mean = grid.capacity.sel(here).mean("seed").squeeze()
        np.testing.assert_allclose(container[0].get_ydata(), mean)
        line = fits.sel(here | {"quantity": "capacity", "fit": "ols"})
        theory = muon_exponent(alpha, steps=number)
        assert f"= {alpha:g}:" in label
        assert f"{line.exponent.item():.2f}" in label
        assert f"theory {theory:.2f}" in label
        (x0, y0), (x1, y1) = slope.get_xydata()
        assert np.log(y1 / y0) / np.log(x1 / x0) == pytest.approx(theory)
    assert len(slopes) == 2


def test_markers_stand_on_their_fitted_lines():
    """Where α's are moved apart their lines are, too."""
    grid, fits = data.measured(step=range(1, 5))
    axes = capacity_after_steps.plot(grid, fits, steps=[2]).axes[0]
    for container, fitted in zip(data.bars(axes), data.lines(axes, linestyle="--"), strict=True):
        assert container[0].get_xdata()[[0, -1]] == pytest.approx(fitted.get_xdata()[[0, -1]])


def test_several_numbers_of_steps_share_an_axis_and_have_their_exponents_below():
    grid, fits = data.measured(step=range(1, 5))
    figure = capacity_after_steps.plot(grid, fits, steps=[2, 3, 4])
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    for number, axes in zip((2, 3, 4), figure.axes, strict=True):
        rows = [text.get_text() for text in axes.get_legend().get_texts()]
        lines = fits.sel(optimizer="muon", step=number, quantity="capacity", fit="ols")
        for row, alpha in zip(rows, (1.5, 2.0), strict=True):
            assert f"{lines.exponent.sel(alpha=alpha).item():.2f}" in row
            assert row.endswith(f", {muon_exponent(alpha, steps=number):.2f}")


def test_the_axis_follows_the_data_and_the_ceiling_may_leave_it():
    grid, fits = data.measured(step=range(1, 5))
    for each, seen in ((grid, True), (data.fewer(grid, 60), False)):
        figure = capacity_after_steps.plot(each, fits, steps=[2])
        (axes,) = figure.axes
        (line,) = data.lines(axes, linestyle="-.")
        d = line.get_xdata()
        np.testing.assert_allclose(line.get_ydata(), ceiling(data.N, 1) * d**2)
        assert any("ceiling" in text for text in data.texts(figure)) == seen
        most = each.capacity.sel(optimizer="muon").max().item()
        assert axes.get_ylim()[1] < 5 * most
        figure = capacity_after_steps.plot(each, fits, steps=[2], finite_size=False)
        assert not data.lines(figure.axes[0], linestyle="-.")


def test_fewer_steps_than_are_to_be_shown_are_an_error():
    grid, fits = data.measured(step=range(1, 5))
    with pytest.raises(ValueError, match=r"3 steps are .* makes 2: give it steps: 3"):
        capacity_after_steps.plot(grid.sel(step=[1, 2]), fits, steps=[3])


@pytest.mark.parametrize("shift", [0.95, 1.0, 1.1])
def test_lines_move_with_their_markers(shift):
    axes = common.plt.figure().add_subplot()
    d = np.array([16, 64, 256])
    counts = np.stack([d**1.5, d**1.5], 1)
    curves.counts_against_d(
        axes, d, counts, 1.5, color="k", marker="o", theory=1.5, predicted=d**1.5, shift=shift
    )
    (points,) = data.bars(axes)
    assert points[0].get_xdata() == pytest.approx(d * shift)
    fitted, theory, predicted = [line for line in axes.lines if line.get_linestyle() != "None"]
    for line in (fitted, theory, predicted):
        on_line = np.interp(np.log(d * shift), *map(np.log, line.get_data()))
        np.testing.assert_allclose(on_line, np.log(d**1.5))
        assert line.get_xdata()[[0, -1]] == pytest.approx(d[[0, -1]] * shift)


def test_what_is_left_out_is_said_by_dimension():
    grid = data.synthetic(optimizer=["gd", "muon"], step=range(1, 9), d=[16, 64])
    assert legends.left_out(grid, grid) is None
    text = legends.left_out(grid, grid.sel(optimizer="muon", d=[64]).isel(step=-1, alpha=0))
    assert text == (
        "Shown: optimizer = Muon of GD, Muon; $\\alpha$ = 1.5 of 1.5, 2; $d$ = 64 of 16, 64; "
        "$t$ = 8 of 1, 2, …, 8"
    )


def test_a_legend_below_has_no_more_columns_than_fit_and_says_what_is_left_out():
    figure, _ = common.plt.subplots(figsize=(3, 2))
    handles = [common.handle("a legend's entry of some length") for _ in range(5)]
    legend = legends.legend_below(figure, handles, "Shown: $d$ = 64 of 16, 64")
    figure.draw_without_rendering()
    assert legend.get_window_extent().width < figure.bbox.width
    assert legend.get_title().get_text() == figure.left_out == "Shown: $d$ = 64 of 16, 64"


def test_a_legend_is_not_broken_within_mathematics():
    figure, _ = common.plt.subplots(figsize=(3, 2))
    text = r"items in the batch, $\propto\,B^{1/\alpha-1/2}$"
    legend = legends.legend_below(figure, [common.handle(text)], wrap=16)
    assert legend.get_texts()[0].get_text().split("\n") == [
        "items in the",
        "batch,",
        r"$\propto\,B^{1/\alpha-1/2}$",
    ]


def test_ticks_stand_at_all_values_and_numbers_where_there_is_room():
    _, axes = common.plt.subplots(figsize=(2, 2))
    axes.set_xlim(1, 3)
    named_ticks(axes, [1.25, 1.26, 3.0])
    assert list(axes.get_xticks()) == [1.25, 1.26, 3.0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1.25", "", "3"]
