"""Claims about several steps, batches and lines."""

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis import claims
from spectral_capacity.analysis.claims_file import FitClaim
from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_MEASURED,
    SUPPORTED,
    TOO_SMALL,
)
from spectral_capacity.report.claims_page import to_html
from tests.unit.test_claims import CLAIM
from tests.unit.test_fits import SETTINGS, D, grid
from tests.unit.test_fits_of_many_steps import SIZES, batches, run


def over_steps(exponent, made=5, **changes):
    """Rows of a claim about a run whose capacity grows like d^exponent(t)."""

    def capacity(optimizer, alpha, d, b, t):
        return 2 * d ** xr.DataArray([exponent(int(step)) for step in t], t.coords)

    fits = fit_exponents(run(capacity, made, seeds=4, noise=0.005), SETTINGS)
    claim = FitClaim(**CLAIM | {"steps": [2, 3, 4]} | changes)
    return claims.check([claim], {"one_step": fits})


@pytest.mark.parametrize("predicted", ["theory", "muon"])
def test_a_claim_about_several_steps_has_a_row_for_each(predicted):
    rows = over_steps(lambda t: 2 - (2 / 3) ** t, predicted=predicted)
    assert rows.step.tolist() == [2, 3, 4]
    np.testing.assert_allclose(rows.predicted, [2 - (2 / 3) ** t for t in (2, 3, 4)])
    assert rows.claim_verdict.unique() == [SUPPORTED]
    page = to_html(rows)
    assert '<th scope="col">t</th>' in page
    assert "<td>0</td><td>4</td>" in page  # κ and t


def test_a_step_at_which_a_claim_fails_contradicts_it():
    rows = over_steps(lambda t: 1.4)
    assert rows.verdict.tolist() == [SUPPORTED, CONTRADICTED, CONTRADICTED]
    assert rows.claim_verdict.unique() == [CONTRADICTED]


def test_steps_that_were_not_run_have_no_row():
    assert over_steps(lambda t: 2 - (2 / 3) ** t, made=3).step.tolist() == [2, 3]
    rows = over_steps(lambda t: 2 - (2 / 3) ** t, made=1)
    assert rows.verdict.tolist() == [NOT_MEASURED]


@pytest.mark.parametrize(("exponent", "expected"), [(1.95, SUPPORTED), (1.5, CONTRADICTED)])
def test_a_claim_about_the_end_of_a_run(exponent, expected):
    changes = {"quantity": "peak_capacity", "steps": "last", "predicted": 2.0}
    rows = over_steps(lambda t: exponent, **changes)
    assert rows.step.tolist() == [5]
    assert rows.verdict.tolist() == [expected]


@pytest.mark.parametrize(("per_step", "expected"), [(1.0, SUPPORTED), (0.5, CONTRADICTED)])
def test_a_claim_about_the_number_of_samples(per_step, expected):
    g = run(batches(per_step), 4, seeds=4, sizes=SIZES, noise=0.05, d=D[1:3])
    plain = {k: v for k, v in CLAIM.items() if k not in ("fit", "log_powers")}
    changes = {"quantity": "information_steps", "steps": "last", "tolerance": 0.1}
    fits = fit_exponents(g, SETTINGS | {"bootstrap": 100})
    rows = claims.check([FitClaim(**plain | changes)], {"one_step": fits})
    assert rows.verdict.tolist() == [expected]
    assert "number of steps, at fixed batch sizes" in to_html(rows)


LEVEL = {k: v for k, v in CLAIM.items() if k not in ("fit", "log_powers")} | {
    "quantity": "capacity_to_seen",
    "statistic": "level",
    "predicted": 1.0,
    "tolerance": 0.05,
}


def test_a_claim_about_batches_has_a_row_for_each():
    g = run(batches(1.0), 2, seeds=4, sizes=SIZES, noise=0.01, d=D[1:3])
    g["items_seen"] = g.capacity * xr.where(g.batch_size == 16, 2.0, 1.01)
    fits = fit_exponents(g, SETTINGS | {"bootstrap": 100})
    claim = FitClaim(**LEVEL | {"batch_sizes": [4, 16, 5], "steps": "last"})
    rows = claims.check([claim], {"one_step": fits})
    assert rows.batch_size.tolist() == [4, 16]  # nobody ran 5
    assert rows.verdict.tolist() == [SUPPORTED, CONTRADICTED]


def test_a_claim_may_say_from_which_d_on_it_can_be_decided():
    fits = fit_exponents(grid(lambda o, a, d: d[:, None] * np.ones(4)), SETTINGS)
    asked = [FitClaim(**LEVEL | {"from_d": d}) for d in (512, 1024)]
    assert [claims.check([claim], {"one_step": fits}).verdict.item() for claim in asked] == [
        SUPPORTED,
        TOO_SMALL,
    ]


def test_lines_that_luck_alone_contradicts_are_inconclusive(monkeypatch):
    """Ten lines, of which one is beyond what is allowed by two standard deviations."""
    lines = [{"measured": 1.0, "verdict": SUPPORTED, "p": 1.0} for _ in range(9)]
    lines.append({"measured": 1.3, "verdict": CONTRADICTED, "p": 0.04})
    run_of = xr.Dataset(coords={"optimizer": FitClaim(**LEVEL).optimizers})
    monkeypatch.setitem(claims.LINES, FitClaim, lambda claim, fits: iter(lines))
    found = claims.check([FitClaim(**LEVEL)], {"one_step": run_of})
    assert found.verdict.tolist() == [SUPPORTED] * 9 + [INCONCLUSIVE]
    assert found.p.iloc[-1] == pytest.approx(0.4)
    lines[-1]["p"] = 0.001
    found = claims.check([FitClaim(**LEVEL)], {"one_step": run_of})
    assert found.claim_verdict.unique() == [CONTRADICTED]
