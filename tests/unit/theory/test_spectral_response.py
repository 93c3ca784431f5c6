import math

import numpy as np
import pytest

from spectral_capacity.theory import spectral_response as sr

MAPS = {
    "polar": lambda s: np.where(s > 0, 1.0, 0.0),
    "identity": lambda s: s,
    "quarter power": lambda s: s**0.25,
    "smoothed polar": lambda s: s / np.hypot(s, 0.01),
    "polynomial": lambda s: 2 * s - 1.5 * s**3 + 0.5 * s**5,
}


def gradient(d, n=4000, seed=0):
    rng = np.random.default_rng(seed)
    p = np.arange(1.0, n + 1) ** -1.5
    u, v = rng.standard_normal((2, n, d)) / math.sqrt(d)
    return p / p.sum(), v.T @ ((p / p.sum())[:, None] * u)


def test_update_of_a_polar_factor_against_its_decomposition():
    _, G = gradient(24)
    left, sigma, right = np.linalg.svd(G)
    u, v = np.random.default_rng(1).standard_normal((2, 5, 24)) / math.sqrt(24)
    update = sr.PolarUpdate(sigma, v @ left, u @ right.T)
    for p in (0.0, 1e-3, 0.05, 2.0):
        a, _, b = zip(*(np.linalg.svd(G + p * np.outer(v[i], u[i])) for i in range(5)), strict=True)
        expected = np.array([a[i] @ (b[i] @ u[i]) for i in range(5)])
        np.testing.assert_allclose(update.output(p) @ left.T, expected, atol=2e-4)


def test_a_gradient_with_a_null_direction_has_no_polar_update():
    with pytest.raises(ValueError, match="full rank"):
        sr.PolarUpdate(np.array([1.0, 0.0]), np.ones((1, 2)), np.ones((1, 2)))


@pytest.mark.slow
@pytest.mark.parametrize("name", MAPS)
def test_signal_and_square_of_any_map_against_drawn_items(name):
    d, h = 48, MAPS[name]
    _, G = gradient(d)
    p = np.array([0.003, 0.02, 0.1])
    signal, square = sr.SpikedSpectrum(np.linalg.svd(G, compute_uv=False), d, p).response(h)
    rng, found = np.random.default_rng(2), []
    for _ in range(150):
        u, v = (x / np.linalg.norm(x) for x in rng.standard_normal((2, d)))
        row = []
        for p_i in p:
            a, s, b = np.linalg.svd(G + p_i * np.outer(v, u))
            z = a @ (h(s) * (b @ u))
            row.append((v @ z, z @ z))
        found.append(row)
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / math.sqrt(150)
    np.testing.assert_array_less(abs(signal - mean[:, 0]), 0.02 * mean[:, 0] + 3 * error[:, 0])
    np.testing.assert_array_less(abs(square - mean[:, 1]), 0.02 * mean[:, 1] + 3 * error[:, 1])


def test_maps_act_on_the_numerical_range():
    """Three items in eight dimensions: a new one adds a direction, the others stay null."""
    spectrum = sr.SpikedSpectrum(np.array([3.0, 2.0, 1.0]), 8, np.array([1e-3]))
    _, square = spectrum.response(MAPS["polar"])
    assert square[0] == pytest.approx(1.0, rel=0.05)
    _, without = sr.SpikedSpectrum(np.array([3.0, 2.0, 1.0]), 8, np.array([0.0])).response(
        MAPS["polar"]
    )
    assert without[0] == pytest.approx(3 / 8)


def test_recovery_of_a_known_cosine():
    n, d = 999, 400
    signal = np.array([0.0, 0.2, 1.0])
    found = sr.response_recovery(signal, np.ones(3), d, float(n))
    assert found[0] == pytest.approx(1 / 1000, rel=1e-3)
    assert found[2] == pytest.approx(1)
    rng = np.random.default_rng(0)
    best = np.sort(rng.standard_normal((4000, n)).max(axis=1))
    logit = np.sqrt(rng.chisquare(d, 4000)) * 0.2 + math.sqrt(1 - 0.04) * rng.standard_normal(4000)
    expected = np.searchsorted(best, logit).mean() / best.size
    assert found[1] == pytest.approx(expected, abs=0.02)


def test_a_drawn_gradient_has_the_spectrum_of_a_whole_one():
    p, _ = gradient(32)
    drawn = np.mean([sr.drawn_singular_values(p, 32, seed=s) for s in range(20)], axis=0)
    whole = np.mean(
        [np.linalg.svd(gradient(32, seed=s)[1], compute_uv=False) for s in range(20)], axis=0
    )
    np.testing.assert_allclose(drawn[:24], whole[:24], rtol=0.15)
