"""What pages say of a claim and of its lines."""

import math

import pytest

from spectral_capacity.analysis.claims import COLUMNS
from spectral_capacity.analysis.claims_file import RECALL_QUANTITIES
from spectral_capacity.analysis.quantities import QUANTITIES
from spectral_capacity.report import words
from spectral_capacity.report.claim_lines import Line
from spectral_capacity.report.results import Result, headline, results
from spectral_capacity.report.templates import drawn
from tests.unit.report.results import LINE


def line(**changes):
    """Measured 1.5 [1.25, 1.75], predicted 1.25 ± 0.5."""
    return Line.of(dict.fromkeys(COLUMNS, math.nan) | LINE | {"verdict": "supported"} | changes)


def result(*lines, verdict="supported"):
    return Result("A", "a statement", "a source", "", verdict, lines)


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        ("equal", "predicted 1.25, allowed ± 0.50"),
        ("at_most", "predicted at most 1.25, allowed up to 1.75"),
        ("at_least", "predicted at least 1.25, allowed down to 0.75"),
    ],
)
def test_what_is_allowed(relation, expected):
    assert line(relation=relation).allowed.replace("\xa0", " ") == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "more than predicted; the interval lies inside"),
        ({"high": 2.0}, "more than predicted; the interval lies partly above"),
        ({"low": 1.8, "high": 2.0, "measured": 1.9}, "the interval lies wholly above"),
        ({"low": 0.1, "high": 2.0}, "the interval lies partly above and below"),
        (
            {"low": 0.1, "high": 0.2, "measured": 0.15},
            "less than predicted; the interval lies wholly below",
        ),
        ({"low": 0.1, "relation": "at_most"}, "the interval lies inside"),
        ({"high": 2.0, "relation": "at_least"}, "the interval lies inside"),
        ({"low": math.nan, "high": math.nan}, "more than predicted; there is no interval"),
        ({"measured": math.nan}, "Nothing could be fitted"),
    ],
)
def test_on_which_side_a_measurement_lies(changes, expected):
    assert expected in line(**changes).side


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "over the three largest d"),
        ({"fit": "ols", "fitted": 12.0}, "over all 12 d"),
        (
            {"fit": "", "fitted": 4.0, "statistic": "asymptote"},
            "of the prediction, with the trend over four d of measured over it",
        ),
        ({"fit": "", "fitted": math.nan}, ""),
    ],
)
def test_over_which_d_was_fitted(changes, expected):
    assert line(**changes).over == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"largest_d": 32}, "d goes to 32; a verdict needs 64"),
        ({"seeds": 3}, "3 seeds; a verdict needs 4"),
        ({"seeds": 4, "fitted": 2}, "fitted over 2 values of d; a verdict needs 3"),
        ({"seeds": 4}, "d goes to 256, where the claim cannot be decided yet"),
    ],
)
def test_what_a_small_run_lacks(changes, expected):
    assert line(**changes).shortage == expected


def test_what_was_not_measured_is_said_with_its_reason():
    row = dict.fromkeys(COLUMNS, math.nan) | dict.fromkeys(("claim", "statement", "source"), "A")
    row |= {"note": "", "claim_verdict": "supported"}
    missing = row | {"verdict": "not measured", "reason": "why"}
    (found,) = results([row | LINE | {"verdict": "supported"}, missing])
    assert found.missing == ("why",)
    assert len(found.lines) == 1


def test_where_the_allowed_deviation_is_from():
    assert line(tolerance=2 / math.log(256), log_powers=2.0).logarithms == "2/log 256"
    assert line(log_powers=math.nan).logarithms == ""
    assert line(tolerance=0.0, log_powers=0.0).logarithms == ""


def test_how_the_deciding_line_was_chosen():
    near, far = line(), line(alpha=2.0, measured=1.7)
    assert result(near).choice == ""
    assert result(near, far).choice == "the closest to failing of 2 measurements"
    assert result(near, far).where.replace("\xa0", " ") == "α = 2"
    bad = [line(alpha=alpha, verdict="contradicted") for alpha in (2.5, 3.0)]
    assert result(*bad).choice == "the farthest off of 2 measurements"
    assert result(near, bad[0]).choice == "the one contradicted among 2 measurements"
    assert result(near, *bad).choice == "the farthest off of 2 contradicted among 3 measurements"


def test_what_is_measured_has_words():
    known = QUANTITIES.keys() | {*RECALL_QUANTITIES}
    assert words.QUANTITIES.keys() <= known  # one of yours is called by its long name
    assert line(quantity="worst_to_uniform", statistic="level").what.startswith("the worst item's")
    assert line(quantity="information").what.startswith("exponent in the batch size")


@pytest.mark.parametrize(
    ("changes", "left", "right", "dot"),
    [
        ({}, False, False, True),
        ({"high": 9.0}, False, True, True),
        ({"measured": -5.0, "low": -5.5, "high": 1.0}, True, False, False),
        ({"measured": 9.0, "low": math.nan, "high": math.nan}, False, True, False),
    ],
)
def test_what_lies_beyond_a_strip_is_an_arrowhead(changes, left, right, dot):
    at = drawn(line(**changes))
    assert (at["left"], at["right"], at["measured"] is not None) == (left, right, dot)


def test_the_headline_is_of_the_experiment_with_most_exponents_of_one_step():
    muon, gd = line(), line(optimizer="gd", alpha=2.0, statistic="asymptote", fit="")
    others = [
        line(experiment="other"),
        line(alpha=3.0, step=2.0),
        line(alpha=3.0, kappa=2.0),
        line(alpha=3.0, relation="at_most"),
        line(alpha=3.0, quantity="best_loss"),
    ]
    found = headline([result(*others), result(muon), result(gd)])
    assert found == {"muon": {1.5: muon}, "gd": {2.0: gd}}
    assert headline([result(line(verdict="too small"))]) == {}
