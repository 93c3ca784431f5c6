"""What every figure promises; a new one is found by its module."""

import ast
import importlib
import itertools
from pathlib import Path

import docutils.core
import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection, LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import spectral_capacity.figures as room
from spectral_capacity.analysis.tables import STATISTICS
from spectral_capacity.config.figure_modules import figure_modules
from spectral_capacity.figures.parts.panels import LETTER
from spectral_capacity.figures.parts.zeros import MARKS
from spectral_capacity.kinds.registry import KINDS
from spectral_capacity.results.fits import SHOWN
from spectral_capacity.results.picture_metadata import UNDATED
from tests.unit.figures import data
from tests.unit.figures.transformers import METRICS

PATHS = {p.stem: p for p in sorted(Path(room.__path__[0]).glob("*.py")) if p.stem != "__init__"}
FIGURES = [pytest.param(importlib.import_module(f"{room.__name__}.{n}"), id=n) for n in PATHS]
every_figure = pytest.mark.parametrize("figure", FIGURES)


def literals(path):
    """Docstring and constants of a module, as the configuration reads them, without an import."""
    figure = figure_modules(KINDS)[path.stem]
    return figure.caption, {"KIND": figure.kind, "SHOWS": figure.shows, "NEEDS": figure.needs}


@pytest.mark.parametrize("name", PATHS)
def test_what_the_configuration_reads_are_literals(name):
    _, found = literals(PATHS[name])
    assert isinstance(found["KIND"], str)
    shows = found["SHOWS"]
    if isinstance(shows, dict):
        assert len(shows) > 1
        assert {*map(type, itertools.chain(*shows.items()))} == {str}
    else:
        assert isinstance(shows, str | None)
    needs = found["NEEDS"]
    assert isinstance(needs, tuple)
    assert "population" in needs or shows is None or found["KIND"] != "memory"
    kind = KINDS[found["KIND"]]
    assert set(needs) <= {*kind.needs, *kind.joint_needs}
    assert len(set(needs)) == len(needs)


@pytest.mark.parametrize("name", PATHS)
def test_the_docstring_is_a_caption(name):
    caption, _ = literals(PATHS[name])
    first, _, _ = caption.partition("\n\n")
    assert first.endswith(".")
    assert ". " not in first
    assert "\n" not in first
    assert ":sup:" not in first  # a table of figures may be no RST
    docutils.core.publish_doctree(caption, settings_overrides={"halt_level": 1})


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_no_figure_imports_another(path):
    modules = {n.module for n in ast.walk(ast.parse(path.read_text())) if hasattr(n, "module")}
    assert not modules & {room.__name__, *(f"{room.__name__}.{name}" for name in PATHS)}


def in_row(figure, axes):
    """Axes of the same row of panels."""
    first = axes.get_subplotspec().rowspan.start
    return [a for a in figure.axes if a.get_subplotspec().rowspan.start == first]


def check_labels(figure):
    for axes in figure.axes:
        below = axes.get_shared_x_axes().get_siblings(axes)
        assert any(other.get_xlabel() for other in below)
        assert any(other.get_ylabel() for other in in_row(figure, axes))


def check_clear(figure):
    """Legends cover neither axes nor points, and no text inside reaches the title."""
    frames = [axes.get_tightbbox() for axes in figure.axes]
    for legend in figure.legends:
        assert not any(legend.get_window_extent().overlaps(frame) for frame in frames)
    for axes in figure.axes:
        if legend := axes.get_legend():
            box = legend.get_window_extent()
            assert box.width < axes.get_window_extent().width
            for container in data.bars(axes):
                points = axes.transData.transform(container[0].get_xydata())
                assert not box.count_contains(points)
        for text in axes.texts if axes.get_title() else []:
            if text.get_gid() == LETTER:
                continue
            assert text.get_window_extent().y1 < axes.title.get_window_extent().y0


@every_figure
def test_a_figure_is_labelled_and_nothing_covers_anything(figure):
    drawn = data.drawn(figure)
    assert isinstance(drawn, Figure)
    check_labels(drawn)
    check_clear(drawn)


@every_figure
def test_predictions_at_this_size_can_be_left_out(figure):
    drawn = figure.plot(*data.needed(figure), finite_size=False)
    text = " ".join(data.texts(drawn))
    assert "predict" not in text
    assert "ceiling" not in text


@pytest.mark.slow
@every_figure
@pytest.mark.filterwarnings("error")
def test_one_alpha_and_optimizer_are_enough_and_give_equal_files(figure, tmp_path):
    only = {"optimizer": ("muon",)}
    if "polar" in figure.NEEDS:
        only = {"definitions": {"muon": data.MAPS["muon"]}}
    paths = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for path in paths:
        drawn = figure.plot(*data.needed(figure, alpha=(1.5,), **only))
        drawn.set_layout_engine("none")  # which takes longest
        drawn.savefig(path, metadata=UNDATED[".svg"])  # as common.save, which lays out before
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert "nan" not in " ".join(data.texts(drawn))


def seen(figure):
    """All texts, lines and bars of a figure."""
    lines = figure.findobj(Line2D)
    bars = [path for c in figure.findobj(LineCollection) for path in c.get_segments()]
    return data.texts(figure), [line.get_xydata() for line in lines] + bars


@every_figure
def test_no_other_fit_of_an_exponent_is_shown(figure):
    """So that an exponent and its interval are the same in all figures."""
    grid, fits = data.needed(figure)
    several = isinstance(fits, list)
    if figure.KIND != "memory" or "fit" not in (fits[0] if several else fits):
        pytest.skip("has no fits")
    spoilt = [spoil(each) for each in (fits if several else [fits])]
    texts, lines = seen(figure.plot(grid, fits))
    other_texts, other_lines = seen(figure.plot(grid, spoilt if several else spoilt[0]))
    assert other_texts == texts
    for one, other in zip(lines, other_lines, strict=True):
        np.testing.assert_array_equal(one, other)


def spoil(fits):
    """Numbers of fits that are not shown, and errors that are not those over seeds, turned into nonsense."""
    unseen = {"ci_low", "ci_high", "stderr", "z", "points"}
    changed = {
        name: fits[name].where((fits.fit == SHOWN) & (name not in unseen), 9.87)
        for name in STATISTICS
        if name != "theory"
    }
    return fits.assign(changed)


@every_figure
def test_bars_and_bands_say_what_they_are(figure):
    drawn = data.drawn(figure)
    texts = data.texts(drawn)
    if any(data.bars(axes) for axes in drawn.axes):
        assert any("bars" in text for text in texts)
    if drawn.findobj(FillBetweenPolyCollection):
        assert any("band" in text or "log" in text for text in texts)


@every_figure
def test_seeds_without_a_recovered_item_are_spoken_of(figure):
    """Where they have no place: on logarithmic axes of counts."""
    grid, fits = data.needed(figure)
    if figure.KIND != "memory":
        pytest.skip("has no counts")
    several = isinstance(grid, list)
    grids = grid if several else [grid]
    base = grids[0].optimizer == "muon" if "polar" in figure.NEEDS else False  # of ratios
    zeros = [each.assign(capacity=each.capacity.where((each.seed > 0) | base, 0)) for each in grids]
    drawn = figure.plot(zeros if several else zeros[0], fits)
    marked = [line for axes in drawn.axes for line in axes.lines if line.get_gid() in MARKS]
    said = [text for text in data.texts(drawn) if text.startswith("at the edge")]
    assert bool(marked) == bool(said)
    assert bool(marked) == (figure.__name__.rpartition(".")[2] in WITH_COUNTS)
    assert not any(text.startswith("at the edge") for text in data.texts(figure.plot(grid, fits)))


WITH_COUNTS = {"fig1b", "fig2", "fig3", "fig6", "curves", "loss", "resolution"}
WITH_COUNTS |= {"real_words", "real_embeddings"}
WITH_COUNTS |= {"fig4a", "fig4b", "fig4c", "fig4abc", "fig4d", "fig5a", "fig5b", "thresholded"}
"""Figures with a logarithmic axis of counts."""


@pytest.mark.slow
@every_figure
@pytest.mark.filterwarnings("error")
def test_one_d_and_seed_are_enough(figure):
    draw(figure.plot(*data.needed(figure, d=(64,), seed=(0,))))


@pytest.mark.slow
@every_figure
@pytest.mark.filterwarnings("error", "ignore:Data has no positive values")
def test_nothing_recovered_is_drawn_too(figure):
    draw(figure.plot(*nothing(*data.needed(figure))))


def nothing(grid, fits):
    """The same with no items recovered, and all fits missing."""
    if isinstance(grid, list):
        return [list(x) for x in zip(*map(nothing, grid, fits), strict=True)]
    recalled = ("capacity", "recovered_mass", *METRICS)
    counts = {name: 0 * grid[name] for name in recalled if name in grid}
    if fits is None:
        return grid.assign(counts), None
    numbers = [name for name, values in fits.items() if values.dtype == float]
    return grid.assign(counts), fits.assign({name: fits[name] * np.nan for name in numbers})


def draw(figure):
    """Without looking for a layout, which takes longest; what is missing is nowhere written."""
    figure.set_layout_engine("none")
    figure.draw_without_rendering()
    assert "nan" not in " ".join(data.texts(figure))
