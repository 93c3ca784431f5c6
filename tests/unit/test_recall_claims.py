"""Claims about transformers: one optimizer against others, seed by seed."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from spectral_capacity.analysis.claims import check
from spectral_capacity.analysis.claims_file import RecallClaim
from spectral_capacity.analysis.recall_claims import median_interval
from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_MEASURED,
    SUPPORTED,
    TOO_SMALL,
)
from spectral_capacity.incontext.measured import DIMENSIONS
from spectral_capacity.report.claims_page import to_html
from spectral_capacity.results.schema import Status

CLAIM = {
    "id": "A",
    "statement": "Muon recalls more.",
    "source": "a figure",
    "experiment": "recall",
    "statistic": "advantage",
    "optimizer": "muon",
    "against": ["adamw"],
    "quantity": "accuracy_ood",
    "iteration": "last",
    "relation": "at_least",
    "predicted": 0.0,
    "tolerance": 0.05,
}
REPORTED = 6
LAWS = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]


def grid(
    values,
    *,
    reported=REPORTED,
    laws=LAWS,
    d=(16, 32),
    batches=(8, 16, 32),
    names=("muon", "adamw"),
):
    """values(optimizer, laws, d, batch, seed): accuracy at the last of two iterations; half of it at the first.
    Laws of the cross product that are not among ``laws`` were not run. There is one learning rate."""
    coordinates = {
        "optimizer": [*names],
        "alpha_triggers": sorted({triggers for triggers, _ in laws}),
        "alpha_outputs": sorted({outputs for _, outputs in laws}),
        "d": [*d],
        "batch_size": [*batches],
        "learning_rate": [0.1],
        "seed": [*range(reported + 1)],
        "iteration": [4, 8],
    }
    shape = tuple(map(len, coordinates.values()))
    accuracy, status = np.full(shape, np.nan), np.full(shape, Status.NOT_RUN)
    for at in np.ndindex(shape):
        o, t, q, width, batch, _, seed, iteration = (
            coordinates[name][i] for name, i in zip(coordinates, at, strict=True)
        )
        if [t, q] in [list(law) for law in laws]:
            value = values(o, (t, q), width, batch, seed)
            accuracy[at] = value * (1 if iteration == 8 else 0.5)
            status[at] = Status.DIVERGED if np.isnan(value) else Status.OK
    data = {"accuracy_ood": accuracy, "status": status.astype(np.int8)}
    return xr.Dataset({k: (tuple(DIMENSIONS), v) for k, v in data.items()}, coordinates)


def rows(values, claim=None, **changes):
    return check([RecallClaim(**CLAIM | (claim or {}))], {}, {"recall": grid(values, **changes)})


def better(by, noise=0.01):
    """Muon's accuracy is above AdamW's by this much, whatever else."""

    def values(optimizer, laws, d, batch, seed):
        wobble = noise * (-1) ** seed * (1 + seed / 10) * (optimizer == "muon")
        return 0.5 + by * (optimizer == "muon") + wobble

    return values


def test_an_advantage_is_the_median_of_differences_of_equal_seeds():
    def values(optimizer, laws, d, batch, seed):
        own = 0.1 * seed  # the same of both: seeds are compared with themselves
        return own + (0.05 * seed if optimizer == "muon" else 0.0)

    found = rows(values, laws=LAWS[:1], d=(16,))
    assert found.measured.item() == pytest.approx(0.05 * 3.5)  # seeds 1 … 6
    assert (found.low.item(), found.high.item()) == pytest.approx((0.05, 0.3))
    assert found.batch_size.item() == 32
    assert found.seeds.item() == REPORTED


@pytest.mark.parametrize(
    ("by", "verdict"),
    [(0.2, SUPPORTED), (0.0, SUPPORTED), (-0.05, INCONCLUSIVE), (-0.2, CONTRADICTED)],
)
def test_verdicts(by, verdict):
    assert rows(better(by)).claim_verdict.unique() == [verdict]


def test_a_row_for_each_other_optimizer_law_and_width():
    found = rows(
        better(0.1), {"against": ["adamw", "sgd", "not run"]}, names=("muon", "adamw", "sgd")
    )
    *_, missing = found.verdict
    assert missing == "not measured"
    found = found.iloc[:-1]
    assert len(found) == 2 * len(LAWS) * 2
    assert found.against.unique().tolist() == ["adamw", "sgd"]
    laws = found[["alpha_triggers", "alpha_outputs"]].drop_duplicates().values.tolist()
    assert sorted(laws) == sorted(LAWS)


def test_over_widths_it_is_the_mean_of_a_seed():
    def values(optimizer, laws, d, batch, seed):
        return (0.4 if d == 16 else 0.0) * (optimizer == "muon") + 0.1

    found = rows(values, {"widths": "mean"}, laws=LAWS[:1])
    assert found.measured.tolist() == pytest.approx([0.2])
    assert found.d.isna().all()


def test_the_first_iteration_has_a_claim_of_its_own():
    found = rows(better(0.2, noise=0), {"iteration": "first"})
    np.testing.assert_allclose(found.measured, 0.1)
    assert found.iteration.unique() == [4]


def test_few_seeds_decide_nothing_and_the_page_says_how_many_would():
    found = rows(better(0.2), reported=REPORTED - 1)
    assert found.verdict.unique() == [TOO_SMALL]
    assert found.measured.notna().all()


def test_a_diverged_run_leaves_its_line_open():
    def values(optimizer, laws, d, batch, seed):
        if (optimizer, d, seed) == ("muon", 32, 3):
            return np.nan
        return better(0.2)(optimizer, laws, d, batch, seed)

    found = rows(values, laws=LAWS[:1])
    assert found.verdict.tolist() == [SUPPORTED, INCONCLUSIVE]
    assert "A run has no such value, or diverged." in to_html(found)


def test_what_is_kept_is_compared_where_both_have_learnt():
    def values(optimizer, laws, d, batch, seed):
        if d == 16 and optimizer == "adamw":
            return 0.1  # never learns, and so loses nothing
        lost = {"muon": 0.1, "adamw": 0.4}[optimizer] * (laws != (0.0, 0.0))
        return 0.9 - lost + 0.001 * seed

    found = rows(values, {"statistic": "kept"})
    assert found.d.unique().tolist() == [32.0]
    assert len(found) == 2  # of laws that are not uniform
    np.testing.assert_allclose(found.measured, 0.3)


def test_what_is_kept_needs_uniform_laws():
    found = rows(better(0.3), {"statistic": "kept"}, laws=[[1.0, 1.0]])
    assert found.verdict.tolist() == [NOT_MEASURED]


SATURATING = {"statistic": "saturating_batch", "relation": "at_most", "predicted": 0.5}


def from_batch(**sizes):
    """Accuracy 0.95 from a batch size on, 0.1 below."""
    return lambda optimizer, laws, d, batch, seed: 0.95 if batch >= sizes[optimizer] else 0.1


@pytest.mark.parametrize(
    ("muon", "adamw", "ratio"),
    [
        (8, 16, 0.5),
        (16, 8, 2.0),
        (8, 32, 0.25),  # AdamW's best may be at a larger one still
        (8, 64, 0.25),  # AdamW has not learnt at any
        (32, 8, 4.0),  # Muon's is this or more
    ],
)
def test_batch_sizes_from_which_on_recall_is_as_good_as_it_gets(muon, adamw, ratio):
    found = rows(from_batch(muon=muon, adamw=adamw), SATURATING, laws=LAWS[:1])
    np.testing.assert_allclose(found.measured, ratio)
    assert found.claim_verdict.unique() == [SUPPORTED if ratio <= 0.5 else CONTRADICTED]


@pytest.mark.parametrize("sizes", [{"muon": 32, "adamw": 32}, {"muon": 64, "adamw": 64}])
def test_batches_that_are_all_too_small_measure_nothing(sizes):
    assert rows(from_batch(**sizes), SATURATING).verdict.tolist() == [NOT_MEASURED]


def test_a_width_at_which_a_seed_is_not_known_has_no_line():
    def values(optimizer, laws, d, batch, seed):
        muon = 32 if (d, seed) == (16, 3) else 8
        return 0.95 if batch >= (muon if optimizer == "muon" else 64) else 0.1

    assert rows(values, SATURATING, laws=LAWS[:1]).d.tolist() == [32.0]


def test_a_dip_at_a_larger_batch_is_no_saturation():
    def values(optimizer, laws, d, batch, seed):
        return 0.2 if (optimizer, batch) == ("muon", 16) else 0.95

    found = rows(values, SATURATING, laws=LAWS[:1])
    np.testing.assert_allclose(found.measured, 4.0)  # 32 or more against 8


def test_the_page_has_a_column_for_what_lines_differ_in():
    page = to_html(rows(better(0.2)))
    for heading in ("against", "α of triggers", "α of outputs", "d"):
        assert f'<th scope="col">{heading}</th>' in page
    for heading in ("κ", "B", "iteration", "prediction without a fit parameter", "largest d"):
        assert f">{heading}</th>" not in page
    assert "B = 32, iteration 8." in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "accuracy on uniform sequences less that of the other optimizer" in page


@pytest.mark.parametrize(
    ("n", "ranks"), [(5, None), (6, (0, 5)), (8, (0, 7)), (9, (1, 7)), (12, (2, 9))]
)
def test_order_statistics_hold_the_median(n, ranks):
    values = np.random.default_rng(n).permutation(np.arange(n)) + 10.0
    found = median_interval(values)
    assert np.isnan(found).all() if ranks is None else found == tuple(10.0 + r for r in ranks)


def test_the_interval_covers_the_median_as_often_as_it_says():
    rng = np.random.default_rng(0)
    two_humps = rng.choice([0.1, 0.9], (2000, 7), p=[0.4, 0.6]) + 0.01 * rng.standard_normal(
        (2000, 7)
    )
    intervals = np.array([median_interval(values) for values in two_humps])
    median = 0.9 + 0.01 * -0.967  # of the upper hump its share 1/6 below: Φ⁻¹(1/6) = −0.967
    covered = ((intervals[:, 0] <= median) & (median <= intervals[:, 1])).mean()
    assert covered >= 0.95


def test_claims_and_optimizers_that_were_not_run():
    found = rows(better(0.2), {"optimizer": "lion"})
    assert found.verdict.tolist() == [NOT_MEASURED]
    assert isinstance(found, pd.DataFrame)
