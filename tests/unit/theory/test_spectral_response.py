import math
from functools import partial

import numpy as np
import pytest

from spectral_capacity.theory import gradient_step, muon_step, spectral_maps
from spectral_capacity.theory import spectral_response as sr
from spectral_capacity.theory.items import Items
from tests.unit.theory.simulated import draw, gradient, law, recovered

MAPS = {
    "polar": spectral_maps.polar,
    "identity": spectral_maps.identity,
    "quarter power": partial(spectral_maps.power, exponent=0.25),
    "smoothed polar": partial(spectral_maps.smoothed_polar, resolution=0.01),
    "polynomial": partial(spectral_maps.newton_schulz, coefficients="jordan", iterations=3),
}


@pytest.mark.parametrize("name", MAPS)
def test_signal_and_square_of_any_map_against_drawn_items(name):
    d, h = 48, MAPS[name]
    G = gradient(*draw(4000, d, 0), law(4000, 1.5))
    p = np.array([0.003, 0.02, 0.1])
    signal, square = sr.SpikedSpectrum(np.linalg.svd(G, compute_uv=False), d, p).response(h)
    rng, found = np.random.default_rng(2), []
    for _ in range(150):
        u, v = (x / np.linalg.norm(x) for x in rng.standard_normal((2, d)))
        row = []
        for p_i in p:
            a, s, b = np.linalg.svd(G + p_i * np.outer(v, u))
            z = a @ (h(s, np.linalg.norm(s)) * (b @ u))
            row.append((v @ z, z @ z))
        found.append(row)
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / math.sqrt(150)
    np.testing.assert_array_less(abs(signal - mean[:, 0]), 0.02 * mean[:, 0] + 3 * error[:, 0])
    np.testing.assert_array_less(abs(square - mean[:, 1]), 0.02 * mean[:, 1] + 3 * error[:, 1])


def test_maps_act_on_the_numerical_range():
    """Three items in eight dimensions: a new one adds a direction, the others stay null."""
    three = np.array([3.0, 2.0, 1.0])
    spectrum = sr.SpikedSpectrum(three, 8, np.array([1e-3]))
    _, square = spectrum.response(spectral_maps.polar)
    assert square[0] == pytest.approx(1.0, rel=0.05)
    assert spectrum.square_of_others(spectral_maps.polar) == pytest.approx(3 / 8)
    items = Items.of(law(5, 1.5))
    assert sr.typical_singular_values(items, 8).size == 5


def test_a_drawn_gradient_has_the_spectrum_of_a_whole_one():
    p = law(4000, 1.5)
    drawn = sr.typical_singular_values(Items.of(p), 32)
    whole = [np.linalg.svd(gradient(*draw(4000, 32, s), p), compute_uv=False) for s in range(20)]
    np.testing.assert_allclose(drawn[:24], np.mean(whole, axis=0)[:24], rtol=0.15)


@pytest.mark.parametrize(("alpha", "d"), [(1.25, 64), (1.5, 128), (3.0, 64)])
def test_both_ends_against_their_closed_forms(alpha, d):
    """Between the polar map and the identity, which have theories of their own without any singular value."""
    items = Items.of(law(8000, alpha))
    spectrum = sr.SpikedSpectrum.of(items, d)
    found = items.sum(sr.recovery_probability(items, spectrum, spectral_maps.polar))
    assert found == pytest.approx(muon_step.capacity(items, d), rel=0.03)
    found = items.sum(sr.recovery_probability(items, spectrum, spectral_maps.identity))
    assert found == pytest.approx(gradient_step.capacity(items, d), rel=0.05)


@pytest.mark.parametrize(
    "h",
    [
        MAPS["polynomial"],
        partial(spectral_maps.power, exponent=0.5),
        partial(spectral_maps.smoothed_polar, resolution=10 * 64**-1.5),
    ],
)
def test_counts_against_simulation(h):
    d, n, p = 64, 3000, law(3000, 1.5)
    items = Items.of(p)
    probability = sr.recovery_probability(items, sr.SpikedSpectrum.of(items, d), h)
    counts = []
    for seed in range(24):
        U, V = draw(n, d, seed)
        A, sigma, B = np.linalg.svd(gradient(U, V, p))
        counts.append(recovered((A * h(sigma, np.linalg.norm(sigma))) @ B, U, V).sum())
    error = np.std(counts, ddof=1) / math.sqrt(24)
    assert abs(items.sum(probability) - np.mean(counts)) < 0.04 * np.mean(counts) + 2 * error
    assert probability[0] > 0.99
    assert probability[-1] < 3 / n
    assert (np.diff(probability) < 1e-3).all()


def test_items_that_are_all_alike():
    items = Items.of(np.full(50, 0.02))
    spectrum = sr.SpikedSpectrum.of(items, 32)
    assert spectrum.p.size == 1
    probability = sr.recovery_probability(items, spectrum, spectral_maps.polar)
    assert np.ptp(probability) == 0
    assert items.sum(probability) == pytest.approx(muon_step.capacity(items, 32), rel=0.1)


def test_there_is_a_largest_d():
    with pytest.raises(ValueError, match="d is 4096"):
        sr.SpikedSpectrum.of(Items.of(law(100, 1.5)), 4096)
