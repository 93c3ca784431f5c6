import json

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.figures import fig6, loss, real_words, spectrum
from spectral_capacity.figures.parts import common
from spectral_capacity.memory.measured import DIMENSIONS
from tests.unit.test_regression import SETTINGS

FIGURES = [fig6, spectrum, loss, real_words]
FAMILIES = {"gd": "gradient", "muon": "muon", "newton": "newton"}


@pytest.fixture(autouse=True)
def style():
    with common.style("config/figures.mplstyle"):
        yield
    common.plt.close("all")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "words.csv"
    counts = 1e6 * np.arange(1, SETTINGS["n_items"] + 1) ** -1.5
    path.write_text("count\n" + "\n".join(map(str, counts)) + "\n")
    return path


@pytest.fixture(scope="module")
def data(table):
    """Makes a grid with everything that these figures show, and its fits."""
    made = {}

    def make(**wanted):
        key = repr(sorted(wanted.items()))
        if key not in made:
            grid = synthetic(**wanted)
            words = {"n_items": 2000, "frequencies": {"file": str(table), "tail_from": 100}}
            grid.attrs["provenance"] = json.dumps({"configuration": words})
            names = grid.optimizer.values
            settings = {"theory": {name: FAMILIES[name] for name in names}, "bootstrap": 50}
            settings["options"] = {name: {} for name in names}
            made[key] = grid, fit_exponents(grid, SETTINGS | settings)
        return made[key]

    return make


def synthetic(d=(32, 64, 128), seeds=3, lost=(), empty=(), **coordinates):
    sizes = {
        "optimizer": ["gd", "muon", "newton"],
        "alpha": [1.5, 2.0],
        "kappa": [0.0, 2.0],
        "d": d,
        "batch_size": [np.inf],
        "seed": range(seeds),
        "step": [1],
    } | coordinates
    coords = {dim: list(sizes[dim]) for dim in tuple(DIMENSIONS)}
    shape = [len(values) for values in coords.values()]
    noise = xr.DataArray(np.random.default_rng(0).uniform(0.8, 1.2, shape), coords)
    size, alpha = noise.d.astype(float), noise.alpha
    counts = size * noise * (noise.optimizer != "gd") + 3 * noise
    values = {
        "status": xr.zeros_like(noise, dtype=np.int8),
        "capacity": counts.round(),
        "recovered_mass": 1 - 1 / counts,
        "signal_slope": size**1.5 * noise,
        "logit_noise": size**-0.5 * noise,
        "loss": 5 * counts ** (1 - alpha),
        "best_loss": 5 * counts ** (1 - alpha),
        "worst_item_loss": 15 * noise,
        "best_worst_item_loss": 20 * noise,
        "sigma_max": 0.5 * noise,
        "bulk_singular_value": 2 * size**-alpha * noise,
        "sigma_min": 0.01 * size**-alpha * noise,
        "mean_inverse_singular_value": 9 * size**alpha * noise,
    }
    for name in lost:
        values[name] = values[name] * np.nan
    for name in empty:
        values[name] = values[name] * 0
    return xr.Dataset(values).transpose(*tuple(DIMENSIONS))


def at(grid, **where):
    return grid.sel({"kappa": 0.0, "step": 1, "batch_size": np.inf} | where).transpose(..., "seed")


def bars(axes):
    return [c for c in axes.containers if hasattr(c, "has_yerr")]


@pytest.mark.parametrize("figure", FIGURES)
def test_files_are_equal_when_drawn_twice(tmp_path, data, figure):
    small = data(alpha=[1.5])
    paths = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for path in paths:
        common.save(figure.plot(*small), [path])
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("figure", FIGURES)
def test_axes_are_labelled_and_legends_cover_nothing(data, figure):
    drawn = figure.plot(*data())
    drawn.draw_without_rendering()
    for axes in drawn.axes:
        assert axes.get_xlabel() or not axes.get_subplotspec().is_last_row()
        alike = axes.get_shared_y_axes().get_siblings(axes)
        assert any(other.get_ylabel() for other in alike)
    for legend in drawn.legends:
        box = legend.get_window_extent()
        assert not any(box.overlaps(axes.get_tightbbox()) for axes in drawn.axes)
    for axes in drawn.axes:
        if axes.get_legend():
            box = axes.get_legend().get_window_extent()
            assert box.width < axes.get_window_extent().width
            for line in bars(axes):
                points = axes.transData.transform(line[0].get_xydata())
                assert not box.count_contains(points)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize(
    "kwargs",
    [
        {"d": [64], "seeds": 1, "optimizer": ["gd", "muon"]},
        {"alpha": [1.5], "kappa": [0.0], "optimizer": ["muon"]},
        {
            "seeds": 2,
            "alpha": [1.5],
            "lost": ("best_loss", "worst_item_loss", "bulk_singular_value"),
        },
        {"seeds": 2, "alpha": [1.5], "empty": ("capacity", "recovered_mass")},
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_missing_is_left_out(data, figure, kwargs):
    drawn = figure.plot(*data(**kwargs), finite_size=False)
    drawn.set_layout_engine("none")
    drawn.draw_without_rendering()
    assert "nan" not in " ".join(text.get_text() for text in drawn.findobj(common.plt.Text))


def test_fig6_shows_means_exponents_and_theory(data):
    grid, fits = data()
    drawn = fig6.plot(grid, fits)
    rows = np.array(drawn.axes).reshape(2, 4)
    for alpha, row in zip((1.5, 2.0), rows, strict=True):
        for optimizer, axes in zip(FAMILIES, row, strict=False):
            here = {"optimizer": optimizer, "alpha": alpha}
            for kappa, line in zip((0.0, 2.0), bars(axes), strict=True):
                mean = at(grid, kappa=kappa, **here).capacity.mean("seed")
                np.testing.assert_allclose(line[0].get_ydata(), mean)
        for optimizer, line in zip(FAMILIES, bars(row[-1]), strict=True):
            one = fits.sel(quantity="capacity", fit="largest", alpha=alpha, optimizer=optimizer)
            np.testing.assert_allclose(line[0].get_ydata(), one.exponent.squeeze())
            ends = [segment[:, 1] for segment in line[2][0].get_segments()]
            np.testing.assert_allclose(ends, np.stack([one.boot_low, one.boot_high], -1).squeeze())
        muon, newton = [line for line in row[-1].lines if line.get_color() == "0.6"]
        gain = 1 / (2 * alpha)
        assert list(np.take(muon.get_ydata(), [0, 50, 100])) == pytest.approx(
            [1 + gain, 1 + gain, 1]
        )
        assert list(newton.get_ydata()) == pytest.approx([1 + gain] * 101)


@pytest.mark.parametrize(("moved", "text"), [(0, "the same counts"), (3, "more than 3")])
def test_fig6_says_how_much_newtons_counts_move(data, moved, text):
    grid, fits = data(optimizer=["newton"], alpha=[1.5])
    grid["capacity"] = 50 + moved * (grid.kappa == 2) + 0 * grid.capacity
    assert text in fig6.plot(grid, fits).axes[0].texts[0].get_text()


def test_spectrum_divides_by_the_powers_of_the_lemma(data):
    grid, fits = data()
    drawn = spectrum.plot(grid, fits)
    values = at(grid, optimizer="gd")
    names = {"bulk_singular_value": 1, "mean_inverse_singular_value": -1}
    for axes, (name, sign) in zip(drawn.axes[1:], names.items(), strict=True):
        for alpha, line in zip((1.5, 2.0), bars(axes), strict=True):
            mean = values[name].sel(alpha=alpha).mean("seed") * values.d ** (sign * alpha)
            np.testing.assert_allclose(line[0].get_ydata(), mean)
            fit = fits.exponent.sel(quantity=name, fit="largest", alpha=alpha, optimizer="gd")
            written = line.get_label().replace("\N{MINUS SIGN}", "-")
            assert f"{fit.sel(kappa=0).item():.2f}" in written
    assert len(bars(drawn.axes[0])) == 6
    slopes = [line for line in drawn.axes[0].lines if line.get_color() == "0.75"]
    for alpha, line in zip((1.5, 2.0), slopes, strict=True):
        assert np.diff(np.log2(line.get_ydata())) == pytest.approx(-alpha)


def test_loss_shows_losses_against_counts_and_the_worst_over_log_n(data):
    grid, fits = data(optimizer=["gd", "muon"])
    drawn = loss.plot(grid, fits)
    above, below = drawn.axes[0], drawn.axes[2]
    one = at(grid, alpha=1.5).mean("seed")
    points = [[line[0].get_xdata()[0], line[0].get_ydata()[0]] for line in bars(above)]
    wanted = [one.capacity.values.ravel(), one.best_loss.values.ravel()]
    np.testing.assert_allclose(points, np.transpose(wanted))
    bound = above.lines[0]
    np.testing.assert_allclose(bound.get_ydata(), bound.get_xdata() ** -0.5)
    levels = np.reshape([line[0].get_ydata()[0] for line in bars(below)], (2, 2, 3))
    wanted = xr.concat([one.worst_item_loss, one.best_worst_item_loss], "rate")
    wanted = wanted.transpose("optimizer", "rate", "d") / np.log(SETTINGS["n_items"])
    np.testing.assert_allclose(levels, wanted)


def test_real_words_shows_the_table_its_tail_and_what_is_recalled(data):
    grid, fits = data(alpha=[1.5])
    drawn = real_words.plot(grid, fits)
    words, tail = drawn.axes[0].lines
    p = words.get_ydata()
    assert p[0] / p[-1] == pytest.approx(SETTINGS["n_items"] ** 1.5)
    ranks = np.array(tail.get_xdata())
    assert 100 <= ranks[0] < 105
    np.testing.assert_allclose(tail.get_ydata(), p[0] * ranks**-1.5)
    for axes, name in zip(drawn.axes[1:], ("capacity", "recovered_mass"), strict=True):
        for optimizer, line in zip(FAMILIES, bars(axes), strict=True):
            mean = at(grid, optimizer=optimizer)[name].mean("seed").squeeze()
            np.testing.assert_allclose(line[0].get_ydata(), mean)
    assert "theory 0.33" in bars(drawn.axes[1])[0].get_label()


def test_real_words_without_a_table_shows_the_power_law(data):
    grid, fits = data(alpha=[1.5])
    grid = grid.assign_attrs(provenance='{"configuration": {"n_items": 50, "frequencies": null}}')
    (line,) = real_words.plot(grid, fits).axes[0].lines
    assert line.get_ydata()[0] / line.get_ydata()[-1] == pytest.approx(50**1.5)


@pytest.mark.parametrize(("figure", "axes", "lines"), [(fig6, 0, 2), (real_words, 1, 3)])
def test_the_prediction_can_be_left_out(data, figure, axes, lines):
    both = [len(figure.plot(*data(), finite_size=f).axes[axes].lines) for f in (True, False)]
    assert both[0] - both[1] == lines
