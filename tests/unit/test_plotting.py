import numpy as np
import pytest

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.figures import fig1a, fig2
from spectral_capacity.figures.parts import common
from tests.unit.test_regression import SETTINGS, D, grid

ALPHAS = (1.25, 1.5, 2.0, 3.0)


def capacity(optimizer, alpha, d):
    exponent = (1 if optimizer == "muon" else 0) + 1 / (2 * alpha)
    rng = np.random.default_rng(0)
    return rng.poisson(d[:, None] ** exponent * np.ones(4))


def data(counts=capacity, **kwargs):
    kwargs = {"alphas": ALPHAS, "optimizers": ("gd", "muon")} | kwargs
    g = grid(counts, **kwargs)
    return g, fit_exponents(g, SETTINGS | {"bootstrap": 100})


@pytest.fixture(autouse=True)
def style():
    with common.style("config/figures.mplstyle"):
        yield


@pytest.mark.parametrize("figure", [fig1a, fig2])
@pytest.mark.parametrize("finite_size", [True, False])
def test_files_are_equal_when_drawn_twice(tmp_path, figure, finite_size):
    g, fits = data()
    for run in "ab":
        paths = [tmp_path / f"{run}.{suffix}" for suffix in ("pdf", "svg", "png")]
        common.save(figure.plot(g, fits, finite_size=finite_size), paths)
    for suffix in ("pdf", "svg", "png"):
        a, b = ((tmp_path / f"{run}.{suffix}").read_bytes() for run in "ab")
        assert a == b, suffix


@pytest.mark.parametrize("figure", [fig1a, fig2])
def test_axes_are_labelled_and_nothing_overlaps_the_legend(figure):
    drawn = figure.plot(*data())
    drawn.canvas.draw()
    assert all(axes.get_xlabel() for axes in drawn.axes)
    assert drawn.axes[0].get_ylabel()
    for legend in drawn.legends:
        box = legend.get_window_extent()
        for axes in drawn.axes:
            assert not box.overlaps(axes.get_tightbbox())


def test_fig2_shows_the_measured_means_and_the_fitted_exponents():
    g, fits = data()
    drawn = fig2.plot(g, fits)
    panel = drawn.axes[1]
    lines = [c for c in panel.containers if hasattr(c, "has_yerr")]
    for alpha, container in zip(ALPHAS, lines, strict=True):
        mean = g.capacity.sel(optimizer="muon", alpha=alpha).mean("seed").values.ravel()
        np.testing.assert_allclose(container[0].get_ydata(), mean)
        exponent = fits.exponent.sel(
            optimizer="muon", alpha=alpha, quantity="capacity", fit="ols"
        ).item()
        assert f"{exponent:.2f}" in container.get_label()


def test_fig2_leaves_out_the_prediction():
    g, fits = data()
    count = [
        sum(line.get_linestyle() == ":" for line in fig2.plot(g, fits, finite_size=f).axes[0].lines)
        for f in (True, False)
    ]
    assert count == [len(ALPHAS), 0]


@pytest.mark.parametrize("figure", [fig1a, fig2])
@pytest.mark.parametrize(
    "kwargs",
    [
        {"alphas": (1.5,)},
        {"optimizers": ("muon",)},
        {"d": D[:1]},
        {"counts": lambda o, a, d: np.zeros((d.size, 2))},
        {"counts": lambda o, a, d: d[:, None] * np.ones(1)},
    ],
)
def test_small_and_empty_grids_are_drawn_too(tmp_path, figure, kwargs):
    common.save(figure.plot(*data(**kwargs)), [tmp_path / "f.png"])


def test_the_users_own_defaults_do_not_leak_in():
    common.plt.rcParams["font.size"] = 33
    with common.style("config/figures.mplstyle"):
        assert common.plt.rcParams["font.size"] == 8
