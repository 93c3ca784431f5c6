"""What the figure of measured over predicted counts shows."""

import numpy as np

from spectral_capacity.figures import measured_over_predicted as figure
from tests.unit.figures import data

D = (64, 128)


def drawn(factor):
    """The figure where counts are the prediction, one where there is none, times ``factor``."""
    grid, fits = data.measured(d=D, step=range(1, 5))
    capacity = fits.predicted_capacity.fillna(1) * factor * (0 * grid.seed + 1)
    grid = grid.assign(capacity=capacity.transpose(*grid.capacity.dims))
    roles = len(figure.SHOWS)
    return figure.plot([grid] * roles, [fits] * roles), grid, fits


def test_points_are_measured_over_predicted():
    picture, grid, fits = drawn(1.02)
    assert picture.axes[0].get_title() == "GD, one step\n1.020 ± 0.000"
    for axes in picture.axes:
        points = np.concatenate([one[0].get_ydata() for one in data.bars(axes)])
        np.testing.assert_allclose(points[np.isfinite(points)], 1.02)
    one_step = data.bars(picture.axes[0])
    assert len(one_step) == grid.alpha.size
    names = " ".join(data.texts(picture))
    assert "2 steps" in names  # exact Muon from d = 128 on
    assert "1 step" not in names
    known = fits.predicted_capacity.sel(optimizer="muon", step=2, alpha=1.5, d=64).item()
    assert np.isnan(known)
    muon = next(axes for axes in picture.axes if "exact" in axes.get_title())
    assert np.isnan(data.bars(muon)[0][0].get_ydata()[0])


def test_bars_are_two_standard_errors():
    grid, _ = data.measured(d=D, step=range(1, 5))
    picture, *_ = drawn(1 + 0.01 * grid.seed)
    (low, high), *_ = data.ends(data.bars(picture.axes[0])[0])
    assert np.isclose(high - low, 4 * 0.01 / np.sqrt(3))
    assert "1.010 ± 0.006" in picture.axes[0].get_title()
    assert any("two standard errors" in text for text in data.texts(picture))


def test_points_beyond_the_axes_are_arrows():
    picture, *_ = drawn(3.0)
    assert data.lines(picture.axes[0], marker="^", clip_on=False)
    picture, *_ = drawn(1.0)
    assert not data.lines(picture.axes[0], clip_on=False)


def test_without_predictions_nothing_is_drawn():
    grid, fits = data.measured(d=D, step=range(1, 5))
    fits = fits.assign(predicted_capacity=fits.predicted_capacity * np.nan)
    roles = len(figure.SHOWS)
    assert not data.bars(figure.plot([grid] * roles, [fits] * roles).axes[0])
