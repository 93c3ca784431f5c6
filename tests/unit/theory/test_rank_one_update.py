import numpy as np
import pytest

from spectral_capacity.theory.rank_one_update import RankOneUpdate


@pytest.mark.parametrize("p", [1e-9, 1e-3, 0.3, 40.0])
def test_against_a_dense_eigendecomposition(p):
    rng = np.random.default_rng(0)
    sigma = np.sort(np.arange(1, 31.0) ** -2.0 * rng.uniform(0.8, 1.2, 30))
    poles = np.concatenate([-sigma[::-1], [0], sigma])
    weight = rng.uniform(0.5, 2, poles.size)
    weight /= weight.sum()
    eigenvalues, found = RankOneUpdate(poles, weight).spectrum(p)
    e = np.sqrt(weight)
    expected, vectors = np.linalg.eigh(np.diag(poles) + p * np.outer(e, e))
    np.testing.assert_allclose(eigenvalues, expected, atol=1e-13 * max(p, 1))
    np.testing.assert_allclose(found, (vectors.T @ e) ** 2, rtol=1e-6, atol=1e-12)


def test_moments_are_exact_and_eigenvalues_interlace():
    """Σ w = 1, Σ w μ = Σ e² λ + p and Σ w μ² = |K e|², also where gaps differ by orders of magnitude."""
    poles = np.sort(np.concatenate([np.geomspace(1e-8, 1, 100), -np.geomspace(1e-8, 1, 100)]))
    update = RankOneUpdate(poles, np.full(200, 1 / 200))
    for p in (1e-7, 1e-3, 2.0):
        eigenvalues, weight = update.spectrum(p)
        assert (np.diff(eigenvalues) > 0).all()
        assert ((eigenvalues > poles) & (eigenvalues < np.append(poles[1:], np.inf))).all()
        assert weight.sum() == pytest.approx(1, rel=1e-12)
        assert weight @ eigenvalues == pytest.approx(p, rel=1e-8)
        assert weight @ eigenvalues**2 == pytest.approx(p**2 + (poles**2).mean(), rel=1e-12)
