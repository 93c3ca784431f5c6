"""The style of the figures."""

from pathlib import Path

import pytest

from spectral_capacity.figures.parts import common

STYLE = Path(__file__).parents[3] / "config/figures.mplstyle"


@pytest.fixture(autouse=True)
def style():
    with common.style(STYLE):
        yield
    common.plt.close("all")
