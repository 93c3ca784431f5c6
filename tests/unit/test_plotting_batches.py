"""Figures of capacity against the batch size."""

import json

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.figures import fig1b, fig3
from spectral_capacity.figures.parts import common
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.predictions import items_seen
from tests.unit.test_regression import SETTINGS, grid

SIZES = np.array([np.inf, 1, 4, 16, 64, 256, 1024, 4096])  # the population need not be last
FIGURES = [fig1b, fig3]


def data(d=(32, 64, 128), sizes=SIZES, seeds=2, optimizers=("gd", "muon"), alphas=(1.5,)):
    """A grid and its fits: the lesser of the batch's items and a plateau, seeds a bit apart."""

    def one(size):
        def capacity(optimizer, alpha, d):
            plateau = 0.3 * d if optimizer == "muon" else 3 * d**0.25
            mean = np.minimum(plateau, 1.4 * size ** (1 / alpha))
            return np.round(mean[:, None] * np.linspace(1, 1.3, seeds))

        return grid(capacity, alphas, optimizers, np.array(d)).assign_coords(batch_size=[size])

    g = xr.concat([one(size) for size in sizes], "batch_size", data_vars="all")
    g = g.transpose("optimizer", "alpha", "kappa", "d", "batch_size", "seed", "step")
    g.attrs["provenance"] = json.dumps({"configuration": {"n_items": 2000}})
    return g, fit_exponents(g, SETTINGS | {"bootstrap": 100})


@pytest.fixture(scope="module")
def measured():
    return data()


@pytest.fixture(autouse=True)
def style():
    with common.style("config/figures.mplstyle"):
        yield
    common.plt.close("all")


def bars(axes):
    """The errorbar containers of curves: [finite, population] of each, in order."""
    return [c for c in axes.containers if c.has_yerr and not c.has_xerr]


@pytest.mark.parametrize("figure", FIGURES)
def test_files_are_equal_when_drawn_twice(tmp_path, figure, measured):
    for run in "ab":
        common.save(figure.plot(*measured), [tmp_path / f"{run}.svg"])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("figure", FIGURES)
def test_axes_are_labelled_and_nothing_overlaps_the_legend(figure, measured):
    drawn = figure.plot(*measured)
    drawn.canvas.draw()
    assert all(axes.get_xlabel() for axes in drawn.axes)
    assert drawn.axes[0].get_ylabel()
    assert drawn.axes[-1].get_ylabel()
    for legend in drawn.legends:
        for axes in drawn.axes:
            assert not legend.get_window_extent().overlaps(axes.get_tightbbox())


def test_fig1b_shows_the_largest_d(measured):
    g, fits = measured
    axes = fig1b.plot(g, fits).axes[0]
    counts = g.capacity.sel(d=128).squeeze().sortby("batch_size")
    for optimizer, (finite, population) in zip(
        ("gd", "muon"), zip(bars(axes)[::2], bars(axes)[1::2], strict=True), strict=True
    ):
        mean = counts.sel(optimizer=optimizer).mean("seed").values
        np.testing.assert_array_equal(finite[0].get_xdata(), np.sort(SIZES)[:-1])
        np.testing.assert_allclose(finite[0].get_ydata(), mean[:-1])
        np.testing.assert_allclose(population[0].get_ydata(), mean[-1:])
        least, largest = finite[2][0].get_segments()[3][:, 1]
        one = counts.sel(optimizer=optimizer, batch_size=64)
        assert (least, largest) == (one.min(), one.max())
        critical = fits.critical_batch_size.sel(optimizer=optimizer, d=128).item()
        stars = [line for line in axes.lines if line.get_marker() == "*"]
        assert (critical, mean[-1]) in [(*star.get_xdata(), *star.get_ydata()) for star in stars]
        levels = [line for line in axes.lines if line.get_linestyle() == "--"]
        assert any((line.get_ydata() == mean[-1]).all() for line in levels)
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["distinct items seen", "SGD", "Muon"]
    assert axes.get_title() == r"One step, $d$ = 128, $\alpha$ = 1.5"


@pytest.mark.parametrize("figure", FIGURES)
def test_the_information_line_is_the_number_of_items_seen(figure, measured):
    (line,) = [x for x in figure.plot(*measured).axes[0].lines if x.get_color() == "0.6"]
    p = power_law(2000, 1.5)
    assert line.get_xdata()[[0, -1]] == pytest.approx([1, 4096])
    assert line.get_ydata() == pytest.approx([items_seen(p, b) for b in line.get_xdata()])


def test_fig3_shows_every_d_and_the_fitted_exponents(measured):
    g, fits = measured
    drawn = fig3.plot(g, fits)
    assert [axes.get_title() for axes in drawn.axes[:2]] == ["One SGD step", "One Muon step"]
    for optimizer, axes in zip(("gd", "muon"), drawn.axes, strict=False):
        for d, finite in zip(g.d.values, bars(axes)[::2], strict=True):
            mean = g.capacity.sel(optimizer=optimizer, d=d).mean("seed").squeeze()
            expected = mean.sortby("batch_size").values[:-1]
            np.testing.assert_allclose(finite[0].get_ydata(), expected)
    stars = [line for line in drawn.axes[2].lines if line.get_marker() == "*"]
    for optimizer, star in zip(("gd", "muon"), stars, strict=True):
        expected = fits.critical_batch_size.sel(optimizer=optimizer).values.ravel()
        np.testing.assert_allclose(star.get_ydata(), expected)
        line = fits.sel(optimizer=optimizer, quantity="critical_batch_size", batch_size=np.inf)
        for fit in ("ols", "largest"):
            one = line.sel(fit=fit)
            numbers = one.exponent.item(), one.boot_low.item(), one.boot_high.item()
            assert common.power_text(*numbers) in star.get_label()


def test_fig3_shows_predictions_when_asked(measured):
    g, fits = measured
    for finite_size in (True, False):
        axes = fig3.plot(g, fits, finite_size=finite_size).axes[1]
        dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
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
    g, fits = measured
    fits = fits.copy(deep=True)
    fits.critical_batch_size.loc[{"optimizer": "gd"}] = np.nan
    fits.critical_batch_size_low.loc[{"optimizer": "muon"}] = np.nan
    fits.critical_batch_size_high.loc[{"optimizer": "muon"}] = np.nan
    fits.exponent.loc[{"quantity": "critical_batch_size", "optimizer": "gd"}] = np.nan
    drawn = figure.plot(g, fits)
    assert not [line for line in drawn.axes[0].lines if line.get_marker() == "*"][1:]
    common.save(drawn, [tmp_path / "f.svg"])
    assert b"nan" not in (tmp_path / "f.svg").read_bytes().lower()


@pytest.mark.parametrize(
    "kwargs",
    [
        {"seeds": 1},
        {"d": (32,)},
        {"optimizers": ("muon",)},
        {"sizes": SIZES[:4]},
        {"sizes": SIZES[1:]},
        {"sizes": SIZES[:1]},
    ],
)
def test_small_grids_are_drawn_too(tmp_path, kwargs):
    g, fits = data(**kwargs)
    for figure in FIGURES:
        common.save(figure.plot(g, fits), [tmp_path / "f.svg"])
