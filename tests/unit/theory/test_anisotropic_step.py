import math

import numpy as np
import pytest
from scipy.special import log_ndtr

from spectral_capacity.theory.anisotropic_resolvent import LISTED, EmbeddingSpectrum, resolvent
from spectral_capacity.theory.anisotropic_step import capacity, recovery_probability
from spectral_capacity.theory.gaussian_response import responses
from spectral_capacity.theory.items import Items
from tests.unit.theory.polar_update import PolarUpdate


def frequencies(n, alpha=1.5):
    p = np.arange(1.0, n + 1) ** -alpha
    return p / p.sum()


def eigenvalues(d, kappa):
    values = np.arange(1.0, d + 1) ** -kappa
    return values / values.sum()


def drawn_gradient(p, variances, rng):
    d = variances.size
    u = rng.standard_normal((p.size, d)) / math.sqrt(d)
    v = rng.standard_normal((p.size, d)) * np.sqrt(variances)
    return v.T @ (p[:, None] * u)


def with_svd(p, variances, ranks, seeds, draws=1000):
    """Recovery at some ranks from drawn gradients and the exact update of their polar factors."""
    d, result = variances.size, []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        left, sigma, right = np.linalg.svd(drawn_gradient(p, variances, rng))
        v = rng.standard_normal((draws, d)) * np.sqrt(variances)
        u = rng.standard_normal((draws, d)) / math.sqrt(d)
        update = PolarUpdate(sigma, v @ left, u @ right.T)
        chances = []
        for rank in ranks:
            z = update.output(float(p[rank - 1])) @ left.T
            ratio = (v * z).sum(axis=1) / np.sqrt(z**2 @ variances)
            chances.append(np.exp((p.size - 1) * log_ndtr(ratio)).mean())
        result.append(chances)
    return np.mean(result, axis=0), np.std(result, axis=0) / math.sqrt(seeds)


@pytest.mark.parametrize("kappa", [0.0, 1.0, 2.0])
def test_mean_of_the_resolvents_against_a_drawn_gradient(kappa):
    p, variances = frequencies(4000), eigenvalues(200, kappa)
    answer = resolvent(p, np.ones(p.size), EmbeddingSpectrum.of(variances))
    gradient = drawn_gradient(p, variances, np.random.default_rng(0))
    left, sigma, _ = np.linalg.svd(gradient)
    kernel = answer.t[:, None] / (answer.t[:, None] ** 2 + sigma**2)
    w = kernel.mean(axis=1) * (kernel @ (variances @ left**2))
    bulk = (answer.t > np.quantile(sigma, 0.1)) & (answer.t < sigma[5])
    assert bulk.sum() > 5
    np.testing.assert_allclose(answer.w[bulk], w[bulk], rtol=0.1)


@pytest.mark.parametrize(("kappa", "n"), [(0.0, 5000), (1.5, 5000), (1.0, 40)])
def test_a_polar_factor_is_orthogonal(kappa, n):
    """(2/π)² ∬ of the mean of two resolvents is the diagonal of W Wᵀ: 1, or the rank of few items over d."""
    outputs = EmbeddingSpectrum.power_law(64, kappa)
    answer = resolvent(frequencies(n), np.ones(n), outputs)
    nodes = answer.dt[:, None] * answer.nu
    diagonal = 64 * ((answer.noise @ nodes) * nodes).sum(axis=0) / outputs.eigenvalues
    assert diagonal @ outputs.multiplicity == pytest.approx(min(n, 64), rel=2e-3)
    if n > 64:
        np.testing.assert_allclose(diagonal, 1, rtol=2e-3)


@pytest.mark.parametrize(("of_inputs", "of_outputs"), [(1.0, 0.0), (0.5, 1.5)])
def test_a_polar_factor_is_orthogonal_on_both_sides(of_inputs, of_outputs):
    """(W e_l · e_k)² summed over all k is 1, and so it is over all l: e_l an eigenvector of Σ, e_k one of Ξ."""
    inputs, outputs = (EmbeddingSpectrum.power_law(64, kappa) for kappa in (of_inputs, of_outputs))
    answer = resolvent(frequencies(5000), np.ones(5000), outputs, inputs)
    # The field is that of a mean u, Σ_l η_l η_l': here it is that of e_l alone, η_l η_l'/θ_l.
    share = (answer.eta * inputs.multiplicity) @ answer.eta.T
    nodes = answer.dt[:, None, None] * answer.nu[:, :, None] * answer.eta[:, None, :]
    squares = np.einsum("tkl,ts,skl->kl", nodes, answer.noise / share, nodes, optimize=True)
    squares /= np.outer(outputs.eigenvalues, inputs.eigenvalues)
    np.testing.assert_allclose(outputs.multiplicity @ squares, 1, rtol=3e-3)
    np.testing.assert_allclose(squares @ inputs.multiplicity, 1, rtol=3e-3)


@pytest.mark.parametrize("kappa", [0.0, 0.7, 2.0])
def test_grouped_eigenvalues_keep_their_sum_and_their_number(kappa):
    outputs = EmbeddingSpectrum.power_law(5000, kappa)
    assert outputs.d == 5000
    assert outputs.eigenvalues @ outputs.multiplicity == pytest.approx(1)
    assert outputs.eigenvalues.size < 100
    whole = eigenvalues(5000, kappa)
    exact = (whole / (whole + 1e-4)).sum()
    grouped = outputs.eigenvalues / (outputs.eigenvalues + 1e-4) @ outputs.multiplicity
    assert grouped == pytest.approx(exact, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("kappa", [0.0, 1.5])
def test_probabilities_against_the_singular_value_decomposition(kappa):
    p, d = frequencies(5000), 64
    ranks = np.array([5, 15, 30, 60, 120])
    expected, error = with_svd(p, eigenvalues(d, kappa), ranks, seeds=10)
    found = recovery_probability(Items.of(p), EmbeddingSpectrum.power_law(d, kappa), samples=2048)
    np.testing.assert_array_less(abs(found[ranks - 1] - expected), 0.02 + 3 * error)


def isotropic_form(p, d, ranks):
    """E Φ(χ_d S + √(1 − S²) g)^(N−1), S = (4p/π) ∫ (1 − f)/(1 + p²m²)² dm up to f = 1: plain sums."""
    m = np.geomspace(1e-2, 1e7, 20_000)
    x = (m[:, None] * p[:2000]) ** 2
    f = ((x / (1 + x)).sum(axis=1) + m**2 * (p[2000:] ** 2).sum()) / d
    m, f = m[f < 1], f[f < 1]
    q = p[ranks - 1][:, None]
    signal = (4 * q / math.pi * (1 - f) / (1 + q**2 * m**2) ** 2 * np.gradient(m)).sum(axis=1)
    rng = np.random.default_rng(0)
    length, g = np.sqrt(rng.chisquare(d, 40_000)), rng.standard_normal(40_000)
    logit = length * signal[:, None] + np.sqrt(1 - signal[:, None] ** 2) * g
    return np.exp((p.size - 1) * log_ndtr(logit)).mean(axis=1)


def test_isotropic_outputs_against_the_isotropic_form():
    """Which rests on the orthogonality of W and not on Gaussian fields; corrections of 1/d are not the same."""
    p, ranks = frequencies(4000), np.array([10, 40, 60, 90, 150, 300])
    found = recovery_probability(Items.of(p), EmbeddingSpectrum.power_law(128, 0.0), samples=2048)
    np.testing.assert_allclose(found[ranks - 1], isotropic_form(p, 128, ranks), atol=0.02)


def test_without_a_signal_recovery_is_chance_and_grows_with_frequency():
    items, outputs = Items.of(frequencies(3000)), EmbeddingSpectrum.power_law(64, 1.0)
    probability = recovery_probability(items, outputs, samples=512)
    assert probability[0] > 0.5
    assert probability[-1] == pytest.approx(1 / 3000, rel=0.1)
    assert probability[0] > probability[30] > probability[60] > probability[200]
    above = recovery_probability(items, outputs, samples=512, above_chance=True)
    np.testing.assert_allclose(probability - above, 1 / 3000)
    assert capacity(items, outputs, samples=512) == pytest.approx(items.sum(probability))


def test_a_few_alike_items_in_many_dimensions_are_all_recovered():
    few = Items.of(np.full(8, 1 / 8))
    found = recovery_probability(few, EmbeddingSpectrum.power_law(256, 0.0), samples=512)
    np.testing.assert_allclose(found, 1, rtol=0.01)


def test_items_without_end_need_competitors():
    items, outputs = Items.power_law(1.5), EmbeddingSpectrum.power_law(64, 1.0)
    with pytest.raises(ValueError, match="n_competitors"):
        recovery_probability(items, outputs)
    nearly = Items.power_law(1.5, 1e6)
    endless = capacity(items, outputs, n_competitors=1e4, samples=512)
    ended = recovery_probability(nearly, outputs, n_competitors=1e4, above_chance=True, samples=512)
    assert endless == pytest.approx(nearly.sum(ended), rel=0.02)


@pytest.mark.slow
def test_anisotropy_lowers_the_exponent_where_theory_has_converged():
    """K: 1 + 1/(2α) − (κ − 1)/(2α) = 1 at α = 1.5, κ = 2."""
    items = Items.power_law(1.5)
    counts = [
        capacity(items, EmbeddingSpectrum.power_law(d, 2.0), n_competitors=1e5, samples=512)
        for d in (131_072, 1_000_000)
    ]
    assert np.log(counts[1] / counts[0]) / math.log(1e6 / 131_072) == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize("d", [10**4, 10**6, 10**8])
def test_competitors_keep_their_variance_in_the_limit(d):
    """E zᵀΞz = 1/d, as W is orthogonal: directions of large and of small eigenvalues are decades of t apart."""
    items, outputs = Items.power_law(2.5), EmbeddingSpectrum.power_law(d, 1.5)
    answer = resolvent(items.p, items.weight, outputs)
    found = [one.logit_and_variance(0.0) for one in responses(answer, 1024, 0)]
    variance = np.concatenate([v for _, v in found])
    logits = np.concatenate([logit for logit, _ in found])
    assert d * variance.mean() == pytest.approx(1, abs=0.04)
    assert d * np.mean(logits**2) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("kappa", [0.5, 1.0, 2.0])
def test_a_spectrum_without_a_list_is_the_one_with_it(kappa):
    d = 3 * LISTED
    listed = EmbeddingSpectrum.of(np.arange(1.0, d + 1) ** -kappa)
    found = EmbeddingSpectrum.power_law(d, kappa)
    np.testing.assert_array_equal(found.multiplicity, listed.multiplicity)
    np.testing.assert_allclose(found.eigenvalues, listed.eigenvalues, rtol=1e-7)
    assert found.d == d
