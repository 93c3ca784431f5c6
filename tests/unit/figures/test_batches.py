"""What the figures of capacity against the batch size show."""

import numpy as np
import pytest

from spectral_capacity.figures import fig1b, fig3
from spectral_capacity.figures.parts import common, curves, looks
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.predictions import items_seen
from tests.unit.figures import data

FIGURES = [fig1b, fig3]


@pytest.fixture
def measured():
    return data.needed(fig3)


def test_fig1b_shows_the_largest_d(measured):
    grid, fits = measured
    axes = fig1b.plot(grid, fits).axes[0]
    counts = grid.capacity.sel(d=128).squeeze().sortby("batch_size")
    curves = np.reshape(np.array(data.bars(axes), dtype=object)[:, 0], (2, 2))
    ranges = data.bars(axes)[::2]
    stars = [(*star.get_xdata(), *star.get_ydata()) for star in data.lines(axes, marker="*")]
    for optimizer, (finite, population), bars in zip(("gd", "muon"), curves, ranges, strict=True):
        mean = counts.sel(optimizer=optimizer).mean("seed").values
        np.testing.assert_array_equal(finite.get_xdata(), np.sort(data.BATCHES)[:-1])
        np.testing.assert_allclose(finite.get_ydata(), mean[:-1])
        np.testing.assert_allclose(population.get_ydata(), mean[-1:])
        one = counts.sel(optimizer=optimizer, batch_size=64)
        np.testing.assert_allclose(data.ends(bars)[3], [one.min(), one.max()])
        critical = fits.critical_batch_size.sel(optimizer=optimizer, d=128).item()
        assert ((critical, mean[-1]) in stars) == np.isfinite(critical)
        levels = data.lines(axes, linestyle="--")
        assert any((line.get_ydata() == mean[-1]).all() for line in levels)
    assert stars
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["SGD", "Muon"]
    assert axes.get_title() == r"One step, $d$ = 128, $\alpha$ = 1.5"


@pytest.mark.parametrize("figure", FIGURES)
def test_the_information_line_is_the_number_of_items_seen(figure, measured):
    grid = data.described(measured[0], frequencies=None)
    (line,) = data.lines(figure.plot(grid, measured[1]).axes[0], color=common.GUIDE["color"])
    p = power_law(data.N, 1.5)
    assert line.get_xdata()[[0, -1]] == pytest.approx([1, 4096])
    assert line.get_ydata() == pytest.approx([items_seen(p, b) for b in line.get_xdata()])


def test_fig3_shows_every_d_and_the_fitted_exponents(measured):
    grid, fits = measured
    drawn = fig3.plot(grid, fits)
    assert [axes.get_title() for axes in drawn.axes[:2]] == ["SGD", "Muon"]
    for optimizer, axes in zip(("gd", "muon"), drawn.axes, strict=False):
        for d, finite in zip(grid.d.values, data.bars(axes)[::2], strict=True):
            mean = grid.capacity.sel(optimizer=optimizer, d=d).mean("seed").squeeze()
            expected = mean.sortby("batch_size").values[:-1]
            np.testing.assert_allclose(finite[0].get_ydata(), expected)
    first, second, last = drawn.axes
    assert first.get_ylim() == second.get_ylim()
    for optimizer in ("gd", "muon"):
        look = looks.optimizer_style(optimizer)
        sizes = data.lines(last, linestyle="None", color=look["color"], marker=look["marker"])[0]
        expected = fits.critical_batch_size.sel(optimizer=optimizer).values.ravel()
        np.testing.assert_allclose(sizes.get_ydata(), expected)
        line = fits.sel(optimizer=optimizer, quantity="critical_batch_size", batch_size=np.inf)
        written = (
            f"{looks.label(optimizer, minibatches=True)}: {curves.fit_text(line.sel(fit='ols'))}"
        )
        assert written in data.texts(drawn)


def test_fig3_shows_predictions_when_asked(measured):
    grid, fits = measured
    for finite_size in (True, False):
        axes = fig3.plot(grid, fits, finite_size=finite_size).axes[1]
        dotted = data.lines(axes, linestyle=":")
        assert len(dotted) == (3 if finite_size else 0)
        for d, line in zip((32, 64, 128), dotted, strict=False):
            one = fits.sel(optimizer="muon", d=d).squeeze().sortby("batch_size")
            start = one.predicted_critical_batch_size.item()
            assert line.get_xdata()[0] == start
            beyond = one.predicted_capacity[(one.batch_size > start).values].values
            assert line.get_ydata()[1:] == pytest.approx(beyond[np.isfinite(beyond)])
            assert line.get_ydata()[0] == line.get_ydata()[-1] == beyond[-1]


@pytest.mark.parametrize("figure", FIGURES)
def test_breaks_that_are_not_identified_are_left_out(figure, measured, tmp_path):
    grid, fits = measured[0], measured[1].copy(deep=True)
    fits.critical_batch_size.loc[{"optimizer": "gd"}] = np.nan
    fits.critical_batch_size_low.loc[{"optimizer": "muon"}] = np.nan
    fits.critical_batch_size_high.loc[{"optimizer": "muon"}] = np.nan
    fits.exponent.loc[{"quantity": "critical_batch_size", "optimizer": "gd"}] = np.nan
    drawn = figure.plot(grid, fits)
    assert not data.lines(drawn.axes[0], marker="*")[1:]
    common.save(drawn, [tmp_path / "f.svg"])
    assert b"nan" not in (tmp_path / "f.svg").read_bytes().lower()


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("sizes", [data.BATCHES[:4], data.BATCHES[1:], data.BATCHES[:1]])
def test_few_batch_sizes_and_no_population_are_drawn_too(figure, sizes):
    drawn = figure.plot(*data.measured(batch_size=sizes, alpha=(1.5,), d=(32, 64)))
    drawn.set_layout_engine("none")
    drawn.draw_without_rendering()
