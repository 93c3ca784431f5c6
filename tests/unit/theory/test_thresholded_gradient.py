"""Several thresholded steps of gradient descent: against memories that were trained, and in limits."""

import numpy as np
import pytest

from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory import gradient_step
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.learning_rates import rate_at
from spectral_capacity.theory.thresholded_gradient import thresholded_gradient
from tests.unit.theory.trained import assert_counts_agree, recovered

RATE = {"scale": 0.01, "d_power": 0.0, "schedule": "growing"}


@pytest.mark.slow
def test_counts_of_trained_memories():
    n, d, steps = 3000, 128, 4
    optimizer = {"rule": "gradient", "learning_rate": RATE}
    found, _ = recovered(n, d, 1.5, optimizer, seeds=12, steps=steps, gradient="thresholded")
    rates = [rate_at(RATE, d, 1.5, t) for t in range(1, steps + 1)]
    predicted = thresholded_gradient(Items.of(power_law(n, 1.5)), d, rates)
    assert_counts_agree(found, predicted.counts, 0.08)


def test_only_ratios_of_rates_matter_and_the_first_step_is_one_step():
    items = Items.of(power_law(5000, 1.5))
    one = thresholded_gradient(items, 128, [1.0, 5.0])
    scaled = thresholded_gradient(items, 128, [1e-6, 5e-6])
    np.testing.assert_allclose(one.recovered, scaled.recovered, atol=1e-9)
    # The formula for one step takes the crosstalk of the head to be Gaussian.
    assert one.counts[0] == pytest.approx(
        gradient_step.capacity(Items.of(power_law(5000, 1.5)), 128), rel=0.2
    )


def test_a_step_that_is_too_small_changes_nothing_and_a_large_one_forgets():
    items = Items.of(power_law(5000, 1.5))
    small = thresholded_gradient(items, 128, [1.0, 1e-6])
    assert small.counts[1] == pytest.approx(small.counts[0], rel=1e-3)
    large = thresholded_gradient(items, 128, [1.0, 1e6])
    assert large.recovered[1, 0] < 0.05 < 0.95 < large.recovered[0, 0]
    assert (large.unlearnt[1] >= 1 - large.recovered[0] - 1e-9).all()


def test_items_without_end_need_a_number_of_competitors():
    with pytest.raises(ValueError, match="n_competitors"):
        thresholded_gradient(Items.power_law(1.5), 64, [1.0])
