import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import zeta
from scipy.stats import norm

from spectral_capacity.analysis.asymptotes import COMPETITORS
from spectral_capacity.analysis.lines import local_exponents
from spectral_capacity.theory import muon_step
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.recovery import threshold_moment
from tests.unit.theory.simulated import draw, gradient, law, polar, recovered


def signal_by_quadrature(p, d, i, resolution=0.0):
    """S of item i from S = (2/π) ∫ p m²/(1 + p² m²) ds, t² = s² + λ², over the scalars without item i."""
    others = np.delete(p, i)

    def f(m):
        return float((others**2 * m**2 / (1 + others**2 * m**2)).sum() / d)

    def m_of(t):
        return math.exp(brentq(lambda x: t * math.exp(x) + f(math.exp(x)) - 1, -20, 40))

    def integrand(log_s):
        s = math.exp(log_s)
        m = m_of(math.hypot(s, resolution))
        return s * p[i] * m**2 / (1 + p[i] ** 2 * m**2)

    signal = 2 / math.pi * quad(integrand, -25, 8, limit=200, epsrel=1e-8)[0]
    if resolution:
        m = m_of(resolution)
        signal /= math.sqrt(1 - resolution * m / (1 + (p[i] * m) ** 2))
    return signal


@pytest.mark.parametrize("n", [300, 12])  # fewer items than dimensions, too
def test_signal_against_quadrature_over_t(n):
    p, d = law(n, 1.5), 16
    signal = muon_step.spike_signal(Items.of(p), d)
    for i in (0, 3, n - 1):
        assert signal[i] == pytest.approx(signal_by_quadrature(p, d, i), rel=2e-3)


def test_signal_of_the_smoothed_map_against_quadrature():
    p, d, resolution = law(300, 1.5), 64, 0.5 * 64**-1.5
    signal = muon_step.spike_signal(Items.of(p), d, resolution=resolution)
    for i in (0, 20, 299):
        exact = signal_by_quadrature(p, d, i, resolution)
        assert signal[i] == pytest.approx(exact, rel=1e-2)  # V is of all items: 1/d


def test_signal_is_the_spike_of_a_gradient():
    # S |v| = vᵀ polar(G + p v uᵀ) u/|v| on average, G without the item.
    n, d = 4000, 48
    p = law(n, 1.5)
    chosen = [0, 4, 30, 100]
    samples = []
    for seed in range(12):
        U, V = draw(n, d, seed)
        overlaps = []
        for i in chosen:
            W = polar(V.T @ (p[:, None] * U))
            z = W @ U[i] / np.linalg.norm(U[i])
            overlaps.append(z @ V[i] / np.linalg.norm(V[i]))
        samples.append(overlaps)
    mean, error = np.mean(samples, axis=0), np.std(samples, axis=0) / math.sqrt(12)
    signal = muon_step.spike_signal(Items.of(p), d)[chosen]
    np.testing.assert_array_less(abs(mean - signal), 4 * error + 0.01)


@pytest.mark.parametrize("alpha", [1.5, 2.5])
@pytest.mark.parametrize("d", [64, 128])
def test_probabilities_against_simulation(d, alpha):
    n, seeds = 4000, 6
    p, items = law(n, alpha), Items.of(law(n, alpha))
    hits = []
    for seed in range(seeds):
        U, V = draw(n, d, seed)
        hits.append(recovered(polar(gradient(U, V, p)), U, V))
    counts = np.sum(hits, axis=1)
    error = np.std(counts, ddof=1) / math.sqrt(seeds)
    predicted = muon_step.capacity(items, d)
    assert counts.mean() == pytest.approx(predicted, abs=2.5 * error + 0.03 * predicted)
    # By bands of rank, too.
    probability = items.at_ranks(muon_step.recovery_probability(items, d), np.arange(1.0, n + 1))
    for band in (slice(0, d // 2), slice(d // 2, 2 * d)):
        expected = probability[band].sum()
        spread = 3 * math.sqrt((probability[band] * (1 - probability[band])).sum() / seeds)
        assert np.mean([h[band].sum() for h in hits]) == pytest.approx(
            expected, abs=spread + 0.03 * expected
        )


@pytest.mark.parametrize("batch_size", [32, 1024, 65536])  # few items, overshoot, nearly all
def test_minibatches_against_simulation(batch_size):
    n, d, seeds = 4000, 64, 8
    p = law(n, 1.5)
    counts = []
    for seed in range(seeds):
        U, V = draw(n, d, seed)
        sampled = np.random.default_rng(seed).multinomial(batch_size, p) / batch_size
        counts.append(recovered(polar(gradient(U, V, sampled)), U, V).sum())
    error = np.std(counts, ddof=1) / math.sqrt(seeds)
    predicted = muon_step.capacity(Items.of(p), d, batch_size=batch_size)
    assert np.mean(counts) == pytest.approx(predicted, abs=2.5 * error + 0.05 * predicted)


def test_a_large_batch_is_the_population():
    items = Items.of(law(2000, 1.5))
    many = muon_step.recovery_probability(items, 64, batch_size=10**8)
    np.testing.assert_allclose(many, muon_step.recovery_probability(items, 64), atol=0.01)


def test_smoothed_map_against_simulation_and_its_limits():
    n, d, seeds = 4000, 64, 8
    p, items = law(n, 1.5), Items.of(law(n, 1.5))
    resolution = float(d) ** -1.5
    counts = []
    for seed in range(seeds):
        U, V = draw(n, d, seed)
        counts.append(recovered(polar(gradient(U, V, p), resolution), U, V).sum())
    error = np.std(counts, ddof=1) / math.sqrt(seeds)
    predicted = muon_step.capacity(items, d, resolution=resolution)
    exact = muon_step.capacity(items, d)
    assert np.mean(counts) == pytest.approx(predicted, abs=2.5 * error + 0.04 * predicted)
    assert predicted < 0.9 * exact
    assert muon_step.capacity(items, d, resolution=1e-6 * resolution) == pytest.approx(
        exact, rel=1e-3
    )
    assert math.isnan(muon_step.capacity(items, d, resolution=10 * resolution))


def test_one_item_and_chance():
    one = Items.of(np.array([1.0]))
    np.testing.assert_allclose(
        muon_step.recovery_probability(one, 64, n_competitors=100.0), 1, atol=1e-3
    )
    rare = muon_step.recovery_probability(Items.power_law(3.0, 1e6), 8)[-1]
    assert rare == pytest.approx(1e-6, rel=1e-3)


@pytest.mark.parametrize(
    ("alpha", "exponents"),
    # From d = 1,000, half a decade each: values of another program.
    [
        (1.25, [1.409, 1.403, 1.401, 1.400]),
        (1.5, [1.343, 1.336, 1.334, 1.334]),
        (2.0, [1.260, 1.253, 1.251, 1.250]),
        (3.0, [1.178, 1.170, 1.168, 1.167]),
    ],
)
def test_local_exponents_and_the_constant_of_theorem_3(alpha, exponents):
    items = Items.power_law(alpha)

    def count(d):
        return muon_step.capacity(items, d, n_competitors=COMPETITORS)

    d = np.array([1000, 3000, 10_000, 30_000, 100_000])
    np.testing.assert_allclose(
        local_exponents(d, np.array([count(each) for each in d.tolist()])), exponents, atol=0.002
    )
    expected = muon_step.constant(alpha) * 1e6 ** (1 + 1 / (2 * alpha))
    expected *= threshold_moment(alpha, COMPETITORS)
    assert count(10**6) == pytest.approx(expected, rel=1e-3)


def test_m_0_of_items_without_end():
    # ζ(α) [(2α/π) sin(π/2α) d]^α, up to 1/d.
    alpha, d = 1.5, 10**5
    leading = zeta(alpha) * (2 * alpha / math.pi * math.sin(math.pi / (2 * alpha)) * d) ** alpha
    assert muon_step.largest_m(Items.power_law(alpha), d) == pytest.approx(leading, rel=1e-4)


def test_items_without_end_need_competitors():
    with pytest.raises(ValueError, match="need n_competitors"):
        muon_step.capacity(Items.power_law(1.5), 64)


def test_threshold_moment_against_a_sample():
    rng = np.random.default_rng(0)
    gap = norm.isf(-np.expm1(np.log(rng.random(400_000)) / 999)) - rng.standard_normal(400_000)
    sample = np.where(gap > 0, np.maximum(gap, 1e-9) ** (-1 / 2.0), 0)
    assert threshold_moment(2.0, 999.0) == pytest.approx(sample.mean(), abs=5 * sample.std() / 632)
