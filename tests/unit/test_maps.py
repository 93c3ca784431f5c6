from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral_capacity.backend import jax
from spectral_capacity.optimizers import maps as spectral
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.theory import newton_schulz as newtonschulz
from spectral_capacity.theory import spectral_maps
from tests import oracle

CONTEXT = StepContext(d=12, alpha=1.5, batch_size=np.inf)


def matrix(d=12, seed=0, decay=1.5):
    """A matrix with singular values 1, 2^-decay, 3^-decay, …"""
    rng = np.random.default_rng(seed)
    A, B = (np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in "AB")
    return (A * np.arange(1, d + 1.0) ** -decay) @ B


@settings(max_examples=25, deadline=None)
@given(d=st.integers(2, 16), seed=st.integers(0, 1000), decay=st.floats(0, 4))
def test_polar_equals_the_oracle_and_is_orthogonal(d, seed, decay):
    G = matrix(d, seed, decay)
    W = spectral.polar(Gradient(G), CONTEXT)
    np.testing.assert_allclose(W, oracle.polar(G), atol=1e-9)
    np.testing.assert_allclose(W @ W.T, np.eye(d), atol=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("name", ["polar", "newton_schulz"])
def test_muon_knows_no_scale(name, scale):
    h = spectral.MAPS[name]
    expected = h(Gradient(matrix()), CONTEXT)
    np.testing.assert_allclose(h(Gradient(scale * matrix()), CONTEXT), expected, atol=1e-11)


def test_polar_leaves_null_directions_alone():
    G = matrix()[:, :5] @ matrix(5, 3)[:, :5] @ matrix()[:5]
    gradient = Gradient(G)
    W = spectral.polar(gradient, CONTEXT)
    assert gradient.rank == 5
    assert np.trace(W @ W.T) == pytest.approx(5)
    np.testing.assert_allclose(W, oracle.polar(G), atol=1e-9)


def test_smoothed_polar_has_both_limits():
    G = matrix()
    small = spectral.smoothed_polar(Gradient(G), CONTEXT, resolution=1e-12)
    np.testing.assert_allclose(small, oracle.polar(G), atol=1e-9)
    large = spectral.smoothed_polar(Gradient(G), CONTEXT, resolution=1e9)
    np.testing.assert_allclose(large * 1e9, G, rtol=1e-9, atol=1e-12)


def test_smoothed_polar_is_h_of_the_singular_values():
    sigma = np.linalg.svd(matrix(), compute_uv=False)
    W = spectral.smoothed_polar(Gradient(matrix()), CONTEXT, resolution=0.1)
    expected = sigma / np.sqrt(sigma**2 + 0.01)
    np.testing.assert_allclose(np.linalg.svd(W, compute_uv=False), expected, rtol=1e-10)


def test_resolution_in_units_of_the_bulk():
    W = spectral.smoothed_polar(Gradient(matrix()), CONTEXT, resolution=0.3, unit="bulk")
    same = spectral.smoothed_polar(Gradient(matrix()), CONTEXT, resolution=0.3 * 12**-1.5)
    np.testing.assert_allclose(W, same, rtol=1e-12)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_power_is_z_to_the_gamma(exponent):
    W = spectral.power(Gradient(matrix()), CONTEXT, exponent=exponent)
    A, sigma, B = np.linalg.svd(matrix())
    np.testing.assert_allclose(W, (A * sigma**exponent) @ B, atol=1e-12)


def test_theory_resolution_is_the_theorems():
    d, alpha, batch = 12, 1.5, 100.0
    resolution = max(np.log(d) ** (2 * alpha + 2) * d**-alpha, np.log(d) ** 2 / batch)
    context = StepContext(d, alpha, batch)
    W = spectral.smoothed_polar(Gradient(matrix()), context, resolution="theory")
    expected = spectral.smoothed_polar(Gradient(matrix()), context, resolution=resolution)
    np.testing.assert_array_equal(W, expected)


CONFIGURED = [
    {"name": "identity"},
    {"name": "polar"},
    {"name": "power", "exponent": 0.25},
    {"name": "power", "exponent": 0.0},
    {"name": "smoothed_polar", "resolution": 0.3, "unit": "bulk"},
    {"name": "smoothed_polar", "resolution": 0.01, "unit": "absolute"},
    {"name": "smoothed_polar", "resolution": "theory", "unit": "absolute"},
    {"name": "newton_schulz", "coefficients": "jordan", "iterations": 5},
    {"name": "newton_schulz", "coefficients": "polar_express", "iterations": 3},
    {"name": "newton_schulz", "coefficients": "polar_express", "iterations": 5, "safety": 1.01},
]


def test_an_exponent_may_change_over_the_steps_of_a_run():
    changing = {"exponent": 0.5, "last_exponent": 0.1}
    for step, exponent in ((1, 0.5), (2, 0.4), (5, 0.1)):
        at = replace(CONTEXT, step=step, steps=5)
        W = spectral.power(Gradient(matrix()), at, **changing)
        expected = spectral.power(Gradient(matrix()), CONTEXT, exponent=exponent)
        np.testing.assert_allclose(W, expected, atol=1e-12)


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("of", CONFIGURED, ids=lambda of: "-".join(map(str, of.values())))
def test_a_map_is_its_scalar_function_on_the_singular_values(of, step):
    """What predictions take a map to be is what it does to a matrix, also where that has a null direction."""
    context = StepContext(d=12, alpha=1.5, batch_size=500.0, step=step)
    options = {key: value for key, value in of.items() if key != "name"}
    h = spectral_maps.scalar_map(of, d=12, alpha=1.5, batch_size=500.0, step=step)
    for G in (5 * matrix(), matrix()[:, :7] @ matrix(7)[:, :7] @ matrix()[:7]):
        A, sigma, B = np.linalg.svd(G)
        sigma = np.where(sigma > 1e-13, sigma, 0)
        W = spectral.MAPS[of["name"]](Gradient(G), context, **options)
        expected = (A * h(sigma, float(np.linalg.norm(G)))) @ B
        np.testing.assert_allclose(W, expected, atol=1e-11)


def test_every_map_but_a_users_own_has_a_scalar_function():
    assert {of["name"] for of in CONFIGURED} == {*spectral.MAPS} - {"own", "block_polar"}
    blocks = {"name": "block_polar", "blocks": 2}
    assert spectral_maps.scalar_map(blocks, d=12, alpha=1.5) is None
    own = {"name": "own", "file": "a.py", "function": "f", "options": None}
    assert spectral_maps.scalar_map(own, d=12, alpha=1.5) is None


@pytest.mark.parametrize("name", ["cubic", "jordan", "polar_express"])
@pytest.mark.parametrize("iterations", [0, 1, 5, 12])
def test_newton_schulz_is_its_polynomial_on_the_singular_values(name, iterations):
    G = matrix()
    A, z, B = np.linalg.svd(G)
    z = z / np.linalg.norm(G)
    for a, b, c in newtonschulz.coefficients(name, iterations):
        z = a * z + b * z**3 + c * z**5
    W = spectral.newton_schulz(Gradient(G), CONTEXT, coefficients=name, iterations=iterations)
    np.testing.assert_allclose(W, (A * z) @ B, atol=1e-12)


def test_newton_schulz_agrees_with_optax():
    G = matrix()
    ours = spectral.newton_schulz(Gradient(G), CONTEXT, coefficients="jordan", iterations=5)
    theirs = optax.contrib.muon(1.0, beta=0.0, nesterov=False, eps=0.0, weight_decay=0.0)
    params = {"w": jnp.zeros((12, 12))}
    with jax.numpy_dtype_promotion("standard"):  # Optax leaves types to JAX
        update, _ = theirs.update({"w": jnp.asarray(G)}, theirs.init(params), params)
    # Optax descends, and rescales by a constant that depends on the shape only.
    scale = np.linalg.norm(ours) / np.linalg.norm(update["w"])
    np.testing.assert_allclose(-scale * np.asarray(update["w"]), ours, atol=2e-6)


@pytest.mark.parametrize("name", ["cubic", "polar_express"])
def test_convergent_iterations_reach_the_polar_factor(name):
    W = spectral.newton_schulz(Gradient(matrix()), CONTEXT, coefficients=name, iterations=40)
    np.testing.assert_allclose(W, oracle.polar(matrix()), atol=1e-10)


def test_polar_express_coefficients_are_the_published_ones():
    # arXiv:2505.16932, Section 3 and the authors' code, before the bfloat16 safety factor.
    published = [
        (8.28721201814563, -23.595886519098837, 17.300387312530933),
        (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
        (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
        (3.3184196573706015, -2.488488024314874, 0.51004894012372),
        (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    ]
    np.testing.assert_allclose(newtonschulz.polar_express(5), published, rtol=1e-6)


def test_polar_express_polynomials_are_minimax():
    a, b, c = newtonschulz.minimax_quintic(0.05, 1.0)
    x = np.linspace(0.05, 1.0, 20001)
    error = 1 - (a * x + b * x**3 + c * x**5)
    # Chebyshev: four extrema of equal size and alternating sign.
    assert error.max() == pytest.approx(-error.min(), rel=1e-6)
    assert error[0] == pytest.approx(error.max())
    assert error[-1] == pytest.approx(error.min())


EPSILON = {"float32": 2.0**-24, "bfloat16": 2.0**-8, "float16": 2.0**-11}


@pytest.mark.parametrize("precision", EPSILON)
def test_lower_precisions_round_every_product(precision):
    """Entries are numbers of that precision, near those of a loop of JAX in it, which sums in float32."""
    G = matrix(32)
    W = spectral.newton_schulz(Gradient(G), CONTEXT, precision=precision)
    np.testing.assert_array_equal(W, W.astype(precision).astype(float))
    X = jnp.asarray(G / np.linalg.norm(G), precision)
    for _ in range(5):
        S = X @ X.T
        a, b, c = (jnp.asarray(x, precision) for x in (3.4445, -4.7750, 2.0315))
        X = a * X + (b * S + c * (S @ S)) @ X
    exact = spectral.newton_schulz(Gradient(G), CONTEXT)
    tolerance = 20 * EPSILON[precision]
    np.testing.assert_allclose(W, X.astype(float), atol=tolerance)
    np.testing.assert_allclose(W, exact, atol=tolerance)
    assert np.abs(W - exact).max() > EPSILON[precision] / 20


def test_what_rounds_has_the_scalar_function_of_exact_arithmetic():
    of = {"name": "newton_schulz", "coefficients": "jordan", "iterations": 5, "safety": 1.0}
    sigma = np.linspace(0, 1, 5)
    exact, low = (
        spectral_maps.scalar_map(of | {"precision": p}, d=12, alpha=1.5)(sigma, 2.0)
        for p in ("float64", "bfloat16")
    )
    np.testing.assert_array_equal(low, exact)


def test_the_safety_factor_is_in_all_polynomials_but_the_last():
    plain, safe = (newtonschulz.coefficients("polar_express", 4, s) for s in (1.0, 1.01))
    for (a, b, c), found in zip(plain[:3], safe[:3], strict=True):
        np.testing.assert_allclose(found, (a / 1.01, b / 1.01**3, c / 1.01**5), rtol=1e-14)
    assert safe[3] == plain[3]
    assert newtonschulz.coefficients("jordan", 0, 1.01) == []


@pytest.mark.parametrize("rank", [12, 5])
def test_block_polar_is_the_polar_factor_of_each_block_of_outputs(rank):
    G = matrix()[:, :rank] @ matrix(rank, 3)[:, :rank] @ matrix()[:rank]
    W = spectral.block_polar(Gradient(G), CONTEXT, blocks=3)
    for part, of in zip(np.split(W, 3), np.split(G, 3), strict=True):
        A, sigma, B = np.linalg.svd(of, full_matrices=False)
        kept = sigma > 1e-12
        np.testing.assert_allclose(part, A[:, kept] @ B[kept], atol=1e-9)
    np.testing.assert_allclose(
        spectral.block_polar(Gradient(G), CONTEXT, blocks=1), oracle.polar(G), atol=1e-9
    )
    with pytest.raises(ValueError, match="d = 12 is no multiple of 5 blocks"):
        spectral.block_polar(Gradient(G), CONTEXT, blocks=5)
