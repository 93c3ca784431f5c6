"""Figure 4d: where runs of many steps end, by how their learning rate changes."""

import numpy as np

from spectral_capacity.figures import fig4d
from spectral_capacity.results.schema import Status
from tests.unit.figures import data


def test_fig4d_shows_peaks_of_constant_rates_and_ends_of_decaying_ones():
    grid = data.synthetic(step=range(1, 13), alpha=[1.5], optimizer=["muon", "muon_linear", "gd"])
    grid = data.ended(grid, 7, Status.NOT_RUN, optimizer="muon", d=32, seed=1)
    schedules = {"muon": "constant", "muon_linear": "linear", "gd": "constant"}
    rates = {n: {"learning_rate": data.CONSTANT | {"schedule": s}} for n, s in schedules.items()}
    grid, fits = data.described(grid, definitions=rates), data.fitted(grid)
    counts = grid.capacity.squeeze()
    peaks, ends = counts.max("step").sel(optimizer="muon"), counts.isel(step=-1)
    ends = ends.sel(optimizer="muon_linear")
    assert (counts.sel(optimizer="muon_linear").max("step") > ends).any()
    for names in (["muon", "muon_linear"], ["muon"], ["muon_linear"]):
        here = {"optimizer": [*names, "gd"]}
        drawn = fig4d.plot(grid.sel(here), fits.sel(here))
        said = " ".join(data.texts(drawn))
        shown = iter(data.bars(drawn.axes[0]))
        for name, expected, quantity, text in (
            ("muon", peaks, "peak_capacity", "Muon, peak in 7–12 steps"),
            ("muon_linear", ends, "capacity", "Muon (linear), after 12 steps"),
        ):
            assert (text in said) == (name in names)
            if name in names:
                np.testing.assert_allclose(next(shown)[0].get_ydata(), expected.mean("seed"))
                fit = fits.sel(optimizer=name, quantity=quantity, fit="ols", step=12)
                assert f"{fit.exponent.item():.2f}" in said
        assert not [*shown]
        assert len(data.lines(drawn.axes[0], linestyle="-.")) == 1
        assert "slope of the theory" in said


def test_optimizers_of_several_alphas_are_told_apart_by_how_markers_are_filled():
    names = ("muon", "muon_slow")
    drawn = fig4d.plot(*data.measured(step=range(1, 5), optimizer=names))
    markers = [bars[0] for bars in data.bars(drawn.axes[0])]
    assert [marker.get_fillstyle() for marker in markers] == ["full"] * 2 + ["none"] * 2
    assert len({(m.get_color(), m.get_fillstyle()) for m in markers}) == 4
