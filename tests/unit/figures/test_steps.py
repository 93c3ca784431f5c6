"""What the figures of several steps show."""

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.runs import capacity_to_the_end
from spectral_capacity.figures import (
    fig4a,
    fig4abc,
    fig4b,
    fig4c,
    fig4d,
    fig4e,
    fig5a,
    fig5b,
    thresholded,
)
from spectral_capacity.figures.parts import common, looks
from spectral_capacity.figures.parts.selection import to_the_end
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.exponents import muon_exponent
from spectral_capacity.theory.predictions import ceiling, items_seen
from tests.unit.figures import data


@pytest.fixture
def short():
    return data.measured(step=range(1, 5))


@pytest.fixture(scope="module")
def long():
    """Runs of 12 steps: one stops early, one diverges."""
    grid = data.synthetic(step=range(1, 13), alpha=[1.5])
    grid = data.ended(grid, 7, Status.NOT_RUN, optimizer="muon", d=32, seed=1)
    grid = data.ended(grid, 5, Status.DIVERGED, optimizer="gd", d=64, seed=0)
    return grid, data.fitted(grid)


def test_fig4_is_a_figure_for_each_number_of_steps(short):
    for number, figure in enumerate((fig4a, fig4b, fig4c), start=2):
        assert figure.plot(*short).axes[0].get_title() == f"{number} Muon steps"
    titles = [axes.get_title() for axes in fig4abc.plot(*short).axes]
    assert titles == ["2 Muon steps", "3 Muon steps", "4 Muon steps"]


def test_the_first_exact_muon_is_shown(short):
    grid, fits = short
    names = {"optimizer": ["gd", "muon_slow"]}
    drawn = fig4e.plot(grid.assign_coords(names), fits.assign_coords(names))
    assert "Muon (slow)" in drawn.axes[0].get_title()


@pytest.mark.parametrize("figure", [fig4d, fig4e])
def test_figures_of_muon_need_one(short, figure):
    with pytest.raises(ValueError, match="exact Muon"):
        figure.plot(*(of.sel(optimizer=["gd"]) for of in short))


def test_fig4e_shows_a_point_per_step_and_alpha(short):
    grid, fits = short
    axes = fig4e.plot(grid, fits).axes[0]
    line = fits.sel(optimizer="muon", quantity="capacity", fit="ols").squeeze()
    points = iter(data.bars(axes))
    for alpha in (1.5, 2.0):
        for step in range(1, 5):
            one, point = line.sel(alpha=alpha, step=step), next(points)
            assert point[0].get_xdata() == pytest.approx(muon_exponent(alpha, steps=step))
            assert point[0].get_ydata() == one.exponent.item()
            np.testing.assert_allclose(data.ends(point)[0], [one.boot_low, one.boot_high])
    (identity,) = data.lines(axes, **common.GUIDE)
    np.testing.assert_array_equal(identity.get_xdata(), identity.get_ydata())
    assert {"1.5", "2", "1", "3", "4", "1, predicted"} <= {*data.texts(axes.figure)}
    assert len(data.lines(axes, markerfacecolor="white")) == 2
    axes = fig4e.plot(grid, fits, finite_size=False).axes[0]
    assert not data.lines(axes, markerfacecolor="white")


def test_fig4e_falls_back_to_standard_errors(short):
    grid, fits = short
    fits = fits.assign(boot_low=fits.boot_low * np.nan)
    low, high = data.ends(data.bars(fig4e.plot(grid, fits).axes[0])[0])[0]
    one = fits.sel(optimizer="muon", quantity="capacity", fit="ols", alpha=1.5, step=1)
    assert high - low == pytest.approx(2 * one.stderr.item())


def test_fig5a_shows_every_optimizer_at_every_d(long):
    grid, fits = long
    drawn = fig5a.plot(grid, fits)
    for d, axes in zip(grid.d.values, drawn.axes, strict=True):
        assert f"$d$ = {d}" in axes.get_title()
        for name, text in (("gd", "GD"), ("muon", "Muon")):
            (line,) = data.lines(axes, label=text)
            counts = capacity_to_the_end(grid)[0].sel(optimizer=name, d=d)
            expected = counts.mean("seed", skipna=False).squeeze()
            np.testing.assert_allclose(line.get_ydata(), expected.where(expected > 0))
        levels = [line.get_ydata()[0] for line in data.lines(axes, linestyle="-.")]
        assert levels == pytest.approx([ceiling(data.N, int(d))])
        crosses = data.lines(axes, marker="x")
        assert len(crosses) == (d == 64)
    cross = crosses[0].get_xydata()[0]
    assert (*cross,) == (5, grid.capacity.sel(optimizer="gd", d=64, seed=0, step=5).item())
    assert "a run diverges" in data.texts(drawn)
    without = fig5a.plot(grid.isel(d=[0, 1]), fits, finite_size=False)
    assert "a run diverges" not in data.texts(without)
    assert not data.lines(without.axes[0], linestyle="-.")


def test_the_robust_prefix_stands_beside_the_count(short, long):
    grid, fits = short
    drawn = fig4abc.plot(grid, fits)
    for step, axes in zip((2, 3, 4), drawn.axes, strict=True):
        of_alphas = grid.robust_prefix.sel(optimizer="muon", step=step).mean("seed").squeeze()
        opens = [line.get_ydata() for line in data.lines(axes, markerfacecolor="none")]
        np.testing.assert_allclose(opens, of_alphas.transpose("alpha", "d"))
    assert "robust prefix (95 %)" in data.texts(drawn)
    assert not any("robust prefix" in text for text in data.texts(fig4d.plot(*long)))
    lost = grid.assign(robust_prefix=0 * grid.robust_prefix)  # no logarithmic axis has it
    for figure in (fig4abc, fig5a):
        assert not any("robust prefix" in text for text in data.texts(figure.plot(lost, fits)))
    axes = fig5a.plot(grid, fits).axes[-1]
    of_gd, of_muon = data.lines(axes, linestyle=":")
    for line, name in ((of_gd, "gd"), (of_muon, "muon")):
        prefixes = grid.robust_prefix.sel(optimizer=name, d=64, alpha=1.5).squeeze()
        np.testing.assert_allclose(line.get_ydata(), prefixes.mean("seed"))
        assert line.get_color() == looks.optimizer_style(name)["color"]


def test_fig5b_shows_a_line_per_batch_size_and_the_items_seen():
    grid, fits = data.needed(fig5b)
    grid = data.described(grid, frequencies=None)
    axes = fig5b.plot(grid, fits).axes[1]
    assert axes.get_title() == "Muon"
    brightness = []
    p = power_law(data.N, 1.5)
    dotted = iter(data.lines(axes, linestyle=":"))
    for size, text in ((4, "$B$ = 4"), (32, "$B$ = 32"), (np.inf, "population")):
        (line,) = data.lines(axes, label=text)
        counts = grid.capacity.sel(optimizer="muon", d=64, batch_size=size)
        np.testing.assert_allclose(line.get_ydata(), counts.mean("seed").squeeze())
        brightness.append(sum(line.get_color()[:3]))
        if np.isfinite(size):
            seen = next(dotted)
            assert seen.get_color() == line.get_color()
            ends = [items_seen(p, float(size)), items_seen(p, 4.0 * size)]
            assert seen.get_ydata()[[0, -1]] == pytest.approx(ends)
    assert brightness == sorted(brightness, reverse=True)
    (guide,) = data.lines(axes, **common.GUIDE)
    (x0, y0), (x1, y1) = guide.get_xydata()
    assert np.log(y1 / y0) / np.log(x1 / x0) == pytest.approx(1 / 1.5)
    for text in ("$B$ = 4", "$B$ = 32", "population"):
        x, y = data.lines(axes, label=text)[0].get_xydata().T
        assert (y > y0 * (x / x0) ** (1 / 1.5))[x >= x0].all()
    assert "distinct items seen" in data.texts(axes.figure)
    drawn = fig5b.plot(grid, fits, finite_size=False)
    assert not any(data.lines(panel, linestyle=":") for panel in drawn.axes)
    assert "distinct items seen" not in data.texts(drawn)


def test_thresholded_shows_what_both_have_in_common(long):
    exact, fits = long
    steps = range(1, 10)
    other = data.synthetic(step=steps, alpha=[2.0, 1.5], d=[64, 128, 32], seed=range(2))
    other = other.assign(capacity=other.capacity + 1)
    more = [other, other.isel(optimizer=[0]).assign_coords(optimizer=["soft"])]
    more = xr.concat(more, "optimizer").assign_attrs(other.attrs)
    drawn = thresholded.plot([exact, more], [fits, fits])
    panels = np.reshape(drawn.axes, (3, 2))
    for name, (above, middle, below) in zip(("gd", "muon"), panels.T, strict=True):
        curves = [line for line in above.lines if line.get_marker() in looks.MARKERS]
        for i, d in enumerate((32, 64)):
            here = {"optimizer": name, "alpha": 1.5, "d": d, "seed": [0, 1], "step": steps}
            pair = [capacity_to_the_end(grid)[0].sel(here).squeeze() for grid in (exact, more)]
            for line, counts, dashes in zip(curves[2 * i :], pair, ("-", "--"), strict=False):
                mean = counts.mean("seed", skipna=False)
                np.testing.assert_allclose(line.get_ydata(), mean.where(mean > 0))
                assert line.get_linestyle() == dashes
            ratio = (pair[1] / pair[0].where(pair[0] > 0)).mean("seed", skipna=False)
            shown = [line.get_ydata() for line in below.lines]
            assert any(np.allclose(y, ratio, equal_nan=True) for y in shown)
            for grid in (exact, more):
                prefixes = to_the_end(grid, "robust_prefix").robust_prefix.sel(here).squeeze()
                mean = prefixes.mean("seed", skipna=False)
                assert any(
                    np.allclose(line.get_ydata(), mean, equal_nan=True) for line in middle.lines
                )
        assert len(curves) == 4
        levels = [line.get_ydata()[0] for line in data.lines(above, linestyle="-.")]
        assert levels == pytest.approx([ceiling(data.N, 32), ceiling(data.N, 64)])
    drawn = thresholded.plot([exact, more], [fits, fits], finite_size=False)
    assert not data.lines(drawn.axes[0], linestyle="-.")


@pytest.mark.parametrize("dim", ["optimizer", "alpha", "d"])
def test_thresholded_needs_something_in_common(short, dim):
    grid, fits = short
    value = ["other"] if dim == "optimizer" else [99]
    other = grid.isel({dim: [0]}).assign_coords({dim: value})
    with pytest.raises(ValueError, match=f"no {dim} in common"):
        thresholded.plot([grid, other], [fits, fits])


def test_thresholded_compares_no_memories_of_different_sizes(short):
    grid, fits = short
    with pytest.raises(ValueError, match="the same n_items"):
        thresholded.plot([grid, data.described(grid, n_items=5)], [fits, fits])


FIVE = ("gd", "muon", "newton", "muon_slow", "gd_growing")


@pytest.mark.parametrize("figure", [fig4d, fig4e, fig5a, fig5b, thresholded])
def test_five_optimizers_are_all_drawn_or_the_figure_says_which(figure):
    grid, fits = data.measured(
        optimizer=FIVE, batch_size=(np.inf, 4.0, 32.0), alpha=(1.5,), d=(16, 32), step=range(1, 5)
    )
    pair = isinstance(figure.SHOWS, dict)
    drawn = figure.plot(*([x, x] if pair else x for x in (grid, fits)))
    text = " ".join(data.texts(drawn))
    if figure in (fig4d, fig4e):
        muons = "Muon, Muon (slow)" if figure is fig4d else "Muon"
        every = "GD, Muon, Newton, Muon (slow), GD (growing)"
        assert f"optimizer = {muons} of {every}" in " ".join(drawn.left_out.split())
    else:
        for name in FIVE:
            assert looks.label(name, minibatches=figure is fig5b) in text
    if figure is fig5b:
        assert len(drawn.axes) == 5
        assert drawn.left_out == "Shown: $d$ = 32 of 16, 32"
    else:
        assert r"$B$ = $\infty$ of" in drawn.left_out


def test_optimizers_look_as_everywhere(short):
    grid, fits = short
    for panel in fig5a.plot(grid, fits).axes:
        for name, text in (("gd", "GD"), ("muon", "Muon")):
            (line,) = data.lines(panel, label=text)
            look = looks.optimizer_style(name)
            assert (line.get_color(), line.get_marker()) == (look["color"], look["marker"])


@pytest.mark.parametrize("dim", ["d", "alpha"])
def test_a_part_of_the_experiment_is_not_left_out_in_silence(dim):
    grid, fits = data.measured(batch_size=(np.inf, 4.0), step=range(1, 5))
    for figure in (fig5a, fig5b):
        if not (figure is fig5a and dim == "d"):
            symbol = {"d": "$d$ = 64 of 16, 32, 64", "alpha": r"$\alpha$ = 1.5 of 1.5, 2"}[dim]
            assert symbol in figure.plot(grid, fits).left_out


@pytest.mark.parametrize("figure", [fig5a, fig5b, thresholded])
def test_no_more_than_the_data_and_a_ceiling_near_them_make_the_axis(short, figure):
    grid, fits = data.measured(batch_size=(np.inf, 4.0), step=range(1, 5), d=(32, 64))
    grid = data.fewer(grid, 40)
    pair = isinstance(figure.SHOWS, dict)
    drawn = figure.plot(*([x, x] if pair else x for x in (grid, fits)))
    assert drawn.axes[0].get_ylim()[1] < 5 * grid.capacity.max().item()
    assert not any("ceiling" in text for text in data.texts(drawn))


def tiny(**coordinates):
    return data.synthetic(**{"optimizer": ["muon"], "alpha": [1.5], "d": [16, 32]} | coordinates)


CASES = {
    "one run": lambda: tiny(d=[32], seed=[0], step=[1, 2]),
    "one step": lambda: tiny(step=[1]),
    "nothing measured": lambda: data.ended(tiny(step=[1, 2]), 0, Status.NOT_RUN),
    "one seed diverges, all others stop": lambda: data.ended(
        data.ended(tiny(step=range(1, 10)), 1, Status.NOT_RUN), 1, Status.DIVERGED, seed=0
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", CASES)
def test_runs_that_end_are_drawn_too(case):
    grid = CASES[case]()
    fits = data.fitted(grid)
    for figure in (fig4d, fig4e, fig5a, fig5b, thresholded):
        args = ([grid, grid], [fits, fits]) if figure is thresholded else (grid, fits)
        drawn = figure.plot(*args)
        drawn.set_layout_engine("none")
        drawn.draw_without_rendering()
        assert "nan" not in " ".join(data.texts(drawn))
