import math

import pytest

from spectral_capacity.theory import exponents as scaling


def test_exponents_of_one_step():
    assert scaling.muon_exponent(1.5) == pytest.approx(4 / 3)
    assert scaling.gradient_exponent(1.5) == pytest.approx(1 / 3)
    assert scaling.bulk_exponent(1.5) == pytest.approx(-1.5)
    assert scaling.muon_critical_batch_exponent(1.5) == 2.0
    assert scaling.GRADIENT_CRITICAL_BATCH_EXPONENT == 0.5


def test_muon_exponent_under_anisotropy():
    assert scaling.muon_exponent(1.5, 1.0) == scaling.muon_exponent(1.5)
    assert scaling.muon_exponent(1.5, 2.0) == pytest.approx(1.0)
    assert math.isnan(scaling.muon_exponent(1.5, 4.0))
    assert math.isnan(scaling.muon_exponent(1.5, 0.5, steps=2))


def test_exponents_of_many_steps():
    two_thirds = [2 - (2 / 3) ** t for t in range(6)]
    assert [scaling.muon_exponent(1.5, steps=t) for t in range(6)] == pytest.approx(two_thirds)
    assert two_thirds[0] == 1  # d items are there for the asking: Muon's zeroth step
    # α = 1.5: three steps of 1/3 reach 1, where Muon starts, and from there both go on alike.
    gradient = [scaling.gradient_exponent(1.5, t) for t in range(1, 9)]
    assert gradient[:3] == pytest.approx([1 / 3, 2 / 3, 1])
    assert gradient[2:] == pytest.approx(two_thirds)


def test_bulk_of_later_steps_is_the_resolution_of_the_theorem():
    for steps in (1, 2, 3):
        e = scaling.muon_exponent(2.0, steps=steps)
        assert scaling.bulk_exponent(2.0, steps) == pytest.approx(0.5 - 2.0 * e)
