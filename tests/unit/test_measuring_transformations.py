"""``measure`` of optax transformations: as they are, and as a file of the pipeline has them."""

import optax
import pytest
import xarray as xr

from spectral_capacity import measure
from spectral_capacity.config.messages import ConfigError
from tests.unit.test_measuring import SMALL, SOURCE, of_the_pipeline, plain

TRANSFORMATION = """
import optax

def heavy_ball(*, decay=0.9):
    return optax.chain(optax.trace(decay), optax.scale(-0.1))
"""


def heavy_ball(decay=0.9):
    return optax.chain(optax.trace(decay), optax.scale(-0.1))


def test_a_transformation_is_what_it_is_in_a_file_of_the_pipeline(tmp_path):
    """With a learning rate, which multiplies what it gives, and without a name."""
    (tmp_path / "mine.py").write_text(TRANSFORMATION)
    of_file = {"rule": "own", "file": str(tmp_path / "mine.py"), "function": "heavy_ball"}
    rate = {"learning_rate": {"scale": 2.0}}
    sizes = {"n_items": 200, "d": [8], "alpha": [1.5], "steps": 4, "seeds": 2}
    given = {"mine": of_file | {"options": {"decay": 0.5}}, "fast": of_file | rate}
    expected, _ = of_the_pipeline(tmp_path, given, **sizes)
    found = measure({"mine": heavy_ball(0.5), "fast": {"rule": heavy_ball()} | rate}, **sizes)
    xr.testing.assert_identical(plain(found), plain(expected))
    alone = measure(heavy_ball(0.5), **sizes | {"d": 8, "alpha": 1.5})
    xr.testing.assert_identical(plain(alone), plain(found.sel(optimizer=["mine"])))


def test_what_is_no_transformation_names_its_file(tmp_path):
    (tmp_path / "mine.py").write_text("def number():\n    return 3\n")
    of_file = {"rule": "own", "file": str(tmp_path / "mine.py"), "function": "number"}
    with pytest.raises(TypeError, match=r"mine.py: number returned int; must be an optax transfo"):
        measure({"mine": of_file}, **SMALL)


def test_a_function_of_a_file_that_takes_the_wrong_arguments_is_refused(tmp_path):
    (tmp_path / "maps.py").write_text(SOURCE)
    of_file = {"rule": "own", "file": str(tmp_path / "maps.py"), "function": "cut"}
    with pytest.raises(
        ConfigError, match=r"optimizers\.a: .*: cut must take its options after a \*"
    ):
        measure({"a": of_file}, **SMALL)
