"""Rules for how every figure looks: letters, sizes, contrast, colours, bars, and what is not shown."""

import itertools
import re
from string import ascii_lowercase

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgba, to_rgba_array

from spectral_capacity.figures.parts import looks
from spectral_capacity.figures.parts.common import PAGE
from spectral_capacity.figures.parts.panels import LETTER
from tests.unit.figures import data
from tests.unit.figures.test_contract import PATHS, every_figure, literals

MORE = {
    "memory": ({"kappa": (0.0, 2.0)}, r"$\kappa$ = 2", r"$\kappa$ = 0 of 0, 2", r"\kappa"),
    "incontext": (
        {"iteration": (64, 128, 512, 1024)},
        "iteration = 64",
        " of 64, 128, 512, 1024",
        "iteration",
    ),
}
"""Of each kind, more values of a dimension, and what then stands in a legend or is said to be left out, if it
is not what an axis is of."""
PLACES = re.compile(r"\b(left|right|Left|Right|Middle|Above|Below|in the middle)\b")


@pytest.fixture
def drawn(figure):
    return data.drawn(figure)


def letters(axes):
    return [text for text in axes.texts if text.get_gid() == LETTER]


def seen(figure):
    """Texts that are drawn."""
    found = figure.findobj(lambda artist: hasattr(artist, "get_fontsize") and artist.get_visible())
    return [text for text in found if text.get_text().strip()]


def entries(figure):
    """(text, artist) of every legend of a figure, and of every line of points with a name."""
    legends = [*figure.legends, *filter(None, (axes.get_legend() for axes in figure.axes))]
    for legend in legends:
        texts = [text.get_text() for text in legend.get_texts()]
        yield from zip(texts, legend.legend_handles, strict=True)
    for container in (c for axes in figure.axes for c in data.bars(axes)):
        yield container.get_label(), container[0]


@every_figure
def test_panels_have_letters_outside_of_their_top_left_corner(drawn):
    found = [letters(axes) for axes in drawn.axes]
    if len(drawn.axes) == 1:
        assert found == [[]]
        return
    assert [one.get_text() for (one,) in found] == list(ascii_lowercase[: len(found)])
    for axes, (one,) in zip(drawn.axes, found, strict=True):
        frame, box = axes.get_window_extent(), one.get_window_extent()
        assert one.get_fontweight() == "bold"
        assert box.x1 <= frame.x0 + 1
        assert box.y0 >= frame.y1


@every_figure
def test_captions_name_panels_by_their_letters(figure, drawn):
    caption, _ = literals(PATHS[figure.__name__.rpartition(".")[2]])
    assert not PLACES.search(caption)
    there = {text.get_text() for axes in drawn.axes for text in letters(axes)}
    assert {*re.findall(r"\*\*(\w)\*\*", caption)} <= there


@every_figure
def test_text_is_large_enough_and_figures_fit_a_paper(drawn):
    assert min(text.get_fontsize() for text in seen(drawn)) >= 7
    box = drawn.get_tightbbox()
    assert box.width <= PAGE + 0.01
    for legend in drawn.legends:
        assert legend.get_window_extent().width <= drawn.bbox.width


@every_figure
def test_a_percent_sign_stands_apart_from_its_number(drawn):
    for text in seen(drawn):
        assert not re.search(r"\d%", text.get_text()), text.get_text()


@every_figure
def test_letters_titles_and_axis_labels_stand_clear_of_each_other(drawn):
    texts = [axes.title for axes in drawn.axes]
    texts += [text for axes in drawn.axes for text in letters(axes)]
    texts += [axis.label for axes in drawn.axes for axis in (axes.xaxis, axes.yaxis)]
    texts = [text for text in texts if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent().padded(-1) for text in texts]
    for (one, first), (other, second) in itertools.combinations(zip(texts, boxes, strict=True), 2):
        assert not first.overlaps(second), (one.get_text(), other.get_text())


@every_figure
def test_lines_markers_and_text_are_dark_enough_on_white(drawn):
    colours = {text.get_color() for text in seen(drawn)}
    for line in (line for axes in drawn.axes for line in axes.lines):
        if line.get_linestyle() != "None" or line.get_marker() != "None":
            colours.add(line.get_color())
    for colour in colours:
        assert looks.contrast(np.array(to_rgba(colour))) >= looks.CONTRAST, colour


@every_figure
def test_what_is_in_a_legend_looks_as_everywhere(figure, drawn):
    of_memories = figure.KIND == "memory"
    styles = {f"$d$ = {d}": looks.d_style(d) for d in (16, 32, 64, 128) if of_memories}
    styles |= {rf"$\alpha$ = {a:g}": looks.alpha_style(a) for a in (1.5, 2.0)}
    for name, batches in itertools.product(data.FAMILIES, (False, True)):
        styles[looks.label(name, minibatches=batches)] = looks.optimizer_style(name)
    for text, handle in entries(drawn):
        name = re.split(r"[:,]", text)[0]
        if name not in styles:
            continue
        (colour,) = to_rgba_array(handle.get_color())
        if tuple(colour) == to_rgba("0.35"):
            continue  # a marker that lines of several colours have
        assert tuple(colour) == to_rgba(styles[name]["color"]), text
        marker = handle.get_marker() if hasattr(handle, "get_marker") else ""
        assert marker in ("None", "", None, ".", styles[name]["marker"]), text


@every_figure
def test_bars_say_what_they_are(drawn):
    lengths = [
        np.ptp(ends)
        for axes in drawn.axes
        for container in data.bars(axes)
        for ends in data.ends(container)
    ]
    said = " ".join(" ".join(text.split()) for text, _ in entries(drawn))
    if np.nansum(lengths) > 0:
        whose = "range over seeds|95 % interval over resampled seeds|two standard errors"
        assert re.search(f"bars.*: ({whose})", said)


@every_figure
def test_one_seed_has_no_range_to_speak_of(figure):
    one = figure.plot(*data.needed(figure, seed=(0,)))
    assert "range over seeds" not in " ".join(text for text, _ in entries(one))


@every_figure
def test_what_is_not_shown_is_said(figure):
    if "polar" in figure.NEEDS:
        pytest.skip("no other spectral exponents among these")
    more, in_legend, in_note, on_axis = MORE[figure.KIND]
    drawn = figure.plot(*data.needed(figure, **more))
    shown = any(in_legend in text for text, _ in entries(drawn))
    shown |= any(on_axis in axes.get_xlabel() for axes in drawn.axes)
    assert shown or in_note in drawn.left_out
    if drawn.left_out:
        written = " ".join(data.texts(drawn)).replace("\n", " ")
        assert drawn.left_out in written


def test_colours_are_those_of_the_style_and_not_of_a_place():
    """No figure numbers optimizers, d or α to colour them."""
    folder = next(iter(PATHS.values())).parent
    for path in folder.rglob("*.py"):
        if path.stem != "looks":
            assert not re.search(r"f\"C\{|\"C\d\"", path.read_text()), path


def test_an_unknown_optimizer_keeps_its_look_too():
    style = looks.optimizer_style("mine")
    assert style == looks.optimizer_style("mine")
    assert style["color"] in {f"C{i}" for i in range(len(matplotlib.rcParams["axes.prop_cycle"]))}
