"""The rule of the verdicts, and that a run too small to decide has none."""

import math

import numpy as np
import pytest

from spectral_capacity.analysis import verdicts
from spectral_capacity.analysis.claims import check
from spectral_capacity.analysis.claims_file import FitClaim
from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_MEASURED,
    SUPPORTED,
    TOO_SMALL,
)
from tests.unit.test_claims import CLAIM
from tests.unit.test_fits import SETTINGS, grid


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.25, 1.35, SUPPORTED),
        (1.1, 1.5, SUPPORTED),
        (1.05, 1.35, INCONCLUSIVE),
        (1.25, 1.6, INCONCLUSIVE),
        (0.5, 2.5, INCONCLUSIVE),
        (1.51, 1.6, CONTRADICTED),
        (0.9, 1.09, CONTRADICTED),
        (math.nan, math.nan, INCONCLUSIVE),
    ],
)
def test_the_rule(low, high, expected):
    assert verdicts.verdict(low, high, *verdicts.band("equal", 1.3, 0.2)) == expected


@pytest.mark.parametrize(
    ("relation", "low", "high", "expected"),
    [
        ("at_most", 0.1, 0.2, SUPPORTED),
        ("at_most", 1.4, 1.6, INCONCLUSIVE),
        ("at_most", 1.6, 1.7, CONTRADICTED),
        ("at_least", 3.0, 4.0, SUPPORTED),
        ("at_least", 1.0, 1.2, INCONCLUSIVE),
        ("at_least", 0.1, 1.0, CONTRADICTED),
    ],
)
def test_one_sided_claims(relation, low, high, expected):
    assert verdicts.verdict(low, high, *verdicts.band(relation, 1.3, 0.2)) == expected


def test_one_verdict_for_several_lines():
    assert verdicts.overall([SUPPORTED, SUPPORTED]) == SUPPORTED
    assert verdicts.overall([SUPPORTED, INCONCLUSIVE]) == INCONCLUSIVE
    assert verdicts.overall([SUPPORTED, INCONCLUSIVE, CONTRADICTED]) == CONTRADICTED
    assert verdicts.overall([TOO_SMALL, TOO_SMALL]) == TOO_SMALL
    assert verdicts.overall([TOO_SMALL, SUPPORTED]) == INCONCLUSIVE
    assert verdicts.overall([TOO_SMALL, CONTRADICTED]) == CONTRADICTED


def rows_at(d, exponent=4 / 3, **changes):
    """Rows of a claim that Muon's count grows like d^(4/3), where it grows like d^exponent."""

    def capacity(optimizer, alpha, d):
        return 2 * d[:, None] ** exponent * np.linspace(0.99, 1.01, 4)

    fits = fit_exponents(grid(capacity, d=np.array(d)), SETTINGS)
    return check([FitClaim(**CLAIM | changes)], {"one_step": fits})


@pytest.mark.parametrize("exponent", [4 / 3, 1.9])
@pytest.mark.parametrize("d", [[8, 16], [8, 16, 32], [128, 256], [256]])
def test_too_few_or_too_small_dimensions_decide_nothing(d, exponent):
    rows = rows_at(d, exponent)
    assert rows.verdict.tolist() == rows.claim_verdict.tolist() == [TOO_SMALL]
    assert rows.largest_d.tolist() == [d[-1]]
    assert rows.fitted.tolist() == [len(d)]


@pytest.mark.parametrize(("exponent", "expected"), [(4 / 3, SUPPORTED), (1.9, CONTRADICTED)])
def test_three_dimensions_up_to_64_decide(exponent, expected):
    assert rows_at([16, 32, 64], exponent).verdict.tolist() == [expected]


LEVEL = {"statistic": "level", "fit": None, "log_powers": None, "relation": "at_least"}


@pytest.mark.parametrize(("d", "expected"), [([128], SUPPORTED), ([16], TOO_SMALL)])
def test_a_level_needs_one_dimension_if_it_is_large(d, expected):
    rows = rows_at(d, **LEVEL, predicted=1.0, tolerance=0.1)
    assert rows.verdict.tolist() == [expected]
    assert rows.fitted.isna().all()


def test_dimensions_at_which_a_run_diverged_do_not_count():
    def capacity(optimizer, alpha, d):
        return np.where(d[:, None] > 32, np.nan, 2.0 * d[:, None] ** (4 / 3)) * np.ones(2)

    fits = fit_exponents(grid(capacity, d=np.array([8, 16, 32, 64, 128])), SETTINGS)
    rows = check([FitClaim(**CLAIM)], {"one_step": fits})
    assert rows.verdict.tolist() == [TOO_SMALL]
    assert rows.largest_d.tolist() == [32]


def test_where_nothing_was_measured_there_is_no_verdict():
    fits = fit_exponents(grid(lambda o, a, d: d[:, None] * np.full(2, np.nan)), SETTINGS)
    assert check([FitClaim(**CLAIM)], {"one_step": fits}).verdict.tolist() == [NOT_MEASURED]


def test_lines_of_one_theory_are_pooled():
    """Each line alone is known to 0.1, too little at a tolerance of 0.08; all of them together decide."""
    errors = np.full(5, 0.05)
    near, far = np.array([0.04, -0.05, 0.02, 0.0, -0.01]), np.array([0.2, 0.3, 0.25, 0.15, 0.2])
    assert verdicts.pooled(near[:1], errors[:1], 15.0, "equal", 0.08) == INCONCLUSIVE
    assert verdicts.pooled(near, errors, 75.0, "equal", 0.08) == SUPPORTED
    assert verdicts.pooled(far, errors, 75.0, "equal", 0.08) == CONTRADICTED
    assert verdicts.pooled(far, errors, 75.0, "at_least", 0.08) == SUPPORTED
    nothing = np.full(2, np.nan)
    assert verdicts.pooled(nothing, nothing, 1.0, "equal", 0.08) == INCONCLUSIVE
    with_nothing = np.append(near, np.nan), np.append(errors, 0.1)
    assert verdicts.pooled(*with_nothing, 75.0, "equal", 0.08) == SUPPORTED


@pytest.mark.parametrize(
    ("relation", "agreeing"), [("equal", [1.5]), ("at_least", [1.5, 1.7]), ("at_most", [1.2, 1.5])]
)
def test_what_a_prediction_continued_may_say(relation, agreeing):
    said = [c for c in (1.2, 1.5, 1.7) if verdicts.agrees(c, relation, 1.51)]
    assert said == agreeing


def test_many_lines_do_not_contradict_by_luck():
    assert verdicts.holm([0.01, 0.04, math.nan, 0.5]) == pytest.approx(
        [0.03, 0.08, math.nan, 0.5], nan_ok=True
    )
    assert verdicts.p_value(1.2, 0.05, 0.9, 1.1, 9.0) == pytest.approx(0.0756, abs=1e-3)
    assert verdicts.p_value(1.0, 0.05, 0.9, 1.1, 9.0) == 1
    assert math.isnan(verdicts.p_value(1.0, math.nan, 0.9, 1.1, 9.0))
