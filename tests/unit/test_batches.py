"""Counts of a batch: a multinomial sample that every optimizer shares, nested in B."""

import numpy as np
import pytest
from scipy.stats import chisquare

from spectral_capacity.sampling.batches import DRAW_BLOCK, batch_counts
from spectral_capacity.sampling.frequencies import power_law

AT = {"root_seed": 0, "d": 8, "seed": 0}


def test_counts_add_up_to_the_batch():
    p = power_law(100, 1.5)
    sizes = [1, 7, DRAW_BLOCK - 1, DRAW_BLOCK, DRAW_BLOCK + 1, 3 * DRAW_BLOCK + 5]
    counts = batch_counts(p, sizes, **AT)
    assert {size: c.sum() for size, c in counts.items()} == {size: size for size in sizes}


def test_a_smaller_batch_is_contained_and_the_list_changes_nothing():
    p = power_law(1000, 1.5)
    several = batch_counts(p, [50_000, 64, 16], **AT)
    assert (several[16] <= several[64]).all()
    assert (several[64] <= several[50_000]).all()
    for size in several:
        np.testing.assert_array_equal(several[size], batch_counts(p, [size], **AT)[size])


@pytest.mark.parametrize("other", [{"d": 16}, {"seed": 1}, {"root_seed": 1}, {"step": 2}])
def test_batches_differ_by_their_coordinates(other):
    p = power_law(100, 1.5)
    first, second = (batch_counts(p, [500], **at)[500] for at in (AT, AT | other))
    assert (first != second).any()


@pytest.mark.parametrize("alpha", [0.0, 1.5])
def test_counts_are_multinomial(alpha):
    p = power_law(20, alpha)
    counts = batch_counts(p, [40_000], **AT)[40_000]
    assert chisquare(counts, 40_000 * p).pvalue > 1e-3


def test_the_same_uniforms_serve_every_law():
    # Item ranks come from one sequence of uniforms: comparisons between α are paired too.
    flat, steep = (batch_counts(power_law(50, a), [3000], **AT)[3000] for a in (1.2, 2.0))
    assert steep[0] > flat[0]


def test_no_batch_is_no_work():
    assert batch_counts(power_law(10, 1.5), [], **AT) == {}
