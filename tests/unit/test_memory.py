import jax.numpy as jnp
import numpy as np
import pytest

from spectral_capacity.backend import jax
from spectral_capacity.memory.associations import Associations, weighted_products
from spectral_capacity.sampling.frequencies import power_law
from tests import oracle


@pytest.mark.parametrize(("n", "d"), [(2, 2), (17, 5), (300, 24), (257, 16)])
@pytest.mark.parametrize("alpha", [1.25, 3.0])
def test_equals_the_softmax_gradient_at_zero(draws, n, d, alpha):
    U, V = draws(n, d)
    p = power_law(n, alpha)
    expected = oracle.gradient(np.zeros((d, d)), U, V, p)
    G = Associations(jnp.asarray(U), jnp.asarray(V)).initial_gradient(p)
    np.testing.assert_allclose(G, expected, rtol=1e-12, atol=1e-15)
    assert G.dtype == np.float64


def test_is_the_derivative_of_the_loss(draws):
    U, V = draws(40, 6)
    p = power_law(40, 1.5)

    def loss(W):
        s = jnp.asarray(U, jnp.float64) @ W.T @ jnp.asarray(V, jnp.float64).T
        return jnp.sum(p * (jax.nn.logsumexp(s, axis=1) - jnp.diag(s)))

    expected = -jax.grad(loss)(jnp.zeros((6, 6)))
    G = Associations(jnp.asarray(U), jnp.asarray(V)).initial_gradient(p)
    np.testing.assert_allclose(G, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("block", [1, 7, 64, 299, 300, 1000])
def test_does_not_depend_on_the_block(draws, block):
    U, V = map(jnp.asarray, draws(300, 8))
    p = power_law(300, 2.0)
    data = Associations(U, V)
    other = weighted_products(V, U, p, centre=data.output_mean, item_block=block)
    reference = data.initial_gradient(p)
    np.testing.assert_allclose(other, reference, rtol=1e-12, atol=1e-16)


def test_unseen_items_count_in_the_mean_only(draws):
    U, V = map(jnp.asarray, draws(50, 4))
    q = np.zeros(50)
    q[[3, 7]] = 0.5
    mean = np.asarray(V, np.float64).mean(axis=0)
    expected = sum(0.5 * np.outer(np.asarray(V[i], np.float64) - mean, U[i]) for i in (3, 7))
    G = Associations(U, V).initial_gradient(q)
    np.testing.assert_allclose(G, expected, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("n_seen", [0, 1, 37, 300])
def test_second_moments(draws, n_seen):
    U, V = draws(300, 8)
    data = Associations(jnp.asarray(U), jnp.asarray(V))
    q = np.zeros(300)
    q[:n_seen] = 1 / max(n_seen, 1)
    expected = sum((w * np.outer(u, u) for w, u in zip(q, U.astype(float), strict=True)), 0.0)
    np.testing.assert_allclose(data.input_moment(q), expected, rtol=1e-11, atol=1e-15)
    covariance = np.cov(V.astype(float).T, bias=True)
    np.testing.assert_allclose(data.output_covariance, covariance, rtol=1e-11, atol=1e-15)
