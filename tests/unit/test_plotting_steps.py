"""Figures of several steps."""

import json
import warnings

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.analysis.runs import carried
from spectral_capacity.figures import fig4e, fig5a, fig5b, thresholded
from spectral_capacity.figures.parts import capacity_after_steps as fig4
from spectral_capacity.figures.parts import common, steps
from spectral_capacity.memory.measured import DIMENSIONS
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.exponents import gradient_exponent, muon_exponent
from spectral_capacity.theory.predictions import ceiling, items_seen
from tests.unit.test_regression import SETTINGS

N = 2000
FIGURES = {
    "fig4a": lambda g, f, **k: fig4.plot(g, f, steps=2, **k),
    "fig4d": fig4.plot,
    "fig4e": fig4e.plot,
    "fig5a": fig5a.plot,
    "fig5b": fig5b.plot,
    "thresholded": lambda g, f, **k: thresholded.plot([g, g], [f, f], **k),
}


@pytest.fixture(autouse=True)
def style():
    with common.style("config/figures.mplstyle"):
        yield
    common.plt.close("all")


def synthetic(last=4, seeds=3, **coordinates):
    """Counts that rise to a ceiling, capped by the items seen; seeds differ by some percent."""
    sizes = {
        "optimizer": ["gd", "muon"],
        "alpha": [1.5, 2.0],
        "kappa": [0.0],
        "d": [16, 32, 64],
        "batch_size": [np.inf],
        "seed": range(seeds),
        "step": range(1, last + 1),
    } | coordinates
    coords = {dim: list(sizes[dim]) for dim in tuple(DIMENSIONS)}
    noise = xr.DataArray(0.0, coords, tuple(DIMENSIONS))
    noise += np.random.default_rng(0).uniform(0.8, 1.25, noise.shape)
    counts = noise.copy()
    for where in np.ndindex(counts.shape):
        optimizer, alpha, _, d, size, _, step = (x.item() for x in counts[where].coords.values())
        exponent = (gradient_exponent if optimizer == "gd" else muon_exponent)(alpha, steps=step)
        bounds = np.array(
            [
                (3 if optimizer == "gd" else 0.3) * d**exponent,
                0.05 * d**2,
                (step * size) ** (1 / alpha),
            ]
        )
        counts[where] = noise.values[where] * (bounds**-2).sum() ** -0.5
    grid = xr.Dataset(
        {
            "capacity": counts.round(),
            "status": xr.zeros_like(noise, dtype=np.int8),
            "signal_slope": counts.d**1.5 * noise,
            "logit_noise": counts.d**-0.5 * noise,
        }
    )
    absent = ("loss", "best_loss", "worst_item_loss", "bulk_singular_value")
    for name in (*absent, "mean_inverse_singular_value"):
        grid[name] = noise * np.nan
    settings = {"n_items": N, "frequencies": None}
    grid.attrs["provenance"] = json.dumps({"configuration": settings})
    return grid.transpose(*tuple(DIMENSIONS))


def end(grid, after, status, **where):
    """The grid with the runs at ``where`` ended after a step."""
    here = xr.ones_like(grid.capacity, dtype=bool)
    for dim, value in where.items():
        here &= grid[dim] == value
    here &= grid.step > after
    return grid.assign(
        capacity=grid.capacity.where(~here), status=grid.status.where(~here, np.int8(status))
    )


def fitted(grid):
    families = {"gd": "gradient", "muon": "muon"}
    names = {name: families[name.split("_")[0]] for name in grid.optimizer.values.tolist()}
    settings = {"theory": names, "options": {name: {} for name in names}, "n_items": N}
    settings |= {"bootstrap": 20, "steps": grid.step.size}
    return fit_exponents(grid, SETTINGS | settings)


@pytest.fixture(scope="module")
def short():
    grid = synthetic()
    return grid, fitted(grid)


@pytest.fixture(scope="module")
def long():
    """Runs of 12 steps: one stops early, one diverges."""
    grid = end(synthetic(12, alpha=[1.5]), 7, Status.NOT_RUN, optimizer="muon", d=32, seed=1)
    grid = end(grid, 5, Status.DIVERGED, optimizer="gd", d=64, seed=0)
    return grid, fitted(grid)


@pytest.fixture(scope="module")
def batches():
    grid = synthetic(10, alpha=[1.5], d=[16, 32], batch_size=[np.inf, 4, 32])
    return grid, fitted(grid)


def bars(axes):
    return [c for c in axes.containers if hasattr(c, "has_yerr")]


def lines(axes, **wanted):
    def matches(line):
        return all(getattr(line, f"get_{key}")() == value for key, value in wanted.items())

    return [line for line in axes.lines if matches(line)]


def texts(figure):
    return [text.get_text() for text in figure.findobj(common.plt.Text)]


def test_only_runs_of_the_population_that_stopped_early_are_carried_on():
    grid = synthetic(5, optimizer=["muon"], alpha=[1.5], d=[16], batch_size=[np.inf, 4])
    grid = end(grid, 3, Status.NOT_RUN, seed=0)
    grid = end(grid, 3, Status.DIVERGED, seed=1)
    grid = end(grid, 0, Status.NOT_RUN, seed=2)
    found = carried(grid)[0].squeeze()
    counts = grid.capacity.squeeze().transpose(*found.dims)
    stopped = found.sel(batch_size=np.inf, seed=0)
    np.testing.assert_array_equal(stopped[3:], counts.sel(batch_size=np.inf, seed=0)[2])
    assert np.isfinite(stopped).all()
    others = {"batch_size": 4}, {"seed": [1, 2]}
    for where in others:
        xr.testing.assert_identical(found.sel(where), counts.sel(where))
    assert sorted(steps.steps_made(grid)) == [3, 3, 3, 3]


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


@pytest.mark.parametrize("number", [2, 3, 4])
def test_fig4_shows_counts_after_so_many_steps_with_fits_and_limits(short, number):
    grid, fits = short
    axes = fig4.plot(grid, fits, steps=number).axes[0]
    assert axes.get_title() == f"{number} Muon steps"
    for alpha, container in zip((1.5, 2.0), bars(axes), strict=True):
        here = {"optimizer": "muon", "alpha": alpha, "step": number}
        mean = grid.capacity.sel(here).mean("seed").squeeze()
        np.testing.assert_allclose(container[0].get_ydata(), mean)
        line = fits.sel(here | {"quantity": "capacity", "fit": "ols"})
        assert f"{line.exponent.item():.2f}" in container.get_label()
        assert f"theory {muon_exponent(alpha, steps=number):.2f}" in container.get_label()
    square, most = lines(axes, color="0.6")
    d = square.get_xdata()
    np.testing.assert_allclose(square.get_ydata(), d**2)
    np.testing.assert_allclose(most.get_ydata(), ceiling(N, 1) * d**2)
    assert f"ceiling, $N$ = {N:,}" in texts(axes.figure)
    axes = fig4.plot(grid, fits, steps=number, finite_size=False).axes[0]
    assert len(lines(axes, color="0.6")) == 1


def test_fig4_says_which_steps_it_lacks(short):
    grid, fits = short
    with pytest.raises(ValueError, match=r"fig4b shows 3 steps; .* makes 2: give it steps: 3"):
        fig4.plot(grid.sel(step=[1, 2]), fits, steps=3)


def test_fig4d_shows_the_most_of_every_run(long):
    grid, fits = long
    axes = fig4.plot(grid, fits).axes[0]
    assert axes.get_title() == "At most 12 Muon steps,\nstopped after 7–12"
    (container,) = bars(axes)
    counts = grid.capacity.sel(optimizer="muon").squeeze()
    most = counts.max("step").mean("seed")
    assert (most > counts.sel(step=7).mean("seed")).any()
    np.testing.assert_allclose(container[0].get_ydata(), most)
    fit = fits.sel(optimizer="muon", quantity="peak_capacity", fit="ols", step=12)
    assert f"{fit.exponent.item():.2f}" in container.get_label()


@pytest.mark.parametrize("figure", [fig4.plot, fig4e.plot, fig5b.plot])
def test_the_first_exact_muon_is_shown(short, figure):
    grid, fits = short
    names = {"optimizer": ["gd", "muon_slow"]}
    drawn = figure(grid.assign_coords(names), fits.assign_coords(names))
    assert "Muon (slow)" in drawn.axes[0].get_title()
    with pytest.raises(ValueError, match="exact Muon"):
        figure(grid.sel(optimizer=["gd"]), fits.sel(optimizer=["gd"]))


def test_fig4e_shows_a_point_per_step_and_alpha(short):
    grid, fits = short
    axes = fig4e.plot(grid, fits).axes[0]
    line = fits.sel(optimizer="muon", quantity="capacity", fit="ols").squeeze()
    points = iter(bars(axes))
    for alpha in (1.5, 2.0):
        for step in range(1, 5):
            one, point = line.sel(alpha=alpha, step=step), next(points)
            assert point[0].get_xdata() == pytest.approx(muon_exponent(alpha, steps=step))
            assert point[0].get_ydata() == one.exponent.item()
            ends = point[2][0].get_segments()[0][:, 1]
            np.testing.assert_allclose(ends, [one.boot_low, one.boot_high])
    (identity,) = lines(axes, color="0.6")
    np.testing.assert_array_equal(identity.get_xdata(), identity.get_ydata())
    assert {"1.5", "2", "1", "3", "4", "1, predicted"} <= {*texts(axes.figure)}
    assert len(lines(axes, markerfacecolor="white")) == 2
    axes = fig4e.plot(grid, fits, finite_size=False).axes[0]
    assert not lines(axes, markerfacecolor="white")


def test_fig4e_falls_back_to_standard_errors(short):
    grid, fits = short
    fits = fits.assign(boot_low=fits.boot_low * np.nan)
    point = bars(fig4e.plot(grid, fits).axes[0])[0]
    low, high = point[2][0].get_segments()[0][:, 1]
    one = fits.sel(optimizer="muon", quantity="capacity", fit="ols", alpha=1.5, step=1)
    assert high - low == pytest.approx(2 * one.stderr.item())


def test_fig5a_shows_every_optimizer_at_every_d(long):
    grid, fits = long
    drawn = fig5a.plot(grid, fits)
    for d, axes in zip(grid.d.values, drawn.axes, strict=True):
        assert f"$d$ = {d}" in axes.get_title()
        for name, text in (("gd", "GD"), ("muon", "Muon")):
            (line,) = lines(axes, label=text)
            counts = carried(grid)[0].sel(optimizer=name, d=d)
            expected = counts.mean("seed", skipna=False).squeeze()
            np.testing.assert_allclose(line.get_ydata(), expected.where(expected > 0))
        levels = [line.get_ydata()[0] for line in lines(axes, color="0.6")]
        assert levels == pytest.approx([d**2, ceiling(N, int(d))])
        crosses = lines(axes, marker="x")
        assert len(crosses) == (d == 64)
    cross = crosses[0].get_xydata()[0]
    assert (*cross,) == (5, grid.capacity.sel(optimizer="gd", d=64, seed=0, step=5).item())
    assert "a run diverges" in texts(drawn)
    without = fig5a.plot(grid.isel(d=[0, 1]), fits, finite_size=False)
    assert "a run diverges" not in texts(without)
    assert len(lines(without.axes[0], color="0.6")) == 1


def test_fig5b_shows_a_line_per_batch_size_and_the_items_seen(batches):
    grid, fits = batches
    axes = fig5b.plot(grid, fits).axes[0]
    brightness = []
    p = power_law(N, 1.5)
    dotted = iter(lines(axes, linestyle=":"))
    for size, text in ((4, "4"), (32, "32"), (np.inf, "population")):
        (line,) = lines(axes, label=text)
        counts = grid.capacity.sel(optimizer="muon", d=32, batch_size=size)
        np.testing.assert_allclose(line.get_ydata(), counts.mean("seed").squeeze())
        brightness.append(sum(line.get_color()[:3]))
        if np.isfinite(size):
            seen = next(dotted)
            assert seen.get_color() == line.get_color()
            ends = [items_seen(p, float(size)), items_seen(p, 10.0 * size)]
            assert seen.get_ydata()[[0, -1]] == pytest.approx(ends)
    assert brightness == sorted(brightness, reverse=True)
    guide = lines(axes, color="0.6")[0]
    (x0, y0), (x1, y1) = guide.get_xydata()
    assert np.log(y1 / y0) / np.log(x1 / x0) == pytest.approx(1 / 1.5)
    for text in ("4", "32", "population"):
        x, y = lines(axes, label=text)[0].get_xydata().T
        assert (y > y0 * (x / x0) ** (1 / 1.5))[x >= x0].all()
    assert "distinct items seen" in texts(axes.figure)
    drawn = fig5b.plot(grid, fits, finite_size=False)
    assert not lines(drawn.axes[0], linestyle=":")
    assert "distinct items seen" not in texts(drawn)


def test_thresholded_shows_what_both_have_in_common(long):
    exact, fits = long
    other = synthetic(9, alpha=[2.0, 1.5], d=[64, 128, 32], seeds=2)
    other = other.assign(capacity=other.capacity + 1)
    more = xr.concat(
        [other, other.isel(optimizer=[0]).assign_coords(optimizer=["soft"])], "optimizer"
    )
    more.attrs = other.attrs
    drawn = thresholded.plot([exact, more], [fits, fits])
    panels = np.reshape(drawn.axes, (2, 2))
    for name, (above, below) in zip(("gd", "muon"), panels.T, strict=True):
        curves = [line for line in above.lines if line.get_marker() == "."]
        for i, d in enumerate((32, 64)):
            here = {"optimizer": name, "alpha": 1.5, "d": d, "seed": [0, 1], "step": range(1, 10)}
            pair = [carried(grid)[0].sel(here).squeeze() for grid in (exact, more)]
            for line, counts, dashes in zip(curves[2 * i :], pair, ("-", "--"), strict=False):
                mean = counts.mean("seed", skipna=False)
                np.testing.assert_allclose(line.get_ydata(), mean.where(mean > 0))
                assert line.get_linestyle() == dashes
            ratio = (pair[1] / pair[0].where(pair[0] > 0)).mean("seed", skipna=False)
            shown = [line.get_ydata() for line in lines(below, linewidth=1.1)]
            assert any(np.allclose(y, ratio, equal_nan=True) for y in shown)
        assert len(curves) == 4
        assert [line.get_ydata()[0] for line in lines(above, linestyle="-.")] == pytest.approx(
            [ceiling(N, 32), ceiling(N, 64)]
        )
    drawn = thresholded.plot([exact, more], [fits, fits], finite_size=False)
    assert not lines(drawn.axes[0], linestyle="-.")


@pytest.mark.parametrize("dim", ["optimizer", "alpha", "d"])
def test_thresholded_needs_something_in_common(short, dim):
    grid, fits = short
    value = ["other"] if dim == "optimizer" else [99]
    other = grid.isel({dim: [0]}).assign_coords({dim: value})
    with pytest.raises(ValueError, match=f"no {dim} in common"):
        thresholded.plot([grid, other], [fits, fits])


def test_thresholded_compares_no_memories_of_different_sizes(short):
    grid, fits = short
    other = grid.assign_attrs(provenance=json.dumps({"configuration": {"n_items": 5}}))
    with pytest.raises(ValueError, match="the same n_items"):
        thresholded.plot([grid, other], [fits, fits])


@pytest.mark.parametrize("name", ["fig4e", "thresholded"])
def test_files_are_equal_when_drawn_twice(tmp_path, name, short):
    for run in "ab":
        common.save(FIGURES[name](*short), [tmp_path / f"{run}.svg"])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled_and_legends_cover_nothing(name, long, batches):
    grid, fits = batches if name == "fig5b" else long
    drawn = FIGURES[name](grid, fits)
    drawn.draw_without_rendering()
    for axes in drawn.axes:
        alike = axes.get_shared_y_axes().get_siblings(axes)
        assert any(other.get_ylabel() for other in alike)
        assert axes.get_xlabel() or not axes.get_subplotspec().is_last_row()
        frame = axes.get_window_extent()
        inside = [axes.get_legend()] if axes.get_legend() else []
        for legend in [*drawn.legends, *inside]:
            assert not legend.get_window_extent().overlaps(frame)
        for text in axes.texts:  # names of lines stay clear of the title
            assert text.get_window_extent().y1 < axes.title.get_window_extent().y0


def tiny(**kwargs):
    return synthetic(**{"optimizer": ["muon"], "alpha": [1.5], "d": [16, 32], "last": 2} | kwargs)


CASES = {
    "one run": lambda: tiny(d=[32], seeds=1),
    "one seed": lambda: tiny(seeds=1, last=4),
    "one step": lambda: tiny(last=1),
    "nothing recovered": lambda: (g := tiny()).assign(capacity=0 * g.capacity),
    "nothing measured": lambda: end(tiny(), 0, Status.NOT_RUN),
    "one seed diverges, all others stop": lambda: end(
        end(tiny(last=9), 1, Status.NOT_RUN), 1, Status.DIVERGED, seed=0
    ),
}


@pytest.fixture(scope="module")
def small():
    """Makes small and empty grids with their fits, each once."""
    made = {}

    def make(case):
        if case not in made:
            grid = CASES[case]()
            with warnings.catch_warnings(action="ignore"):  # of fits, not of figures
                made[case] = grid, fitted(grid)
        return made[case]

    return make


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["fig4d", "fig4e", "fig5a", "fig5b", "thresholded"])
def test_small_and_empty_grids_are_drawn_too(small, name, case):
    drawn = FIGURES[name](*small(case), finite_size=case == "one run")
    drawn.draw_without_rendering()
    assert "nan" not in " ".join(texts(drawn))
