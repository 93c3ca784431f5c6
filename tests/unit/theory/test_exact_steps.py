"""Exact steps of Muon by particles: against memories that were trained, and in limits."""

import numpy as np
import pytest

from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.exact_steps import exact_muon
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.thresholded_steps import thresholded_muon
from tests.unit.theory.trained import assert_counts_agree, muon, recovered


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_counts_and_overlaps_of_trained_memories(scale):
    n, d, steps = 2000, 128, 4
    found, directions = recovered(n, d, 2.0, muon(scale), seeds=3, steps=steps, gradient="exact")
    items = Items.of(power_law(n, 2.0))
    predicted = exact_muon(items, d, steps, learning_rate=scale * np.sqrt(d), draws=64)
    assert_counts_agree(found, predicted.counts, 0.08)
    overlaps = np.einsum("nsij,ntij->st", directions, directions) / len(found) / d
    np.testing.assert_allclose(predicted.overlaps, overlaps, atol=0.12)


def test_first_step_is_that_of_thresholded_muon():
    items = Items.of(power_law(3000, 1.5))
    exact = exact_muon(items, 64, 1, learning_rate=8.0)
    assert exact.counts[0] == pytest.approx(thresholded_muon(items, 64, 1).counts[0], rel=0.03)
    np.testing.assert_allclose(exact.in_gradient[0], 1)


def test_a_tiny_rate_repeats_the_first_direction_and_a_large_one_pushes_back():
    items = Items.of(power_law(1000, 1.5))
    tiny = exact_muon(items, 64, 2, learning_rate=1e-3, draws=32)
    assert tiny.overlaps[0, 1] == pytest.approx(1, abs=0.03)
    assert (tiny.in_gradient[1] > 0.99).all()
    large = exact_muon(items, 64, 2, learning_rate=16.0, draws=32)
    assert large.mixed[1, 0] < -0.2
    assert large.in_gradient[1, 0] < 0.05
    assert large.recovered[1, 0] < large.recovered[0, 0] + 1e-9


def test_a_seed_repeats_itself():
    items = Items.of(power_law(1000, 1.5))
    one, same = (exact_muon(items, 32, 2, learning_rate=5.0, draws=16, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.recovered, same.recovered)
    assert one.masses.shape == (2,)


def test_items_without_end_are_refused():
    with pytest.raises(ValueError, match="end"):
        exact_muon(Items.power_law(1.5), 64, 1, learning_rate=8.0)
