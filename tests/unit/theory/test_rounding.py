"""What rounding adds, against arrays that are rounded; and the wall, against other parts of the theory."""

import ml_dtypes  # noqa: F401  (gives NumPy the name bfloat16)
import numpy as np
import pytest

from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import newton_schulz
from spectral_capacity.theory import spectral_maps, spectral_response
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.muon_step import largest_m
from spectral_capacity.theory.newton_schulz import coefficients as polynomials
from spectral_capacity.theory.rounding import (
    FORMATS,
    Rounding,
    deepest,
    noise_level,
    rounding_error,
    share_kept,
    wall,
)

ALPHA = 2.0


def gradient(d, n=400):
    u, v = np.random.default_rng(0).standard_normal((2, n, d)) / np.sqrt(d)
    return v.T @ (np.arange(1, n + 1.0)[:, None] ** -ALPHA * u)


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_errors_are_those_of_rounded_numbers(precision, scale):
    """Of float16 the small ones are below the smallest normal number."""
    X = scale * np.random.default_rng(0).standard_normal(100_000)
    made = X.astype(precision).astype(float) - X
    expected = rounding_error(X, precision)
    assert np.sqrt(np.mean(made**2)) == pytest.approx(np.sqrt(np.mean(expected**2)), rel=0.01)
    assert (np.abs(made) <= np.sqrt(3) * expected * (1 + 1e-4)).all()


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize(
    ("name", "safety"), [("jordan", 1.0), ("polar_express", 1.0), ("polar_express", 1.01)]
)
def test_small_singular_directions_hold_the_amplified_noise(precision, name, safety):
    """Three iterations, beside the same in float64, between singular vectors that they do not lift far."""
    d, small, k = 64, 24, 3
    G = gradient(d)
    options = {"coefficients": name, "iterations": k, "safety": safety}
    context = StepContext(step=1, alpha=ALPHA, d=d, batch_size=np.inf)
    low, exact = (
        newton_schulz(Gradient(G), context, precision=one, **options)
        for one in (precision, "float64")
    )
    left, _, right = np.linalg.svd(G)
    U, V = left[:, small:], right[small:].T
    growth = np.prod([a for a, _, _ in polynomials(name, k, safety)])
    made = U.T @ (low - exact) @ V / growth * safety * np.linalg.norm(G)
    variance = Rounding(name, precision, safety).noise(G) ** 2
    expected = np.sum((U**2).T @ variance @ V**2)
    assert np.sum(made**2) == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_the_level_of_the_noise_is_that_of_a_gradient(precision):
    G = gradient(128)
    noise = Rounding("jordan", precision).noise(G)
    level = np.linalg.norm(noise) / np.linalg.norm(G)
    assert level == pytest.approx(noise_level(precision), rel=0.03)


def test_only_iterations_below_float64_round():
    of = {"name": "newton_schulz", "coefficients": "jordan", "safety": 1.0}
    assert Rounding.of(of | {"precision": "float16"}) == Rounding("jordan", "float16")
    assert Rounding.of(of | {"precision": "float64"}) is None
    assert Rounding.of({"name": "polar"}) is None


@pytest.mark.parametrize("alpha", [1.5, 2.0, 3.0])
def test_noise_at_the_wall_fills_the_spectrum_as_items_do(alpha):
    """Items alone fill it at m, f(m) = 1; noise of norm ε‖p‖ alone where (ε‖p‖m)² = d."""
    items, d = Items.power_law(alpha), 4096
    norm = np.sqrt(items.sum(items.p**2))
    noise = np.sqrt(d) / (largest_m(items, d) * norm)
    assert wall(alpha, noise) == pytest.approx(d, rel=0.01)


@pytest.mark.parametrize("alpha", [1.25, 2.0, 3.0])
def test_the_share_kept_falls_from_one_and_then_as_a_power(alpha):
    noise = noise_level("bfloat16")
    at = wall(alpha, noise)
    shares = [share_kept(alpha, x * at, noise) for x in (1e-6, 0.1, 0.5, 1, 2, 10)]
    assert shares[0] == pytest.approx(1, abs=1e-3)
    assert (np.diff(shares) < 0).all()
    assert 0.8 < shares[3] < 0.9
    far = [share_kept(alpha, x * at, noise) for x in (1e8, 2e8)]
    assert np.log2(far[1] / far[0]) == pytest.approx(-1 + 1 / (2 * alpha), abs=0.08)


def test_the_share_kept_is_near_the_prediction_of_a_finite_memory(monkeypatch):
    monkeypatch.setattr(spectral_response, "DRAWN", 512)
    d, p = 64, np.arange(1, 20_001.0) ** -ALPHA
    items = Items.of(p / p.sum())
    exact, low = (
        items.sum(
            spectral_response.recovery_probability(
                items, spectral_response.SpikedSpectrum.of(items, d, one), spectral_maps.polar
            )
        )
        for one in (None, Rounding("jordan", "bfloat16"))
    )
    assert low / exact == pytest.approx(
        share_kept(ALPHA, float(d), noise_level("bfloat16")), abs=0.06
    )


def test_more_iterations_than_the_deepest_lift_noise():
    """Its singular values, ε‖G‖_F/√d, are at one after so many."""
    k = deepest(128, noise_level("bfloat16"), 3.4445)
    assert noise_level("bfloat16") / np.sqrt(128) * 3.4445**k == pytest.approx(1)
