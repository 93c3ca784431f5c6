"""The figure of what memories take back and forget."""

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.figures import forgetting
from spectral_capacity.results.schema import Status
from spectral_capacity.theory.predictions import expected_maximum
from tests.unit.figures import data

RATE = {"scale": 2.0, "d_power": 0.5, "schedule": "constant"}
COSINE = -0.3


def experiment(gradient, cosine, d, steps=6):
    """Runs whose every direction has this cosine with the memory before it, and their made-up fits."""
    grid = data.synthetic(optimizer=["muon"], alpha=[1.5], d=d, step=range(1, steps + 1))
    variance = [1.0]
    for _ in range(steps - 1):
        variance.append(variance[-1] + 1 + 2 * cosine * np.sqrt(variance[-1]))
    variance = xr.DataArray(variance, {"step": grid.step})
    eta = 2 * np.sqrt(grid.d)
    noise = eta * np.sqrt(variance / grid.d) + 0 * grid.capacity
    grid = grid.assign(logit_noise=noise.transpose(*grid.capacity.dims))
    definitions = {"muon": {"learning_rate": RATE}}
    grid = data.described(grid, gradient=gradient, definitions=definitions)
    noise = grid.logit_noise.isel(seed=0, drop=True)
    head = grid.head_recall.mean("seed")
    predicted = {"predicted_logit_noise": 1.1 * noise, "predicted_head_recall": 0.9 * head}
    return grid, xr.Dataset(predicted).assign(family=("optimizer", ["muon"])), variance


@pytest.fixture
def three():
    return [
        experiment("exact", COSINE, [16, 32, 64]),
        experiment("exact", 0.0, [32, 64]),
        experiment("thresholded", 0.7, [32, 64], steps=8),
    ]


def plot(three, **options):
    grids, fits, _ = zip(*three, strict=True)
    return forgetting.plot(list(grids), list(fits), **options)


def panels(figure):
    return np.reshape(figure.axes, (4, 3)).T


def measured(axes, d=2):
    """Curves of the means, a row per d; guides and predictions have no filled markers."""
    found = [
        line.get_ydata()
        for line in axes.lines
        if line.get_linestyle() == "-" and line.get_marker() not in ("None", "")
    ]
    assert len(found) == d
    return np.array(found)


def test_rows_are_variance_cosine_head_and_items_lost(three):
    for (grid, _, variance), column in zip(three, panels(plot(three)), strict=True):
        first = grid.sel(d=[32, 64], step=grid.step[:6]).squeeze()
        np.testing.assert_allclose(measured(column[0]), np.tile(variance[:6], (2, 1)))
        lost = (first.forgotten / (first.forgotten + first.capacity)).mean("seed")
        head = first.head_recall.mean("seed").transpose("d", "step")
        np.testing.assert_allclose(measured(column[2]), head)
        np.testing.assert_allclose(measured(column[3]), lost.transpose("d", "step"))
    for cosine, column in zip((COSINE, 0.0, 0.7), panels(plot(three)), strict=True):
        found = measured(column[1])
        assert np.isnan(found[:, 0]).all()
        np.testing.assert_allclose(found[:, 1:], cosine, atol=1e-12)


def test_columns_say_gradient_and_rate_and_what_is_left_out(three):
    figure = plot(three)
    titles = [column[0].get_title() for column in panels(figure)]
    assert titles == [rf"{kind} gradient,{chr(10)}$\eta$ = 2$\sqrt{{d}}$" for kind in KINDS]
    assert (
        figure.left_out == "Shown: $d$ = 32, 64 of 16, 32, 64; $t$ = 1, 2, 3, 4, 5, 6 of 1, 2, …, 8"
    )


KINDS = ("exact", "exact", "thresholded")


def test_what_is_predicted_is_open_and_the_level_where_competitors_overtake_dotted(three):
    figure = plot(three)
    for (_, fits, variance), column in zip(three, panels(figure), strict=True):
        opens = [data.lines(axes, markerfacecolor="none") for axes in column]
        assert [*map(len, opens)] == [2, 2, 2, 0]
        for line in opens[0]:
            np.testing.assert_allclose(line.get_ydata(), 1.1**2 * variance[:6])
        heads = fits.predicted_head_recall.sel(d=[32, 64]).squeeze().transpose("d", "step")
        np.testing.assert_allclose([line.get_ydata() for line in opens[2]], heads[:, :6])
        levels = [line.get_ydata()[0] for line in data.lines(column[0], linestyle=":")]
        thresholded = "thresholded" in column[0].get_title()
        expected = np.array([32, 64]) / expected_maximum(data.N - 1) ** 2
        np.testing.assert_allclose(levels, expected if thresholded else [])
    bare = plot(three, finite_size=False)
    for column in panels(bare):
        assert not any(data.lines(axes, markerfacecolor="none") for axes in column)
        assert not data.lines(column[0], linestyle=":")
    assert not any("competitors overtake" in text for text in data.texts(bare))


def test_a_growing_rate_has_no_cosine_and_other_d_are_all_shown(three):
    grid, fits, variance = experiment("exact", 0.2, [128])
    growing = {"muon": {"learning_rate": RATE | {"schedule": "growing"}}}
    three[1] = data.described(grid, definitions=growing), fits, variance
    columns = panels(plot(three))
    assert np.isnan(measured(columns[1][1], d=1)).all()
    assert [len(measured(column[0], d)) for column, d in zip(columns, (3, 1, 2), strict=True)] == [
        3,
        1,
        2,
    ]


def test_a_seed_that_ends_leaves_no_mean(three):
    grid, fits, variance = three[0]
    gone = (grid.step > 3) & (grid.seed == 1)
    names = ("capacity", "logit_noise", "head_recall", "forgotten")
    ended = grid.assign({name: grid[name].where(~gone) for name in names})
    three[0] = (
        ended.assign(status=grid.status.where(~gone, np.int8(Status.NOT_RUN))),
        fits,
        variance,
    )
    for axes in panels(plot(three))[0]:
        lines = [y for y in (line.get_ydata() for line in axes.lines) if len(y) == 6]
        assert any(np.isnan(y[3:]).all() and np.isfinite(y[1:3]).all() for y in lines)
