import math

import numpy as np
import pytest

from spectral_capacity.analysis.asymptotes import COMPETITORS
from spectral_capacity.analysis.lines import local_exponents
from spectral_capacity.theory import gradient_step, newton_step
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.recovery import threshold_moment
from tests.unit.theory.simulated import draw, gradient, law, recovered


def newton(U, V, p, ridge):
    A = np.cov(V.T, bias=True)
    C = (U.T * p) @ U + ridge * np.eye(U.shape[1])
    return np.linalg.solve(A, np.linalg.solve(C, gradient(U, V, p).T).T)


def mean_and_error(counts):
    return np.mean(counts), np.std(counts, ddof=1) / math.sqrt(len(counts))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("d", "alpha", "ridge"), [(64, 1.5, 0.0), (128, 1.5, 0.0), (128, 2.5, 1e-8), (64, 2.5, 1e-4)]
)
def test_newton_against_simulation(d, alpha, ridge):
    n, p = 4000, law(4000, alpha)
    counts = []
    for seed in range(6):
        U, V = draw(n, d, seed)
        counts.append(recovered(newton(U, V, p, ridge), U, V).sum())
    mean, error = mean_and_error(counts)
    predicted = newton_step.capacity(Items.of(p), d, ridge=ridge)
    assert mean == pytest.approx(predicted, abs=2.5 * error + 0.03 * predicted)


def test_newton_does_not_see_the_covariance_of_outputs():
    # The prediction has no covariance in it: the recovered set has none.
    n, d = 500, 16
    U, V = draw(n, d, 0)
    skew = V * np.arange(1, d + 1.0) ** -1
    hits = [recovered(newton(U, X, law(n, 1.5), 0.0), U, X) for X in (V, skew)]
    np.testing.assert_array_equal(*hits)


@pytest.mark.parametrize("ridge", [0.0, 1e-3])
def test_mean_inverse_against_a_draw(ridge):
    n, d = 20_000, 64
    p = law(n, 1.5)
    U, _ = draw(n, d, 0)
    drawn = np.linalg.inv((U.T * p) @ U + ridge * np.eye(d)).trace() / d
    assert newton_step.mean_inverse(Items.of(p), d, ridge) == pytest.approx(drawn, rel=0.03)


def test_newton_needs_more_items_than_dimensions():
    with pytest.raises(ValueError, match="30 items do not span 64 dimensions"):
        newton_step.capacity(Items.of(law(30, 1.5)), 64)


@pytest.mark.parametrize("alpha", [1.25, 2.0])
def test_newton_continued_has_its_constant_and_exponent(alpha):
    items = Items.power_law(alpha)

    def count(d):
        return newton_step.capacity(items, d, n_competitors=COMPETITORS)

    expected = newton_step.constant(alpha) * 1e6 ** (1 + 1 / (2 * alpha))
    assert count(10**6) == pytest.approx(expected * threshold_moment(alpha, COMPETITORS), rel=2e-3)
    d = np.array([300_000, 1_000_000])
    (exponent,) = local_exponents(d, np.array([count(each) for each in d.tolist()]))
    assert exponent == pytest.approx(1 + 1 / (2 * alpha), abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("d", "alpha", "batch_size"), [(32, 1.5, None), (128, 1.25, None), (64, 2.0, 64)]
)
def test_gradient_descent_against_simulation(d, alpha, batch_size):
    n, seeds, first = 4000, 40, 500
    p, items = law(n, alpha), Items.of(law(n, alpha))
    hits = []
    for seed in range(seeds):
        U, V = draw(n, d, seed)
        q = p
        if batch_size:
            q = np.random.default_rng(seed).multinomial(batch_size, p) / batch_size
        hits.append(recovered(gradient(U, V, q), U, V)[:first])
    mean, error = mean_and_error(np.sum(hits, axis=1))
    probability = gradient_step.recovery_probability(items, d, batch_size=batch_size)
    probability = items.at_ranks(probability, np.arange(1.0, first + 1))
    assert mean == pytest.approx(probability.sum(), abs=2.5 * error + 0.03 * mean)
    # Items that lose half of the time are spread over many ranks.
    often = np.mean(hits, axis=0)[:20]
    np.testing.assert_allclose(often, probability[:20], atol=0.26)


def test_gradient_descent_on_a_large_batch_is_the_population():
    items = Items.of(law(2000, 1.5))
    many = gradient_step.recovery_probability(items, 64, batch_size=10**8)
    np.testing.assert_allclose(many, gradient_step.recovery_probability(items, 64), atol=0.01)


def test_gradient_descent_against_monte_carlo_over_all_parts():
    n, d, rank, draws = 200, 16, 2, 20_000
    p = law(n, 1.5)
    rng = np.random.default_rng(0)
    wins = 0
    for _ in range(draws // 200):
        u = rng.standard_normal((200, d)) / math.sqrt(d)
        U, V = rng.standard_normal((2, n, d)) / math.sqrt(d)
        fresh = rng.standard_normal((200, d)) / math.sqrt(d)
        others = np.delete(np.arange(n), rank)
        z = (u @ (U[others].T * p[others])) @ V[others]
        z += p[rank] * (u**2).sum(axis=1, keepdims=True) * fresh
        wins += ((z @ V[others].T).max(axis=1) < (z * fresh).sum(axis=1)).sum()
    probability = gradient_step.recovery_probability(Items.of(p), d)[rank]
    assert probability == pytest.approx(wins / draws, abs=0.02)


@pytest.mark.parametrize(("alpha", "theorem"), [(1.25, 0.4), (1.5, 1 / 3), (2.0, 0.25)])
def test_gradient_descent_continued_has_the_exponent_of_theorem_5(alpha, theorem):
    items = Items.power_law(alpha)

    def count(d):
        return gradient_step.capacity(items, d, n_competitors=COMPETITORS)

    d = np.array([300, 1000, 10**5, 10**6])
    early, late = local_exponents(d, np.array([count(each) for each in d.tolist()]))[[0, 2]]
    assert late == pytest.approx(theorem, abs=0.015)
    assert early > theorem + 0.08  # it is late
