"""A user's own map: checked without being run, then run."""

from functools import partial

import numpy as np
import pytest

from spectral_capacity.optimizers import own_map as ownmap
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import own, power
from spectral_capacity.results.schema import Status
from spectral_capacity.training.cell import train_cell
from tests.unit.cells import RATE, cell

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

def rotated(gradient, context):
    return 1j * gradient.matrix

def editing(gradient, context):
    gradient.singular_values[:] = 0.0
    return gradient.matrix

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


def test_an_option_may_have_any_other_name(file):
    G = Gradient(np.ones((4, 4)))
    options = {"a": 2.0, "function": 1.0, "what": "x", "self": True}
    doubled = own(G, CONTEXT, file=file, function="anything", options=options)
    np.testing.assert_array_equal(doubled, 2 * G.matrix)
    ownmap.check(file, "anything", options)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("rooot", [], "no function 'rooot'.*it has: root, text"),
        ("root", ["exponent", "power"], "no option 'power'; it has: exponent, shift"),
        ("root", [], "needs the option 'exponent'"),
        ("alone", [], r"must take \(gradient, context\)"),
        ("anything", ["gradient"], "has 'gradient' already: it is no option"),
    ],
)
def test_what_does_not_fit_is_said_without_running_the_file(file, function, options, message):
    with pytest.raises(ValueError, match=message):
        ownmap.check(file, function, options)


@pytest.mark.parametrize(
    ("function", "lacks"),
    [
        (lambda s: s, "too many positional arguments"),
        (lambda gradient, context, at: at, "missing a required argument: 'at'"),
        (lambda gradient, context, *, at: at, "missing a required .*'at'"),
    ],
)
def test_a_function_that_cannot_be_called_is_told_what_it_takes(function, lacks):
    with pytest.raises(ValueError, match=rf"mine must take \(gradient, context\).*{lacks}"):
        ownmap.check_signature(function, "mine")


@pytest.mark.parametrize(
    "function",
    [
        lambda gradient, context: gradient.matrix,
        lambda *arguments: arguments[0].matrix,
        partial(lambda gradient, context, *, at: at * gradient.matrix, at=2.0),
        np.ldexp,  # has no signature that Python knows, in some versions
    ],
)
def test_a_function_that_may_be_called_is_let_through(function):
    ownmap.check_signature(function, "mine")


@pytest.mark.parametrize(
    "text",
    ["def root(:", "a = " + "(" * 1000, "a = " + "-" * 10**5 + "1", "a" + ".a" * 10**5, "\0"],
)
def test_a_file_that_is_not_python(tmp_path, text):
    path = tmp_path / "maps.py"
    path.write_text(text)
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


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_an_error_of_the_map(tmp_path, draws, bad):
    """And no divergence: the job fails, with what one must know to find it."""
    path = tmp_path / "maps.py"
    path.write_text(
        "def h(gradient, context):\n"
        f"    return gradient.matrix * (float('{bad}') if context.step == 2 else 1.0)\n"
    )
    map_ = {"name": "own", "file": str(path), "function": "h"}
    optimizer = {"rule": "spectral", "map": map_, **RATE}
    this = cell(optimizer, 40, 4, steps=3, seeds=(7,), batch_sizes=(64,))
    with pytest.raises(
        FloatingPointError, match=r"maps\.py: h returned NaN or inf at step 2"
    ) as error:
        train_cell(this, lambda seed: draws(40, 4))
    assert error.value.__notes__ == ["seed 7, batch size 64.0"]


def test_a_finite_direction_that_leads_beyond_all_bounds_diverges(tmp_path, draws):
    path = tmp_path / "maps.py"
    path.write_text("def h(gradient, context):\n    return 1e200 * gradient.matrix\n")
    map_ = {"name": "own", "file": str(path), "function": "h"}
    this = cell({"rule": "spectral", "map": map_, **RATE}, 40, 4, steps=2)
    status = train_cell(this, lambda seed: draws(40, 4))["status"]
    assert (status == Status.DIVERGED).all()


def test_a_file_may_have_dataclasses_neighbours_and_any_name(tmp_path):
    (tmp_path / "neighbour_of_maps.py").write_text("HALF = 0.5\n")
    path = tmp_path / "maps.txt"
    path.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from neighbour_of_maps import HALF\n"
        "@dataclass\nclass Cut:\n    at: float\n"
        "def h(gradient, context):\n    return Cut(HALF).at * gradient.matrix\n"
    )
    G = Gradient(np.eye(4))
    np.testing.assert_array_equal(own(G, CONTEXT, file=str(path), function="h"), 0.5 * np.eye(4))


def test_a_relative_import_is_refused(tmp_path):
    path = tmp_path / "maps.py"
    path.write_text("from . import x\ndef h(gradient, context): ...\n")
    with pytest.raises(ValueError, match="relative import"):
        ownmap.check(path, "h", [])
