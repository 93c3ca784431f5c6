from pathlib import Path

import numpy as np
import pytest

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.report import findings
from tests.unit.test_fits import SETTINGS, grid, power


@pytest.mark.parametrize("page", findings.PAGES)
def test_a_page_has_the_numbers_that_are_kept(page):
    text = Path(page).read_text()
    assert "<!-- table:" in text
    assert findings.written(text, findings.kept()) == text


def test_a_point_has_its_mean_over_seeds_and_its_prediction():
    data = grid(power(1.3, noise=0.1)).assign(
        recovered_mass=lambda g: g.capacity * 0.001, head_recall=lambda g: g.capacity * 0 + 1
    )
    fits = fit_exponents(data, SETTINGS)
    table = findings.points("mine", data, fits)
    assert table.experiment.unique() == ["mine"]
    assert table.d.tolist() == data.d.values.tolist()
    counts = data.capacity.squeeze().values
    np.testing.assert_allclose(table.capacity, counts.mean(axis=1))
    np.testing.assert_allclose(table.capacity_error, counts.std(axis=1, ddof=1) / 2)
    np.testing.assert_array_equal(table.predicted_capacity, fits.predicted_capacity.values.ravel())


def test_tables_that_nobody_writes_are_refused():
    with pytest.raises(ValueError, match="'mine' is not known; allowed: verdicts"):
        findings.written("<!-- table: mine -->\n<!-- end -->", {})
