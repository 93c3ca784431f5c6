"""The figure that shows what its user asks for."""

import inspect
import re
import typing

import numpy as np
import pytest

from spectral_capacity.figures import curves
from spectral_capacity.figures.parts import common, looks, selection
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.predictions import items_seen
from tests.unit.figures import data

BATCHES = (np.inf, 1.0, 16.0, 256.0)
KEYWORDS = {
    name: parameter.default
    for name, parameter in inspect.signature(curves.plot).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY and name != "finite_size"
}


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def drawn(**options):
    """The figure of a grid with several values of all dimensions but κ."""
    grid, fits = data.measured(batch_size=BATCHES, step=range(1, 5))
    return curves.plot(grid, fits, **options)


def points(axes):
    """(x, y) of each line with its bars, in order."""
    return [container[0].get_xydata() for container in data.bars(axes)]


def means(grid, **where):
    return grid.capacity.sel(where).mean("seed").squeeze().values


def test_options_are_described_and_their_defaults_leave_the_choice_open():
    hints = typing.get_type_hints(curves.plot, include_extras=True)
    for name, default in KEYWORDS.items():
        (described,) = hints[name].__metadata__
        assert described.documentation
        assert default == {"x": "d", "y": "capacity"}.get(name)
    for option, needs in curves.OPTION_NEEDS.items():
        assert set(needs) <= {*typing.get_args(typing.get_args(hints[option])[0])}


def test_against_d_lines_have_fitted_powers_and_theory():
    grid, fits = data.measured(alpha=(1.5,))
    figure = curves.plot(grid, fits)
    (axes,) = figure.axes
    for name, line, text in zip(("gd", "muon"), points(axes), legend(figure), strict=False):
        np.testing.assert_allclose(line[:, 1], means(grid, optimizer=name))
        power = fits.sel(optimizer=name, quantity="capacity", fit="ols").squeeze()
        assert f"{looks.label(name)}:" in text
        assert f"{power.exponent.item():.2f}" in text
        assert f"[{power.boot_low.item():.2f}, {power.boot_high.item():.2f}]" in text
        assert f"theory {power.theory.item():.2f}" in text
    assert axes.containers[0][0].get_color() == looks.optimizer_style("gd")["color"]
    assert len(data.lines(axes, linestyle="--")) == 2
    predictions = [line for line in data.lines(axes, linestyle=":") if len(line.get_xdata())]
    for name, line in zip(("gd", "muon"), predictions, strict=True):
        expected = fits.predicted_capacity.sel(optimizer=name).squeeze()
        np.testing.assert_allclose(line.get_ydata(), expected)
    assert "prediction without a fit parameter" in legend(figure)
    without = curves.plot(grid, fits, finite_size=False)
    assert not any(len(line.get_xdata()) for line in data.lines(without.axes[0], linestyle=":"))


@pytest.mark.parametrize("x", ["d", "step"])
def test_of_a_robust_prefix_the_prediction_is_its_own(x):
    grid, fits = data.measured(alpha=(1.5,), optimizer=("muon",), step=range(1, 5))
    made_up = fits.predicted_capacity.fillna(40) * 0.5 + fits.step
    fits = fits.assign(predicted_robust_prefix=made_up)
    axes = curves.plot(grid, fits, x=x, y="robust_prefix", d=[32, 64], step=[1, 2]).axes[0]
    dotted = [line.get_ydata() for line in data.lines(axes, linestyle=":")]
    for value in (1, 2) if x == "d" else (32, 64):
        expected = made_up.sel(d=[32, 64], step=[1, 2])
        expected = expected.sel(step=value) if x == "d" else expected.sel(d=value)
        assert any(np.allclose(y, expected.squeeze(), equal_nan=True) for y in dotted if len(y))


def test_a_prediction_of_the_first_step_alone_is_seen():
    grid, fits = data.measured(alpha=(1.5,), optimizer=("muon",), step=range(1, 5))
    first = fits.predicted_capacity.fillna(40).where(fits.step == 1)
    axes = curves.plot(grid, fits.assign(predicted_capacity=first), x="step", d=[64]).axes[0]
    ((x, y),) = [
        line.get_data() for line in data.lines(axes, linestyle=":") if len(line.get_xdata())
    ]
    assert x.min() < 1 < x.max()
    np.testing.assert_allclose(y, first.sel(d=64, step=1).item())


def test_fits_are_not_those_of_other_d():
    grid, fits = data.measured(alpha=(1.5,))
    figure = curves.plot(grid, fits, d=[16, 64])
    assert [len(line) for line in points(figure.axes[0])] == [2, 2]
    assert legend(figure)[:2] == ["GD", "Muon"]
    assert figure.left_out == "Shown: $d$ = 16, 64 of 16, 32, 64"


@pytest.mark.parametrize(
    "y", ["prefix_capacity", "recovered_mass", "head_recall", "forgotten", "loss"]
)
@pytest.mark.parametrize("x", ["d", "batch_size"])
def test_anything_measured_is_drawn_as_means_with_ranges(x, y):
    grid, _ = data.measured(batch_size=BATCHES, step=range(1, 5))
    where = {"alpha": 1.5, "step": 4} | ({"batch_size": np.inf} if x == "d" else {"d": 64})
    only = {"batch_size": ["population"]} if x == "d" else {"d": [64]}
    axes = drawn(x=x, y=y, alpha=[1.5], step=[4], **only).axes[0]
    values = grid[y].sel(where | {"optimizer": "gd"}).squeeze().transpose(x, "seed").sortby(x)
    found = np.concatenate([c[0].get_ydata() for c in data.bars(axes)][: 1 if x == "d" else 2])
    np.testing.assert_allclose(found, values.mean("seed"))
    low, high = data.ends(data.bars(axes)[0]).T
    last = None if x == "d" else -1  # the population stands by itself
    np.testing.assert_allclose(high, values.max("seed")[:last])
    np.testing.assert_allclose(low, values.min("seed")[:last])
    assert axes.get_yscale() == ("linear" if y in ("recovered_mass", "head_recall") else "log")
    assert not data.lines(axes, linestyle="--")


def test_against_batches_the_population_is_at_infinity_beside_the_items_seen():
    grid, fits = data.measured(batch_size=BATCHES, alpha=(1.5,), d=(32,))
    grid = data.described(grid, frequencies=None)
    axes = curves.plot(grid, fits, x="batch_size").axes[0]
    finite, population = points(axes)[:2]
    ticks = dict(
        zip([t.get_text() for t in axes.get_xticklabels()], axes.get_xticks(), strict=True)
    )
    np.testing.assert_array_equal(finite[:, 0], [1, 16, 256])
    assert population[0, 0] == ticks[r"$\infty$"]
    np.testing.assert_allclose(finite[:, 1], means(grid, optimizer="gd")[1:])
    (seen,) = data.lines(axes, **common.GUIDE)
    p = power_law(data.N, 1.5)
    assert seen.get_ydata() == pytest.approx([items_seen(p, b) for b in seen.get_xdata()])
    later = drawn(x="batch_size", alpha=[1.5], step=[4])
    assert not data.lines(later.axes[0], **common.GUIDE)  # after four steps others were seen


def test_against_steps_there_are_bands_and_crosses():
    grid = data.synthetic(step=range(1, 13), alpha=[1.5], d=[64])
    grid = data.ended(grid, 5, Status.DIVERGED, optimizer="gd", seed=0)
    figure = curves.plot(grid, data.fitted(grid), x="step")
    (axes,) = figure.axes
    assert len(axes.collections) == 2
    (cross,) = data.lines(axes, marker="x")
    assert cross.get_xdata() == [5]
    assert {"a run diverges", "bands: range over seeds"} <= {*legend(figure)}
    mass = curves.plot(grid, data.fitted(grid), x="step", y="recovered_mass").axes[0]
    expected = grid.recovered_mass.sel(optimizer="muon").mean("seed").squeeze()
    assert any(np.array_equal(line.get_ydata(), expected) for line in mass.lines)


def test_lines_and_panels_can_be_chosen_and_the_rest_is_told():
    figure = drawn(lines="alpha", panels="optimizer", step=[2, 4])
    assert [axes.get_title() for axes in figure.axes] == ["GD", "Muon"]
    assert r"$\alpha$ = 2" in legend(figure)
    assert (
        figure.left_out == r"Shown: $B$ = $\infty$ of 1, 16, 256, $\infty$; $t$ = 4 of 1, 2, 3, 4"
    )
    assert "population" in figure.get_suptitle()
    assert "step 4" in figure.get_suptitle()
    figure = drawn(x="step", lines="batch_size", d=[16], optimizers=["muon"])
    assert legend(figure)[:4] == ["$B$ = 1", "$B$ = 16", "$B$ = 256", "population"]
    assert [axes.get_title() for axes in figure.axes] == [r"$\alpha$ = 1.5", r"$\alpha$ = 2"]


def test_too_many_values_become_no_panels_unless_asked_for():
    grid, fits = data.measured(step=range(1, 9), alpha=(1.5,), optimizer=("muon",))
    assert len(curves.plot(grid, fits).axes) == 1  # steps are lines
    grid, fits = data.measured(step=range(1, 9), alpha=(1.5,))
    assert len(curves.plot(grid, fits).axes) == 1
    assert len(curves.plot(grid, fits, panels="step").axes) == 8


@pytest.mark.parametrize("option", ["lines", "panels"])
def test_the_most_values_that_are_taken_unasked_are_described(option):
    hints = typing.get_type_hints(curves.plot, include_extras=True)
    (described,) = hints[option].__metadata__
    assert described.documentation.endswith(f"{selection.MOST[option]} at most")
    most = selection.MOST["lines"]
    grid = data.synthetic(step=range(1, most + 2), alpha=[1.5], optimizer=["muon"])
    figure = curves.plot(grid, data.fitted(grid))
    assert figure.left_out == rf"Shown: $t$ = {most + 1} of 1, 2, …, {most + 1}"


@pytest.mark.parametrize("option", ["lines", "panels"])
def test_more_values_than_can_be_told_apart_are_told(option):
    grid = data.synthetic(step=range(1, 30), alpha=[1.5])
    with pytest.raises(ValueError, match=rf"{option}: step has 29 values, .* step: \[…\]"):
        curves.plot(grid, data.fitted(grid), **{option: "step"})


def test_runs_that_stopped_early_keep_their_last_value():
    grid = data.ended(data.synthetic(step=range(1, 5), alpha=[1.5]), 2, Status.NOT_RUN)
    axes = curves.plot(grid, data.fitted(grid), step=[4]).axes[0]
    np.testing.assert_allclose(points(axes)[0][:, 1], means(grid, optimizer="gd", step=2))


def test_one_value_of_everything_is_a_point():
    grid, fits = data.measured(alpha=(1.5,), d=(32,), optimizer=("muon",), seed=(0,))
    figure = curves.plot(grid, fits)
    np.testing.assert_allclose(points(figure.axes[0])[0], [[32, grid.capacity.item()]])
    assert figure.left_out is None
    assert not any("seeds" in text for text in legend(figure))


def test_seeds_that_are_missing_leave_no_mean():
    grid, fits = data.measured(alpha=(1.5,))
    gone = grid.assign(capacity=grid.capacity.where((grid.d != 32) | (grid.seed != 1)))
    for x in ("d", "step"):
        figure = curves.plot(
            gone, fits, x=x, lines="optimizer", panels="alpha" if x == "d" else "d"
        )
        assert "nan" not in " ".join(data.texts(figure))
    axes = curves.plot(gone, fits).axes[0]
    np.testing.assert_allclose(points(axes)[0][:, 1], means(grid, optimizer="gd")[[0, 2]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizers": ["newton"]}, "optimizers: the experiment has no newton; it has gd, muon"),
        ({"alpha": [1.5, 3.0]}, "alpha: the experiment has no 3; it has 1.5, 2"),
        ({"kappa": [1.0]}, "kappa: the experiment has no 1; it has 0"),
        ({"d": [17]}, "d: the experiment has no 17; it has 16, 32, 64"),
        (
            {"batch_size": [2.0]},
            "batch_size: the experiment has no 2; it has population, 1, 16, 256",
        ),
        ({"step": [9]}, "step: the experiment has no 9; it has 1, 2, 3, 4"),
        ({"lines": "d"}, "lines: d is what the horizontal axis has already; choose another one"),
        ({"lines": "alpha", "panels": "alpha"}, "panels: alpha is what lines has already"),
    ],
)
def test_what_the_experiment_does_not_have_is_told(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        drawn(**options)


def test_a_loss_that_was_not_measured_is_told():
    grid, fits = data.measured()
    with pytest.raises(ValueError, match=r"loss was not measured .*: give it a section loss"):
        curves.plot(grid.assign(loss=grid.loss * np.nan), fits, y="loss")


@pytest.mark.parametrize("x", ["d", "batch_size", "step"])
def test_five_optimizers_fit_the_page(x):
    five = ("gd", "muon", "newton", "muon_slow", "gd_growing")
    grid, fits = data.measured(optimizer=five, batch_size=BATCHES, step=range(1, 5), d=(16, 32))
    figure = curves.plot(grid, fits, x=x, alpha=[1.5])
    figure.draw_without_rendering()
    said = {text.split(":")[0] for text in legend(figure)}
    assert {looks.label(name, minibatches=x != "step") for name in five} <= said
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    for axes in figure.axes:
        assert not box.overlaps(axes.get_tightbbox())
