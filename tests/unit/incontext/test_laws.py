"""What is drawn has the probabilities that its laws say: chi-square, at fixed seeds."""

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from spectral_capacity.incontext.task import Task
from tests.unit.incontext.test_sequences import TASK, drawn, laws

N = 20_000
UNLIKELY = 1e-4
"""A fair draw falls below it once in ten thousand seeds; seeds are fixed."""


def assert_fits(observed, p):
    """Counts of events, and their probabilities; what has none never is."""
    observed, p = np.ravel(observed), np.ravel(p).astype(float)
    assert observed[p == 0].sum() == 0
    observed, p = observed[p > 0], p[p > 0]
    assert chisquare(observed, observed.sum() * p / p.sum()).pvalue > UNLIKELY


def test_all_ways_to_place_pairs_are_equally_likely():
    """T = 10, K = 2: four pairs in ten places, C(6, 4) = 15 ways, and 4!/(2! 2!) orders of the two."""
    task = Task(vocabulary=2, length=10, pairs=2)
    _, first, second, _ = drawn(0, task, laws(task), N)
    found = Counter(map(tuple, np.concatenate([first, second], axis=1).tolist()))
    ways = [
        (*first, *second)
        for starts in itertools.combinations(range(9), 4)
        if min(np.diff(starts)) >= 2
        for first in itertools.permutations(starts, 2)
        for second in [[s for s in starts if s not in first]]
        for second in itertools.permutations(second)
        if all(a < b for a, b in zip(first, second, strict=True))
    ]
    assert len(ways) == 15 * 6
    assert set(found) <= set(ways)
    assert chisquare([found[way] for way in ways]).pvalue > UNLIKELY


@pytest.mark.parametrize("alpha", [0.0, 1.5])
def test_triggers_are_drawn_one_after_another_without_replacement(alpha):
    given = laws(TASK, triggers=alpha)
    tokens, first, *_ = drawn(1, TASK, given, N)
    triggers = np.take_along_axis(tokens, first, axis=1)
    p = np.asarray(given.triggers, float)
    assert_fits(np.bincount(triggers[:, 0], minlength=7), p)
    # Then the first two, in their order.
    expected = p[:, None] * p[None, :] / (1 - p)[:, None]
    np.fill_diagonal(expected, 0)
    assert_fits(pairs_of(triggers[:, 0], triggers[:, 1], 7), expected)


def test_outputs_are_drawn_with_replacement_from_their_law():
    given = laws(TASK, outputs=1.5)
    tokens, first, *_ = drawn(2, TASK, given, N)
    outputs = np.take_along_axis(tokens, first + 1, axis=1) - 7
    p = np.asarray(given.outputs, float)
    assert_fits(pairs_of(outputs[:, 0], outputs[:, 1], 7), np.outer(p, p))


def test_noise_follows_its_law_at_every_place():
    given = laws(TASK, noise=1.5)
    tokens, first, second, _ = drawn(3, TASK, given, N)
    noise = is_noise(tokens, first, second)
    for place in (0, 7, 14):
        outputs = tokens[noise[:, place], place] - 7
        assert_fits(np.bincount(outputs, minlength=7), given.noise)


def test_noise_of_bigrams_follows_the_row_of_the_output_before_it():
    task = Task(vocabulary=4, length=12, pairs=1)
    rows = np.random.default_rng(0).dirichlet(np.ones(4), size=4).astype(np.float32)
    rows[2] = [0, 0.25, 0.75, 0]
    tokens, first, second, targets = drawn(4, task, laws(task)._replace(noise=rows), N)
    noise, outputs = is_noise(tokens, first, second), tokens - 4
    np.testing.assert_array_equal(np.take_along_axis(tokens, second + 1, axis=1), targets)
    # At the first place it is uniform: nothing stands before it.
    assert_fits(np.bincount(outputs[noise[:, 0], 0], minlength=4), np.ones(4))
    for place in (1, 5, 11):
        here = noise[:, place]
        counts = pairs_of(outputs[here, place - 1], outputs[here, place], 4)
        for counted, row in zip(counts, rows, strict=True):
            assert_fits(counted, row)
    # One lot decides one token: given the one between, two tokens know nothing of each other.
    here = noise[:, [1, 2, 3]].all(axis=1)
    table = np.zeros((4, 4, 4))
    np.add.at(table, tuple(outputs[here, 1:4].T), 1)
    for between in (0, 1, 3):
        before = table[:, between].sum(axis=1)
        assert_fits(table[:, between], np.outer(before, rows[between]))


def pairs_of(one, other, n):
    """How often each pair of numbers stands in two lists, (n, n)."""
    return np.bincount(n * one + other, minlength=n * n).reshape(n, n)


def is_noise(tokens, first, second):
    found = np.ones(tokens.shape, bool)
    for places in (first, second, first + 1, second + 1):
        np.put_along_axis(found, places, False, axis=1)
    return found
