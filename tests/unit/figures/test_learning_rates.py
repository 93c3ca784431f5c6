"""What was measured against the learning rate: optimizers that differ in its scale are one line."""

import numpy as np
import pytest

from spectral_capacity.figures import curves
from spectral_capacity.figures.parts import common, families, looks
from tests.unit.figures import data
from tests.unit.figures.test_curves import legend, points


def rated(names, scales, power=0.5):
    """A grid of these optimizers, equal but for the scale of the learning rate."""
    grid = data.synthetic(optimizer=names, alpha=[1.5])
    rates = [{"scale": s, "d_power": power, "schedule": "constant"} for s in scales]
    rules = [
        {"rule": name.partition("_")[0], "learning_rate": r}
        for name, r in zip(names, rates, strict=True)
    ]
    return data.described(grid, definitions=dict(zip(names, rules, strict=True)))


def test_learning_rates_of_one_optimizer_are_one_line():
    grid = rated(["gd_4", "gd_1", "muon"], [4.0, 1.0, 2.0])
    figure = curves.plot(grid, data.fitted(grid), x="learning_rate", y="loss")
    for d, axes in zip((16, 32, 64), figure.axes, strict=True):
        gd, muon = points(axes)
        np.testing.assert_allclose(gd[:, 0], [d**0.5, 4 * d**0.5])
        loss = grid.loss.sel(d=d).mean("seed").squeeze()
        np.testing.assert_allclose(gd[:, 1], loss.sel(optimizer=["gd_1", "gd_4"]))
        np.testing.assert_allclose(muon, [[2 * d**0.5, loss.sel(optimizer="muon").item()]])
    assert legend(figure)[:2] == ["GD", "Muon"]


def test_optimizers_that_differ_in_more_than_the_scale_are_lines_of_their_own():
    grid = rated(["gd_1", "gd_4"], [1.0, 4.0])
    other = rated(["gd_9"], [9.0], power=0.0)
    definitions = definitions_of(grid) | definitions_of(other)
    both = merged(data.described(data.synthetic(optimizer=[*definitions]), definitions=definitions))
    assert both.optimizer.values.tolist() == ["gd", "gd_9"]
    np.testing.assert_allclose(
        both.learning_rate.sel(optimizer="gd_9", d=64, alpha=1.5), [9, np.nan]
    )


def merged(grid):
    return families.by_learning_rate(grid, families.families(grid))


FAMILIES = [
    ({"gd_1": "constant", "gd_4": "constant", "gd": "growing"}, {"gd_1 gd_4": 2, "gd": 1}),
    ({"gd": "growing", "gd_1": "constant", "gd_4": "constant"}, {"gd": 1, "gd_1 gd_4": 2}),
    (
        {"gd_1": "constant", "gd_2": "growing", "gd_4": "constant", "gd_8": "growing"},
        {"gd_1 gd_4": 2, "gd_2 gd_8": 2},
    ),
    ({"gd": "constant", "gd_4": "constant", "gd_x": "growing"}, {"gd": 2, "gd_x": 1}),
    ({"muon": "constant", "gd": "growing", "muon_4": "growing"}, {"muon": 1, "gd muon_4": 2}),
]
"""Schedules of optimizers of one rule by their names, and the number of rates of each family."""


@pytest.mark.parametrize(("schedules", "expected"), FAMILIES)
def test_no_optimizer_is_lost_among_families(schedules, expected):
    grid = scheduled(schedules)
    found = merged(grid)
    rates = np.isfinite(found.learning_rate.sel(alpha=1.5, d=64)).sum("rate")
    assert dict(zip(found.optimizer.values.tolist(), rates.values, strict=True)) == expected
    assert found.loss.notnull().sum() == grid.loss.size
    figure = curves.plot(grid, data.fitted(grid), x="learning_rate", lines="optimizer", d=[64])
    assert len(points(figure.axes[0])) == len(set(legend(figure)[: len(expected)])) == len(expected)


def scheduled(schedules):
    """A grid of optimizers of one rule with rates 1, 2, … and these schedules."""
    definitions = {
        name: {"rule": "gd", "learning_rate": {"scale": i + 1.0, "d_power": 0.5, "schedule": each}}
        for i, (name, each) in enumerate(schedules.items())
    }
    grid = data.synthetic(optimizer=[*schedules], alpha=[1.5])
    return data.described(grid, definitions=definitions)


def test_a_family_looks_as_its_first_member_and_is_called_by_all():
    given = {
        "gd_1": {"place": 5, "colour": "crimson", "label": None},
        "gd_4": {"place": 2, "colour": None, "label": None},
        "muon": {"place": 1, "colour": None, "label": "mine"},
    }
    with looks.optimizers(given):
        figure, colour = drawn_at_rates(["gd_4", "gd_1", "muon"], [4.0, 1.0, 2.0])
        assert legend(figure)[:2] == ["GD", "mine"]
        assert colour == "crimson"
    with looks.optimizers({"gd_4": {"label": "fast GD"}}):
        figure, _ = drawn_at_rates(["gd_4", "gd_1", "muon"], [4.0, 1.0, 2.0])
        assert legend(figure)[:2] == ["GD (1), fast GD", "Muon"]


def drawn_at_rates(names, scales):
    """Optimizers equal but for the scale, and the colour of the first line."""
    grid = rated(names, scales)
    figure = curves.plot(grid, data.fitted(grid), x="learning_rate", lines="optimizer", d=[64])
    return figure, figure.axes[0].containers[0][0].get_color()


def test_without_a_common_word_a_family_has_its_members_labels():
    grid = rated(["gd_1", "gd_4"], [1.0, 4.0])
    fits = data.fitted(grid)
    definitions = dict(zip(("slow", "fast"), definitions_of(grid).values(), strict=True))
    named = data.described(grid.assign_coords(optimizer=["slow", "fast"]), definitions=definitions)
    figure = curves.plot(named, fits, x="learning_rate", lines="optimizer", d=[64])
    assert legend(figure)[0] == "slow, fast"
    with looks.optimizers({"fast": {"label": "η = 4"}}):
        figure = curves.plot(named, fits, x="learning_rate", lines="optimizer", d=[64])
    assert legend(figure)[0] == "slow, η = 4"


def definitions_of(grid):
    return common.configuration(grid)["definitions"]


def test_the_note_tells_the_optimizers_that_are_in_no_line():
    grid = rated(["gd_1", "gd_4", "muon"], [1.0, 4.0, 2.0])
    fits = data.fitted(grid)
    figure = curves.plot(grid, fits, x="learning_rate", lines="d", panels="alpha")
    assert figure.left_out == "Shown: optimizer = GD (1), GD (4) of GD (1), GD (4), Muon"
    figure = curves.plot(grid, fits, x="learning_rate", optimizers=["gd_4", "muon"])
    assert figure.left_out == "Shown: optimizer = GD (4), Muon of GD (1), GD (4), Muon"
    assert curves.plot(grid, fits, x="learning_rate").left_out is None
