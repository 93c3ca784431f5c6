"""The package's rooms import one way, module by module."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "spectral_capacity"
ORDER = re.findall(
    r"\w+", re.search(r"\n\n((?: +[\w <]+\n)+)", PACKAGE.joinpath("__init__.py").read_text())[1]
)
MODULES = sorted(PACKAGE.rglob("*.py"))
FACES = {"embeddings", "measuring"}
"""Modules at the top that are for users; nothing in the package imports them."""


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path):
    """Every module of the package that a file imports, as parts below the package, with the names taken."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "spectral_capacity":
                    yield alias.name.split(".")[1:], ()
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            first, *parts = node.module.split(".")
            if first == "spectral_capacity":
                yield parts, tuple(alias.name for alias in node.names)


def test_every_room_has_its_place_in_the_order():
    rooms = {room(path) for path in MODULES} - {"__init__"} - FACES
    assert rooms == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way_and_name_modules(path):
    own = room(path)
    for parts, names in imports(path):
        assert parts, f"a room is imported by its name: {names}"
        assert parts[0] not in FACES
        if own not in FACES:
            assert ORDER.index(parts[0]) <= ORDER.index(own), f"{own} imports {parts[0]}"
        target = PACKAGE.joinpath(*parts)
        if target.is_dir():  # from room import module
            for name in names:
                assert (target / f"{name}.py").is_file(), f"{'.'.join(parts)}.{name} is no module"
            assert names, f"a room is imported by its name: {parts}"


@pytest.mark.parametrize("path", [*PACKAGE.rglob("*/__init__.py")], ids=lambda p: p.parent.name)
def test_rooms_hold_a_docstring_and_nothing_else(path):
    (docstring,) = ast.parse(path.read_text()).body
    assert isinstance(docstring.value.value, str)


def test_few_modules_stand_outside_of_a_room():
    assert len(list(PACKAGE.glob("*.py"))) <= 5


def test_the_package_hands_on_two_names_and_imports_nothing_until_they_are_asked_for():
    """It is part of the digest behind every result, and is run for any import of a module."""
    assert [*imports(PACKAGE / "__init__.py")] == []
    code = """if True:
        import sys, spectral_capacity
        assert not [name for name in sys.modules if name.startswith("spectral_capacity.")]
        assert not {"numpy", "jax", "xarray"} & {*sys.modules}
        from spectral_capacity import fit, measure
        assert measure.__module__ == fit.__module__ == "spectral_capacity.measuring"
        assert not hasattr(spectral_capacity, "measuer")
    """
    subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, check=True)
