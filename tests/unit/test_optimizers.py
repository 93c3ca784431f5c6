"""What every update rule and every spectral map promises, whatever it does."""

import numpy as np
import pytest

from spectral_capacity.memory.moments import Moments
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import MAPS
from spectral_capacity.optimizers.rules import RULES, direction
from tests.unit.configurations import optimizer_settings

D = 12
MAP = """
import numpy as np

def root(gradient, context, *, power=0.5):
    return gradient.with_singular_values(gradient.singular_values**power)
"""
NEEDED = {
    "power": {"exponent": 0.5},
    "own": {"file": "root.py", "function": "root"},
    "block_polar": {"blocks": 3},
}
"""Options of maps that have no default."""

WRITTEN = {name: {"rule": name} for name in RULES if name != "spectral"} | {
    f"spectral {name}": {"rule": "spectral", "map": {"name": name, **NEEDED.get(name, {})}}
    for name in MAPS
}
KNOWS_THE_BASIS = {"sign", "spectral block_polar"}
LIFTS = {"sign"}
every_optimizer = pytest.mark.parametrize("name", WRITTEN)


@pytest.fixture
def optimizer(name, tmp_path):
    """As the configuration gives it to a cell: checked, with its defaults."""
    (tmp_path / "root.py").write_text(MAP)
    given = WRITTEN[name]
    if name == "spectral own":
        given = given | {"map": given["map"] | {"file": str(tmp_path / "root.py")}}
    return optimizer_settings(given)


class Rotated(Moments):
    """Second moments of embeddings that are turned: Q A Qᵀ of the outputs, P C Pᵀ of the inputs."""

    def __init__(self, Q, P):
        spectrum = np.arange(1, D + 1.0)
        self.A, self.C = (Q * spectrum**-1) @ Q.T, (P * spectrum**-2) @ P.T

    @property
    def output_covariance(self):
        return self.A

    @property
    def input_moment(self):
        return self.C


def orthogonal(seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((D, D)))[0]


def context(Q=None, P=None, step=1):
    identity = np.eye(D)
    Q, P = (identity if R is None else R for R in (Q, P))
    return StepContext(D, 1.5, np.inf, step, Rotated(Q, P))


def matrix(rank=D):
    sigma = np.where(np.arange(D) < rank, np.arange(1, D + 1.0) ** -1.5, 0)
    return (orthogonal(0) * sigma) @ orthogonal(3)


@every_optimizer
def test_a_direction_is_finite_repeatable_and_leads_downhill(optimizer):
    G = matrix()
    before = G.copy()
    for step in (1, 4):
        D1, D2 = (direction(optimizer, Gradient(G), context(step=step)) for _ in range(2))
        assert D1.shape == (D, D)
        assert D1.dtype == np.float64
        assert np.isfinite(D1).all()
        np.testing.assert_array_equal(D1, D2)
        assert (D1 * G).sum() > 0  # G is the negative gradient
    np.testing.assert_array_equal(G, before)


@every_optimizer
def test_a_gradient_of_zero_moves_nothing(optimizer):
    assert not direction(optimizer, Gradient(np.zeros((D, D))), context()).any()


@every_optimizer
def test_a_direction_turns_with_the_embeddings(name, optimizer):
    """No rule knows the basis, but for signs of entries and blocks of outputs."""
    G, Q, P = matrix(), orthogonal(1), orthogonal(2)
    plain = direction(optimizer, Gradient(G), context())
    turned = direction(optimizer, Gradient(Q @ G @ P.T), context(Q, P))
    as_turned = np.allclose(turned, Q @ plain @ P.T, rtol=0, atol=1e-9 * np.abs(plain).max())
    assert as_turned == (name not in KNOWS_THE_BASIS)


@every_optimizer
def test_what_lies_below_the_numerical_range_is_not_lifted(name, optimizer):
    """A gradient of rank five moves W in five directions; entry-wise signs have full rank."""
    moved = direction(optimizer, Gradient(matrix(rank=5)), context())
    sigma = np.linalg.svd(moved, compute_uv=False)
    assert (sigma[5] < 1e-6 * sigma[0]) == (name not in LIFTS)
