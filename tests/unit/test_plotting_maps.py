"""Figures of spectral maps: Newton–Schulz depth, and resolution."""

import numpy as np
import pytest

from spectral_capacity.analysis.iterations import depth_table
from spectral_capacity.figures import newton_schulz_depth, resolution
from spectral_capacity.figures.parts import common
from tests.unit.test_depth import DEFINITIONS, data, law, newton_schulz

FIGURES = [newton_schulz_depth, resolution]
RESOLUTIONS = {"soft_b": 1.0, "soft_a": 0.01, "soft_c": 100.0}
ALPHAS = (1.5, 2.0)


def soft(value, unit="bulk"):
    return {"map": {"name": "smoothed_polar", "resolution": value, "unit": unit}}


MAPS = {
    newton_schulz_depth: DEFINITIONS,
    resolution: {
        **DEFINITIONS,
        **{name: soft(value) for name, value in RESOLUTIONS.items()},
        "soft_theory": soft("theory"),
    },
}


def small(figure, **kwargs):
    """A grid where k, or −log λ, lifts the ratio."""
    definitions = kwargs.pop("definitions", MAPS[figure])
    g, fits = data(kwargs.pop("ratio", law), definitions, **kwargs)
    for name, value in RESOLUTIONS.items():
        if name in definitions:
            lost = 1 / (1 + np.sqrt(value))
            polar = g.capacity.sel(optimizer="muon").astype(float)
            g.capacity.loc[{"optimizer": name}] = (lost * polar).round().astype(int)
    return g, fits


@pytest.fixture(autouse=True)
def style():
    with common.style("config/figures.mplstyle"):
        yield
    common.plt.close("all")


@pytest.mark.parametrize("figure", FIGURES)
def test_files_are_equal_when_drawn_twice(tmp_path, figure):
    measured = small(figure)
    for run in "ab":
        common.save(figure.plot(*measured), [tmp_path / f"{run}.svg"])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("alphas", [(1.5,), ALPHAS, (1.25, 1.5, 2.0, 3.0)])
def test_axes_are_labelled_and_nothing_overlaps_the_legend(figure, alphas):
    drawn = figure.plot(*small(figure, alphas=alphas, seeds=2))
    drawn.canvas.draw()
    assert all(axes.get_xlabel() for axes in drawn.axes)
    assert drawn.axes[0].get_ylabel()
    titles = [axes.get_title() for axes in drawn.axes]
    assert titles[: len(alphas)] == [rf"$\alpha$ = {alpha:g}" for alpha in alphas]
    for legend in drawn.legends:
        for axes in drawn.axes:
            assert not legend.get_window_extent().overlaps(axes.get_tightbbox())


def test_depth_shows_ratios_and_required_iterations():
    def ratio(k, alpha, d, seed):
        return law(k, alpha, d, offset=0.5 + 0.1 * seed)

    g, fits = small(newton_schulz_depth, ratio=ratio, alphas=ALPHAS)
    drawn = newton_schulz_depth.plot(g, fits)
    for alpha, axes in zip(ALPHAS, drawn.axes, strict=False):
        for d, container in zip(g.d.values, axes.containers, strict=True):
            names = [f"ns_{k}" for k in (1, 3, 5, 7, 9)]
            one = g.capacity.sel(alpha=alpha, d=d).squeeze()
            expected = one.sel(optimizer=names) / one.sel(optimizer="muon")
            np.testing.assert_array_equal(container[0].get_xdata(), [1, 3, 5, 7, 9])
            np.testing.assert_allclose(container[0].get_ydata(), expected.mean("seed"))
            ends = np.array([s[:, 1] for s in container[2][0].get_segments()])
            np.testing.assert_allclose(
                ends, np.stack([expected.min("seed"), expected.max("seed")], 1)
            )
    table = depth_table(g, fits)
    for alpha, container in zip(ALPHAS, drawn.axes[2].containers, strict=True):
        one = table[table.alpha == alpha]
        np.testing.assert_allclose(container[0].get_ydata(), one.required)
        ends = np.array([s[:, 1] for s in container[2][0].get_segments()])
        np.testing.assert_allclose(ends, one[["low", "high"]])


def test_depth_marks_what_is_never_reached():
    g, fits = small(newton_schulz_depth, ratio=lambda k, alpha, d, seed: 6 * k / d)
    panel = newton_schulz_depth.plot(g, fits).axes[-1]
    (never,) = [line for line in panel.lines if line.get_marker() == "^"]
    assert never.get_xdata() == [64]
    assert panel.get_ylim()[0] < never.get_ydata()[0] < panel.get_ylim()[1]


def test_depth_tells_coefficients_apart():
    definitions = DEFINITIONS | {f"pe_{k}": newton_schulz("polar_express", k) for k in (1, 5)}
    drawn = newton_schulz_depth.plot(*small(newton_schulz_depth, definitions=definitions))
    texts = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert {"jordan", "polar express"} <= set(texts)
    assert texts.count("$d$ = 16") == 1


def test_resolution_shows_ratios_in_order_and_gradient_descent_at_the_end():
    g, fits = small(resolution)
    axes = resolution.plot(g, fits).axes[0]
    for d, (smooth, end) in zip(
        g.d.values, zip(axes.containers[::2], axes.containers[1::2], strict=True), strict=True
    ):
        np.testing.assert_array_equal(smooth[0].get_xdata(), [0.01, 1, 100])
        one = g.capacity.sel(d=d).squeeze()
        ratio = (one / one.sel(optimizer="muon")).mean("seed")
        expected = ratio.sel(optimizer=["soft_a", "soft_b", "soft_c"])
        np.testing.assert_allclose(smooth[0].get_ydata(), expected)
        np.testing.assert_allclose(end[0].get_ydata(), [ratio.sel(optimizer="gd")])
        assert end[0].get_xdata()[0] > 100
    assert "GD" in axes.get_xticklabels()[-1].get_text()


def test_absolute_resolutions_are_put_in_units_of_the_bulk():
    definitions = {"muon": {}, "soft": soft(0.125, "absolute")}
    axes = resolution.plot(*small(resolution, definitions=definitions)).axes[0]
    x = [container[0].get_xdata().item() for container in axes.containers[::2]]
    assert x == pytest.approx([0.125 * 16**1.5, 0.125 * 64**1.5])


@pytest.mark.parametrize("figure", FIGURES)
def test_predictions_are_shown_when_asked(figure):
    g, fits = small(figure)
    predicted = fits.predicted_capacity.squeeze()
    expected = (predicted / predicted.sel(optimizer="muon")).sel(d=16)
    names = {newton_schulz_depth: [f"ns_{k}" for k in (1, 3, 5, 7, 9)], resolution: [*"abc"]}
    names = [name if "_" in name else f"soft_{name}" for name in names[figure]]
    for finite_size in (True, False):
        axes = figure.plot(g, fits, finite_size=finite_size).axes[0]
        dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
        assert bool(dotted) == finite_size
        for line in dotted[:1]:
            np.testing.assert_allclose(line.get_ydata(), expected.sel(optimizer=names))


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize(
    "kwargs",
    [
        {"seeds": 1},
        {"d": np.array([16])},
        {"ratio": lambda k, alpha, d, seed: 0.0},
        {"definitions": {"muon": {}, "ns_5": newton_schulz("jordan", 5), "soft_b": soft(1.0)}},
        {"definitions": {"muon": {}, "gd": {}}},
    ],
)
def test_small_and_empty_grids_are_drawn_too(tmp_path, figure, kwargs):
    common.save(figure.plot(*small(figure, **kwargs)), [tmp_path / "f.svg"])


@pytest.mark.parametrize("figure", FIGURES)
def test_nothing_recovered_by_the_polar_map_is_drawn_too(tmp_path, figure):
    g, fits = small(figure)
    g.capacity[:] = 0
    common.save(figure.plot(g, fits), [tmp_path / "f.svg"])
