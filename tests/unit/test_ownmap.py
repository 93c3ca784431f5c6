"""A user's own map: checked without being run, then run."""

import numpy as np
import pytest

from spectral_capacity import ownmap
from spectral_capacity.spectral import Gradient, StepContext, own, power

CONTEXT = StepContext(4, 1.5, np.inf)
SOURCE = """
import numpy as np

def root(gradient, context, *, exponent, shift=0.0):
    return gradient.with_singular_values((gradient.singular_values + shift) ** exponent)

def text(gradient, context):
    return "muon"

def vector(gradient, context):
    return np.ones(3)

def anything(gradient, context, **options):
    return options["a"] * gradient.matrix

def alone(gradient):
    return gradient.matrix
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "maps.py"
    path.write_text(SOURCE)
    return str(path)


def test_an_own_map_is_called_with_its_options(file):
    G = Gradient(np.random.default_rng(0).standard_normal((4, 4)))
    mine = own(G, CONTEXT, file=file, function="root", options={"exponent": 0.5})
    np.testing.assert_allclose(mine, power(G, CONTEXT, exponent=0.5))
    ownmap.check(file, "root", ["exponent"])
    ownmap.check(file, "anything", ["a"])


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("rooot", [], "no function 'rooot'.*it has: root, text"),
        ("root", ["exponent", "power"], "no option 'power'; it has: exponent, shift"),
        ("root", [], "needs the option 'exponent'"),
        ("alone", [], r"must take \(gradient, context\)"),
    ],
)
def test_what_does_not_fit_is_said_without_running_the_file(file, function, options, message):
    with pytest.raises(ValueError, match=message):
        ownmap.check(file, function, options)


def test_a_file_that_is_not_python(tmp_path):
    path = tmp_path / "maps.py"
    path.write_text("def root(:")
    with pytest.raises(ValueError, match="is not Python"):
        ownmap.check(path, "root", [])


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        ("text", TypeError, "returned str"),
        ("vector", ValueError, r"shape \(3,\), must be \(4, 4\)"),
    ],
)
def test_what_is_not_a_direction_names_the_file(file, function, error, message):
    with pytest.raises(error, match=message):
        own(Gradient(np.eye(4)), CONTEXT, file=file, function=function)
