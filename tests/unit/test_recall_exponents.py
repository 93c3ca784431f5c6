"""The power of the width that outputs recalled by transformers are fitted to."""

import numpy as np
import pytest

from spectral_capacity.analysis.recall_exponents import fitted_power

D = np.array([16, 24, 32, 48, 64])


def counts(exponent, seeds=4, noise=0.0):
    draws = np.random.default_rng(0).standard_normal((D.size, seeds))
    return 0.5 * D[:, None] ** exponent * np.exp(noise * draws)


def test_a_power_is_found_and_stands_beside_that_of_one_step():
    muon, sgd = (fitted_power(D, counts(1.7), rule, 1.5) for rule in ("muon", "sgd"))
    assert muon.exponent == sgd.exponent == pytest.approx(1.7)
    assert muon.theory == pytest.approx(4 / 3)
    assert sgd.theory == pytest.approx(1 / 3)


def test_the_interval_is_over_resampled_seeds():
    power = fitted_power(D, counts(1.7, noise=0.1), "muon", 1.5)
    assert power.boot_low < power.exponent < power.boot_high
    assert power.boot_high - power.boot_low > 0.05
    single = fitted_power(D, counts(1.7, seeds=1), "muon", 1.5)
    assert np.isnan(single.boot_low)


@pytest.mark.parametrize(("rule", "alpha"), [("adamw", 1.5), ("muon", 1.0), ("sgd", 0.0)])
def test_where_there_is_no_theorem_there_is_no_theory(rule, alpha):
    power = fitted_power(D, counts(1.0), rule, alpha)
    assert np.isnan(power.theory)
    assert power.exponent == pytest.approx(1.0)


def test_a_missing_run_and_a_mean_of_zero_leave_no_power():
    missing, zero = counts(1.0), counts(1.0)
    missing[2, 1], zero[0] = np.nan, 0.0
    for values in (missing, zero):
        assert np.isnan(fitted_power(D, values, "muon", 1.5).exponent)
