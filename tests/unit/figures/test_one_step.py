"""What the figures of one step on the population show."""

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.figures import fig1a, fig2, fig6, loss, real_words, spectrum
from spectral_capacity.figures.parts import curves, looks
from spectral_capacity.figures.parts.common import GUIDE
from spectral_capacity.results.fits import SHOWN
from tests.unit.figures import data

ALPHAS = (1.5, 2.0)


def at(grid, **where):
    return grid.sel({"kappa": 0.0, "step": 1, "batch_size": np.inf} | where).transpose(
        ..., "seed", missing_dims="ignore"
    )


def wide(**coordinates):
    """All optimizers, as one figure or another shows them."""
    wanted = {"optimizer": tuple(data.FAMILIES), "kappa": (0.0, 2.0), "d": (32, 64, 128)}
    return data.measured(**wanted | coordinates)


def test_fig1a_shows_fits_theory_and_prediction():
    _, fits = wide(d=(16, 32, 64, 128))
    drawn = fig1a.plot(*wide(d=(16, 32, 64, 128)))
    axes = drawn.axes[0]
    for optimizer, line in zip(data.FAMILIES, data.bars(axes), strict=True):
        one = at(fits, optimizer=optimizer, fit=SHOWN, quantity="capacity")
        np.testing.assert_allclose(line[0].get_ydata(), one.exponent)
        np.testing.assert_allclose(data.ends(line), np.stack([one.boot_low, one.boot_high], -1))
        assert list(line[0].get_xdata()) == list(ALPHAS)
    assert any(curves.over([16, 128]) in text for text in data.texts(drawn))
    gains = [1 / (2 * alpha) for alpha in ALPHAS]
    shown = [line.get_ydata() for line in data.lines(axes, color=GUIDE["color"])]
    np.testing.assert_allclose(shown, np.add([[0], [1], [1]], gains))
    assert len(data.lines(axes, linestyle=":")) == 3


@pytest.mark.parametrize("figure", [fig1a, fig2])
def test_theory_and_prediction_over_one_alpha_can_be_seen(figure):
    axes = figure.plot(*wide(alpha=(1.5,), optimizer=("muon",))).axes[-1]
    (theory,) = data.lines(axes, color=GUIDE["color"])
    assert np.ptp(theory.get_xdata()) > 0.05
    assert list(theory.get_ydata()) == pytest.approx([4 / 3] * 2)


@pytest.mark.slow
@pytest.mark.parametrize("figure", [fig1a, fig2, fig6, real_words])
def test_seven_optimizers_have_room(figure):
    names = ("gd", "muon", "newton", "gd_growing", "muon_slow", "muon_half", "newton_soft")
    drawn = figure.plot(*wide(optimizer=names))
    drawn.draw_without_rendering()
    for axes in drawn.axes:
        assert axes.get_window_extent().width > 0.85 * drawn.dpi
    text = " ".join(data.texts(drawn))
    assert all(looks.label(name) in text for name in names)


def test_fig2_shows_the_measured_means_the_fitted_exponents_and_the_theorys():
    grid, fits = (x.sel(optimizer=["gd", "muon"]) for x in wide())
    drawn = fig2.plot(grid, fits)
    for optimizer, panel in zip(("gd", "muon"), drawn.axes, strict=False):
        slopes = data.lines(panel, color=GUIDE["color"])
        for i, line in enumerate(data.bars(panel)):
            here = {"optimizer": optimizer, "alpha": ALPHAS[i]}
            mean = at(grid, **here).capacity.mean("seed")
            np.testing.assert_allclose(line[0].get_ydata(), mean)
            one = at(fits, quantity="capacity", fit=SHOWN, **here)
            label = f"{one.exponent.item():.2f} ({one.theory.item():.2f})"
            assert label in line.get_label()
            x, y = (np.log(ends) for ends in slopes[i].get_data())
            assert np.diff(y) / np.diff(x) == pytest.approx(one.theory.item())
            assert y.mean() == pytest.approx(np.log(mean).mean().item())
    without = fig2.plot(grid, fits, finite_size=False)
    count = [len(data.lines(figure.axes[0], linestyle=":")) for figure in (drawn, without)]
    assert count == [len(ALPHAS), 0]


def test_fig2_compares_optimizers_on_one_axis_and_one_scale():
    grid, fits = (x.sel(optimizer=["gd", "muon"]) for x in wide())
    first, second, third, fourth = fig2.plot(grid, fits).axes
    assert first.get_ylim() == second.get_ylim()
    assert np.diff(third.get_ylim()) == pytest.approx(np.diff(fourth.get_ylim()))
    for axes, optimizer in ((third, "gd"), (fourth, "muon")):
        one = at(fits, quantity="capacity", fit=SHOWN, optimizer=optimizer)
        (line,) = data.bars(axes)
        np.testing.assert_allclose(data.ends(line), np.stack([one.boot_low, one.boot_high], -1))
        assert line[0].get_color() == looks.optimizer_style(optimizer)["color"]


def test_fig6_shows_means_exponents_and_theory():
    grid, fits = wide()
    drawn = fig6.plot(grid, fits)
    rows = np.array(drawn.axes).reshape(2, 4)
    for alpha, row in zip(ALPHAS, rows, strict=True):
        for optimizer, axes in zip(data.FAMILIES, row, strict=False):
            here = {"optimizer": optimizer, "alpha": alpha}
            for kappa, line in zip((0.0, 2.0), data.bars(axes), strict=True):
                mean = at(grid, kappa=kappa, **here).capacity.mean("seed")
                np.testing.assert_allclose(line[0].get_ydata(), mean)
        for optimizer, line in zip(data.FAMILIES, data.bars(row[-1]), strict=True):
            one = fits.sel(quantity="capacity", fit=SHOWN, alpha=alpha, optimizer=optimizer)
            np.testing.assert_allclose(line[0].get_ydata(), one.exponent.squeeze())
            expected = np.stack([one.boot_low, one.boot_high], -1).squeeze()
            np.testing.assert_allclose(data.ends(line), expected)
        muon, newton = data.lines(row[-1], color=GUIDE["color"])
        top = 1 + 1 / (2 * alpha)
        assert list(np.take(muon.get_ydata(), [0, 50, 100])) == pytest.approx([top, top, 1])
        assert list(newton.get_ydata()) == pytest.approx([top] * 101)


@pytest.mark.parametrize(("moved", "text"), [(0, "the same counts"), (3, "more than 3")])
def test_fig6_says_how_much_newtons_counts_move(moved, text):
    grid, fits = (x.sel(optimizer=["newton"], alpha=[1.5]) for x in wide())
    grid = grid.assign(capacity=50 + moved * (grid.kappa == 2) + 0 * grid.capacity)
    assert text in fig6.plot(grid, fits).axes[0].texts[0].get_text()


def test_spectrum_divides_by_the_powers_of_the_lemma():
    grid, fits = wide()
    drawn = spectrum.plot(grid, fits)
    values = at(grid, optimizer="gd")
    texts = data.texts(drawn)
    names = {"bulk_singular_value": 1, "mean_inverse_singular_value": -1}
    for axes, (name, sign) in zip(drawn.axes[1:], names.items(), strict=True):
        for alpha, line in zip(ALPHAS, data.bars(axes), strict=True):
            over_seeds = values[name].sel(alpha=alpha)
            mean = over_seeds.mean("seed") if sign > 0 else over_seeds.median("seed")
            mean = mean * values.d ** (sign * alpha)
            np.testing.assert_allclose(line[0].get_ydata(), mean)
            fit = at(fits.exponent, quantity=name, fit=SHOWN, alpha=alpha, optimizer="gd")
            written = next(text for text in texts if rf"\alpha$ = {alpha:g}:" in text)
            assert f"{fit.item():.2f}" in written
    assert len(data.bars(drawn.axes[0])) == 6
    slopes = data.lines(drawn.axes[0], color=GUIDE["color"])
    for alpha, line in zip(ALPHAS, slopes, strict=True):
        assert np.diff(np.log2(line.get_ydata())) == pytest.approx(-alpha)


def test_loss_shows_losses_against_counts_and_the_worst_over_log_n():
    grid, fits = wide()
    drawn = loss.plot(grid, fits)
    above, _, below, _ = drawn.axes
    one = at(grid, alpha=1.5).mean("seed")
    points = [[line[0].get_xdata()[0], line[0].get_ydata()[0]] for line in data.bars(above)]
    wanted = [one.capacity.values.ravel(), one.best_loss.values.ravel()]
    np.testing.assert_allclose(points, np.transpose(wanted))
    bound, most = data.lines(above, color=GUIDE["color"])
    np.testing.assert_allclose(bound.get_ydata(), bound.get_xdata() ** -0.5)
    np.testing.assert_allclose(most.get_ydata(), np.log(data.N) * bound.get_ydata())
    levels = np.reshape([line[0].get_ydata() for line in data.bars(below)], (3, 2, 3))
    wanted = xr.concat([one.worst_item_loss, one.best_worst_item_loss], "rate")
    wanted = wanted.transpose("optimizer", "rate", "d") / np.log(data.N)
    np.testing.assert_allclose(levels, wanted)


def test_real_words_shows_the_table_its_tail_and_what_is_recalled():
    grid, fits = wide()
    drawn = real_words.plot(grid, fits)
    words, tail, *stored = drawn.axes[0].lines
    assert len(stored) == len(data.FAMILIES)
    p = words.get_ydata()
    assert p[0] / p[-1] == pytest.approx(data.N**1.5)
    ranks = np.array(tail.get_xdata())
    assert 100 <= ranks[0] < 105
    np.testing.assert_allclose(tail.get_ydata(), p[0] * ranks**-1.5)
    for axes, name in zip(drawn.axes[1:], ("capacity", "recovered_mass"), strict=True):
        for optimizer, line in zip(data.FAMILIES, data.bars(axes), strict=True):
            mean = at(grid, optimizer=optimizer, alpha=1.5)[name].mean("seed")
            np.testing.assert_allclose(line[0].get_ydata(), mean)


def test_real_words_has_the_theory_of_the_tail_where_counts_reach_it():
    """Those of gradient descent do not, those of the others at the two largest d."""
    grid, fits = wide()
    table = {"file": str(data.words()), "tail_from": 50}
    axes = real_words.plot(data.described(grid, frequencies=table), fits).axes[1]
    gd, *others = data.bars(axes)
    assert "theory" not in gd.get_label()
    assert all("theory 1.33" in one.get_label() for one in others)
    slopes = [line for line in axes.lines if line.get_gid() == real_words.THEORY]
    for one, slope in zip(others, slopes, strict=True):
        x, y = one[0].get_data()
        assert (y >= 50).tolist() == [False, True, True]
        assert slope.get_xdata() == pytest.approx(x[1:])
        assert np.diff(np.log(slope.get_ydata())) / np.log(2) == pytest.approx(4 / 3)


def test_real_words_without_a_table_shows_the_power_law():
    grid, fits = wide()
    grid = data.described(grid, n_items=50, frequencies=None)
    line, *_ = real_words.plot(grid, fits).axes[0].lines
    assert line.get_ydata()[0] / line.get_ydata()[-1] == pytest.approx(50**1.5)


@pytest.mark.parametrize("figure", [spectrum, loss])
@pytest.mark.filterwarnings("error")
def test_what_was_not_measured_is_left_out(figure):
    grid, fits = wide()
    lost = ("best_loss", "worst_item_loss", "bulk_singular_value")
    grid = grid.assign({name: grid[name] * np.nan for name in lost})
    fits = fits.assign(exponent=fits.exponent * np.nan, boot_low=fits.boot_low * np.nan)
    drawn = figure.plot(grid, fits)
    drawn.set_layout_engine("none")
    drawn.draw_without_rendering()
    assert "nan" not in " ".join(data.texts(drawn))
