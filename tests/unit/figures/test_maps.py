"""What the figures of spectral maps show: Newton–Schulz depth and precision, and resolution."""

import numpy as np
import pytest

from spectral_capacity.analysis.iterations import depth_table
from spectral_capacity.figures import newton_schulz_depth, newton_schulz_precision, resolution
from spectral_capacity.theory.rounding import deepest, noise_level, wall
from tests.unit.figures import data

ALPHAS = (1.5, 2.0)
DEPTHS = (1, 3, 5, 7, 9)
SHOWN = {
    newton_schulz_depth: [f"ns_{k}" for k in DEPTHS],
    resolution: ["soft_a", "soft_b", "soft_c"],
}
FIGURES = [*SHOWN]


def test_depth_shows_ratios_and_required_iterations():
    def ratio(k, alpha, d, seed):
        return data.enough_iterations(k, alpha, d, seed) - 0.01 * seed

    grid, fits = data.maps(ratio)
    drawn = newton_schulz_depth.plot(grid, fits)
    for alpha, axes in zip(ALPHAS, drawn.axes, strict=False):
        for d, container in zip(grid.d.values, data.bars(axes), strict=True):
            one = grid.capacity.sel(alpha=alpha, d=d).squeeze()
            expected = one.sel(optimizer=SHOWN[newton_schulz_depth]) / one.sel(optimizer="muon")
            np.testing.assert_array_equal(container[0].get_xdata(), DEPTHS)
            np.testing.assert_allclose(container[0].get_ydata(), expected.mean("seed"))
            ranges = np.stack([expected.min("seed"), expected.max("seed")], 1)
            np.testing.assert_allclose(data.ends(container), ranges)
    table = depth_table(grid, fits)
    for alpha, container in zip(ALPHAS, data.bars(drawn.axes[2]), strict=True):
        one = table[table.alpha == alpha]
        np.testing.assert_allclose(container[0].get_ydata(), one.required)
        np.testing.assert_allclose(data.ends(container), one[["low", "high"]])


def test_depth_marks_what_is_never_reached():
    grid, fits = data.maps(lambda k, alpha, d, seed: 6 * k / d, alpha=(1.5,))
    panel = newton_schulz_depth.plot(grid, fits).axes[-1]
    (never,) = data.lines(panel, marker="^")
    assert never.get_xdata() == [64]
    assert panel.get_ylim()[0] < never.get_ydata()[0] < panel.get_ylim()[1]


def test_depth_tells_coefficients_apart():
    more = {f"pe_{k}": data.newton_schulz("polar_express", k) for k in (1, 5)}
    drawn = newton_schulz_depth.plot(*data.maps(definitions=data.MAPS | more))
    texts = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert {"jordan", "polar express"} <= set(texts)
    assert texts.count("$d$ = 16") == 1


def in_bfloat16(k):
    return {"map": data.newton_schulz("jordan", k)["map"] | {"precision": "bfloat16"}}


def test_precision_has_a_line_for_each_and_all_of_the_largest_depth_against_the_wall():
    more = {f"ns_{k}_low": in_bfloat16(k) for k in DEPTHS}
    grid, fits = data.maps(definitions=data.MAPS | more)
    drawn = newton_schulz_precision.plot(grid, fits)
    places = [(alpha, d) for alpha in ALPHAS for d in grid.d.values]
    for (alpha, d), axes in zip(places, drawn.axes, strict=False):
        one = grid.capacity.sel(alpha=alpha, d=d).squeeze()
        for names, container in zip(
            ([f"ns_{k}" for k in DEPTHS], [*more]), data.bars(axes), strict=True
        ):
            expected = (one.sel(optimizer=names) / one.sel(optimizer="muon")).mean("seed")
            np.testing.assert_array_equal(container[0].get_xdata(), DEPTHS)
            np.testing.assert_allclose(container[0].get_ydata(), expected)
        at = deepest(int(d), noise_level("bfloat16"), 3.4445)
        assert [line.get_xdata()[0] for line in axes.lines if line.get_xdata()[0] == at]
    shown = [container[0].get_xdata().item() for container in data.bars(drawn.axes[-1])]
    assert shown == [d / wall(alpha, noise_level("bfloat16")) for alpha, d in places]


def test_precision_without_a_lower_one_has_no_wall():
    drawn = newton_schulz_precision.plot(*data.maps())
    assert len(drawn.axes) == len(ALPHAS) * 2
    assert not any("law" in text for text in data.texts(drawn))


def test_resolution_shows_ratios_in_order_and_gradient_descent_at_the_end():
    grid, fits = data.maps()
    axes = resolution.plot(grid, fits).axes[0]
    pairs = zip(data.bars(axes)[::2], data.bars(axes)[1::2], strict=True)
    for d, (smooth, end) in zip(grid.d.values, pairs, strict=True):
        np.testing.assert_array_equal(smooth[0].get_xdata(), [0.01, 1, 100])
        one = grid.capacity.sel(d=d, alpha=1.5).squeeze()
        ratio = (one / one.sel(optimizer="muon")).mean("seed")
        np.testing.assert_allclose(smooth[0].get_ydata(), ratio.sel(optimizer=SHOWN[resolution]))
        np.testing.assert_allclose(end[0].get_ydata(), [ratio.sel(optimizer="gd")])
        assert end[0].get_xdata()[0] > 100
    assert "GD" in axes.get_xticklabels()[-1].get_text()


def test_absolute_resolutions_are_put_in_units_of_the_bulk():
    definitions = {"muon": data.MAPS["muon"], "soft": data.smoothed(0.125, "absolute")}
    axes = resolution.plot(*data.maps(definitions=definitions)).axes[0]
    x = [container[0].get_xdata().item() for container in data.bars(axes)[::2]]
    assert x == pytest.approx([0.125 * 16**1.5, 0.125 * 64**1.5])


@pytest.mark.parametrize("figure", FIGURES)
def test_predictions_are_ratios_too(figure):
    grid, fits = data.maps()
    predicted = fits.predicted_capacity.sel(alpha=1.5, d=16).squeeze()
    expected = predicted.sel(optimizer=SHOWN[figure]) / predicted.sel(optimizer="muon")
    dotted = data.lines(figure.plot(grid, fits).axes[0], linestyle=":")
    np.testing.assert_allclose(dotted[0].get_ydata(), expected)
    assert not data.lines(figure.plot(grid, fits, finite_size=False).axes[0], linestyle=":")


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("alphas", [(1.5,), (1.25, 1.5, 2.0, 3.0)])
def test_a_panel_for_every_alpha(figure, alphas):
    drawn = figure.plot(*data.maps(alpha=alphas))
    titles = [axes.get_title() for axes in drawn.axes]
    assert titles[: len(alphas)] == [rf"$\alpha$ = {alpha:g}" for alpha in alphas]
    drawn.draw_without_rendering()
    (legend,) = drawn.legends
    box = legend.get_window_extent()
    assert not any(box.overlaps(axes.get_tightbbox()) for axes in drawn.axes)


@pytest.mark.parametrize("figure", FIGURES)
def test_one_map_beside_the_polar_one_is_drawn_too(figure):
    names = ("muon", "ns_5", "soft_b")
    definitions = {name: data.MAPS[name] for name in names}
    drawn = figure.plot(*data.maps(definitions=definitions))
    drawn.set_layout_engine("none")
    drawn.draw_without_rendering()
