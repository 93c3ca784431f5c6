"""What the figures of in-context recall show."""

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.chosen_rates import at_chosen_rates
from spectral_capacity.figures import (
    fig7,
    fig8a,
    fig8b,
    fig9a,
    fig9b,
    incontext_ladder,
    incontext_sensitivity,
)
from spectral_capacity.figures.parts import incontext, looks
from spectral_capacity.results.near_best import decades_near_best, rates_tried
from spectral_capacity.results.schema import Status
from spectral_capacity.sampling.frequencies import power_law
from tests.unit.figures import data, transformers
from tests.unit.figures.transformers import PAIRS, VOCABULARY

EVERY = [fig7, fig8a, fig8b, fig9a, fig9b, incontext_sensitivity]
OPTIMIZERS = ("muon", "adamw", "sgd")


@pytest.fixture
def grid():
    return transformers.measured()


def points(axes, color, marker):
    """Values of all runs that are drawn so, and whether each is open."""
    found = []
    for line in data.lines(axes, linestyle="None", marker=marker):
        if line.get_color() == color:
            is_open = line.get_markerfacecolor() == "white"
            found += [(y, is_open) for y in line.get_ydata()]
    return sorted(found)


def expected(runs):
    """The same of what was chosen: every run that has a value."""
    edge = runs.at_edge.broadcast_like(runs.value)
    both = zip(runs.value.values.ravel().tolist(), edge.values.ravel().tolist(), strict=True)
    return sorted((y, is_open) for y, is_open in both if np.isfinite(y))


def curves(axes, color):
    return [line for line in data.lines(axes, linestyle="-") if line.get_color() == color]


def check(axes, runs, x, style):
    """One curve: every run as a point, medians joined, gaps where a run is missing."""
    runs = runs.transpose(x, "seed")
    drawn = [p for p in points(axes, style["color"], style["marker"]) if np.isfinite(p[0])]
    assert drawn == expected(runs)
    (line,) = curves(axes, style["color"])
    np.testing.assert_allclose(line.get_ydata(), runs.value.median("seed", skipna=False))
    np.testing.assert_allclose(line.get_xdata(), runs[x], rtol=0.1)


def of(grid, outputs=0.0, triggers=0.0, **where):
    where |= {"alpha_outputs": outputs, "alpha_triggers": triggers}
    return grid.sortby("d").sel(where)


def test_fig7_shows_both_accuracies_after_two_iterations(grid):
    panels = fig7.plot(grid, None).axes
    titles = [f"{name} accuracy, iteration {t}" for name in ("ID", "OOD") for t in ("128", "1,024")]
    assert [axes.get_title() for axes in panels] == titles
    cases = [(m, t) for m in ("accuracy_id", "accuracy_ood") for t in (128, 1024)]
    for axes, (metric, time) in zip(panels, cases, strict=True):
        runs = at_chosen_rates(of(grid, batch_size=256), metric, time)
        # Without a configuration AdamW and SGD look alike.
        for name in ("muon",):
            check(axes, runs.sel(optimizer=name), "d", looks.optimizer_style(name))


def test_fig7_has_other_iterations_and_batch_sizes_if_told_to(grid):
    figure = fig7.plot(grid, None, iterations=[512], batch_size=16)
    assert [axes.get_title() for axes in figure.axes] == [
        "ID accuracy, iteration 512",
        "OOD accuracy, iteration 512",
    ]
    runs = at_chosen_rates(of(grid, batch_size=16), "accuracy_ood", 512).sel(optimizer="muon")
    check(figure.axes[1], runs, "d", looks.optimizer_style("muon"))
    assert "$B$ = 16 of 16, 64, 256" in figure.left_out


def test_fig7_takes_the_two_largest_iterations_where_the_papers_are_missing(grid):
    figure = fig7.plot(grid.sel(iteration=[128, 512], batch_size=[64, 16]), None)
    times = [axes.get_title().rpartition(" ")[2] for axes in figure.axes]
    assert times == ["128", "512"] * 2
    assert "$B$ = 64 of" in figure.left_out


@pytest.mark.parametrize(("figure", "metric"), [(fig8a, "accuracy_ood"), (fig8b, "memory_recall")])
def test_fig8_shows_a_metric_against_the_batch_size(grid, figure, metric):
    drawn = figure.plot(grid, None)
    runs = at_chosen_rates(of(grid), metric, 1024)
    assert [axes.get_title() for axes in drawn.axes] == [*map(looks.label, OPTIMIZERS)]
    for axes, name in zip(drawn.axes, OPTIMIZERS, strict=True):
        for d, look in zip((16, 32, 64), looks.ordered(3), strict=True):
            check(axes, runs.sel(optimizer=name, d=d), "batch_size", look)
    assert "iteration = 1024 of 128, 512, 1024" in drawn.left_out
    other = figure.plot(grid, None, iteration=128).axes[0]
    first = at_chosen_rates(of(grid), metric, 128).sel(optimizer="muon", d=64)
    check(other, first, "batch_size", looks.ordered(3)[2])


@pytest.mark.parametrize(("figure", "varied"), [(fig9a, "outputs"), (fig9b, "triggers")])
def test_fig9_varies_one_law_and_keeps_the_other_uniform(grid, figure, varied):
    drawn = figure.plot(grid, None)
    for axes, name in zip(drawn.axes, OPTIMIZERS, strict=True):
        for alpha, look in zip((0.0, 2.0), looks.ordered(2), strict=True):
            here = of(grid, **{varied: alpha}, batch_size=256)
            runs = at_chosen_rates(here, "accuracy_ood", 512).sel(optimizer=name)
            check(axes, runs, "d", look)
    text = " ".join(data.texts(drawn))
    assert rf"$\alpha_{varied[0]}$ = 2" in text
    assert "$B$ = 256, iteration 512" in text


def test_fig9_leaves_out_pairs_that_are_uniform_in_neither(grid):
    about = grid.provenance.replace('"exponents": [', '"exponents": [[1.0, 1.0], ')
    laws = {dim: [0.0, 1.0, 2.0] for dim in ("alpha_triggers", "alpha_outputs")}
    more = grid.reindex(laws, fill_value={"status": Status.NOT_RUN})
    drawn = fig9a.plot(more.assign_attrs(provenance=about), None)
    text = " ".join(data.texts(drawn))
    assert r"$\alpha_o$ = 0, 2 of 0, 1, 2" in drawn.left_out
    assert r"$\alpha_o$ = 1" not in text


def test_the_run_that_chooses_is_not_drawn(grid):
    """Only what it chooses counts: the same order of its rates gives the same picture."""
    halved = grid.accuracy_ood.where(grid.seed != 0, grid.accuracy_ood / 2)
    other = grid.assign(accuracy_ood=halved)
    for figure in (fig8a, incontext_sensitivity):
        one, two = figure.plot(grid, None), figure.plot(other, None)
        for first, second in zip(one.axes, two.axes, strict=True):
            for line, same in zip(first.lines, second.lines, strict=True):
                np.testing.assert_array_equal(line.get_xydata(), same.get_xydata())


def test_a_diverged_run_is_a_cross_and_has_no_median(grid):
    axes = fig7.plot(grid, None).axes[-1]
    runs = at_chosen_rates(of(grid, batch_size=256), "accuracy_ood", 1024).sel(optimizer="sgd")
    assert (runs.status == Status.DIVERGED).values.sum() == 1
    color = looks.optimizer_style("sgd")["color"]
    crosses = [line.get_xydata() for line in data.lines(axes, marker="x")]
    ((x, y),) = np.concatenate(crosses)
    assert x == pytest.approx(32, rel=0.06)
    assert y == 0
    *_, line = curves(axes, color)
    assert np.isnan(line.get_ydata()).tolist() == [False, True, False]
    assert "a run diverges" in data.texts(axes.figure)
    fine = fig7.plot(grid.sel(d=[16, 64]), None)
    assert "a run diverges" not in data.texts(fine)


def test_a_rate_at_the_end_of_its_list_is_open_and_explained(grid):
    style = looks.ordered(3)[1].values()
    axes = fig8a.plot(grid, None).axes
    assert all(is_open for _, is_open in points(axes[1], *style))
    assert not any(is_open for _, is_open in points(axes[0], *style))
    text = "rate at an end of its list"
    assert text in data.texts(axes[0].figure)
    assert text not in data.texts(fig8a.plot(grid.sel(optimizer=["muon"]), None))
    stars = data.lines(incontext_sensitivity.plot(grid, None).axes[0], marker="*")
    assert {line.get_markerfacecolor() == "white" for line in stars} == {False, True}


def test_baselines_are_where_they_belong(grid):
    levels = {"--": 1 / PAIRS, ":": 1 / VOCABULARY}
    pair = incontext.first_laws(grid)
    assert pair.alpha_outputs == 0
    steep = grid.assign_attrs(
        provenance=grid.provenance.replace("[[0.0, 0.0], [0.0, 2.0]", "[[0.0, 2.0]")
    )
    panels = fig7.plot(steep, None).axes
    for axes in panels[:2]:
        (line,) = data.lines(axes, linestyle="-.")
        assert line.get_ydata()[0] == pytest.approx(power_law(VOCABULARY, 2.0)[0])
        assert not data.lines(axes, linestyle=":")
    for axes in (*panels[2:], *fig8a.plot(grid, None).axes, *fig9b.plot(grid, None).axes):
        for style, level in levels.items():
            assert [line.get_ydata()[0] for line in data.lines(axes, linestyle=style)] == [level]
    for axes in fig8b.plot(grid, None).axes:
        assert not data.lines(axes, linestyle="--")
        assert data.lines(axes, linestyle=":")


def test_the_sensitivity_has_every_rate_of_an_optimizer_and_says_its_decades(grid):
    figure = incontext_sensitivity.plot(grid, None, d=[16], iteration=128, batch_size=16)
    (axes,) = figure.axes
    here = of(grid, batch_size=16).sel(d=16)
    tried = rates_tried(here)
    rows = [text.get_text() for text in axes.get_legend().get_texts()]
    lines = [line for line in data.lines(axes, linestyle="-") if line.get_linewidth() < 5]
    for name, line, row in zip(OPTIMIZERS, lines, rows, strict=True):
        one = here.accuracy_ood.sel(optimizer=name, iteration=128, seed=[1, 2, 3])
        median = one.median("seed", skipna=False)
        rates = transformers.RATES[name]
        np.testing.assert_allclose(line.get_xdata(), rates)
        np.testing.assert_allclose(line.get_ydata(), median.sel(learning_rate=list(rates)))
        decades = decades_near_best(median, tried.sel(optimizer=name)).item()
        assert row == f"{looks.label(name)}: {decades:.1f}"
    assert axes.get_title() == "$d$ = 16"
    assert len(incontext_sensitivity.plot(grid, None).axes) == 3
    other = incontext_sensitivity.plot(grid, None, y="memory_recall").axes[0]
    assert other.get_ylabel() == "memory recall"


@pytest.mark.parametrize("figure", EVERY)
def test_what_the_experiment_does_not_have_cannot_be_asked_for(grid, figure):
    asked = {"iterations": [5]} if figure is fig7 else {"iteration": 5}
    with pytest.raises(
        ValueError, match="iteration: the experiment has no 5; it has 128, 512, 1024"
    ):
        figure.plot(grid, None, **asked)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("figure", EVERY)
def test_nothing_measured_is_drawn_too(grid, figure):
    nothing = {name: grid[name] * np.nan for name in transformers.METRICS}
    status = xr.full_like(grid.status, Status.NOT_RUN)
    drawn = figure.plot(grid.assign(nothing | {"status": status}), None)
    drawn.draw_without_rendering()
    assert "nan" not in " ".join(data.texts(drawn))


def test_one_run_has_no_median_to_speak_of(grid):
    assert "each run" in data.texts(fig8a.plot(grid.sel(seed=[0, 1]), None))
    assert "each run, and medians" in data.texts(fig8a.plot(grid, None))


def test_a_rung_of_the_ladder_shows_counts_and_the_spectrum_at_the_chosen_rates(grid):
    figure = incontext_ladder.plot([grid] * 4, [None] * 4, iteration=512)
    above, below = figure.axes[:2], figure.axes[2:4]  # two columns
    assert [axes.get_title() for axes in above] == [
        "One step: $B$ = 256",
        "Many steps: $B$ = 256, $t$ = 512",
    ]
    here = of(grid, batch_size=256)
    style = looks.optimizer_style("muon")
    for number, time in enumerate((1024, 512)):
        runs = at_chosen_rates(here, "memory_recall", time).sel(optimizer="muon")
        counts = VOCABULARY * runs.value.mean("seed").values
        np.testing.assert_allclose(bars(above[number], style["color"]), counts)
        spectrum = here.sel(optimizer="muon", iteration=time, seed=runs.seed)
        ratio = [
            spectrum.value_gradient_bulk.sel(d=d, learning_rate=runs.learning_rate.sel(d=d)).mean()
            for d in here.d
        ]
        np.testing.assert_allclose(bars(below[number], style["color"]), ratio)


def bars(axes, color):
    """Centres of the points with bars of this colour."""
    (container,) = [c for c in data.bars(axes) if c[0].get_color() == color]
    return container[0].get_ydata()
