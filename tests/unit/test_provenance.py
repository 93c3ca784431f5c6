from pathlib import Path

import pytest

from spectral_capacity.results.code_digest import _closure, code_digest
from spectral_capacity.results.provenance import record

ROOT = Path(__file__).parents[2]

FILES = {
    "script.py": "from spectral_capacity.a import f\nf()\n",
    "spectral_capacity/__init__.py": "",
    "spectral_capacity/a.py": (
        '"""Doc."""\nfrom spectral_capacity import b\n\n\ndef f():\n    """Doc."""\n    return b.X\n'
    ),
    "spectral_capacity/b.py": "X = 1\n",
    "spectral_capacity/unrelated.py": "Y = 1\n",
}


@pytest.fixture
def tree(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def digest_after(tree, name, text):
    (tree / name).write_text(text)
    return code_digest(tree / "script.py", tree)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("spectral_capacity/b.py", "# a comment\nX = 1\n"),
        ("spectral_capacity/b.py", "X    =   1"),
        ("spectral_capacity/b.py", '"""Now documented."""\n\nX = 1\n"""Of X."""\n'),
        ("spectral_capacity/a.py", FILES["spectral_capacity/a.py"].replace("Doc.", "Other.")),
        ("spectral_capacity/unrelated.py", "Y = 2\n"),
        ("script.py", "from spectral_capacity.a import (\n    f,\n)\n\nf()  # call\n"),
    ],
)
def test_what_does_not_run_does_not_count(tree, name, text):
    before = code_digest(tree / "script.py", tree)
    assert digest_after(tree, name, text) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("spectral_capacity/b.py", "X = 2\n"),
        ("spectral_capacity/b.py", "X = 1.0\n"),
        ("spectral_capacity/a.py", "def f():\n    return 1\n"),
        ("spectral_capacity/__init__.py", "import os\n"),
        ("script.py", "from spectral_capacity.a import f\nf(); f()\n"),
    ],
)
def test_what_runs_counts(tree, name, text):
    before = code_digest(tree / "script.py", tree)
    assert digest_after(tree, name, text) != before


def test_does_not_depend_on_where_the_tree_lies(tree, tmp_path_factory):
    import shutil

    other = tmp_path_factory.mktemp("elsewhere") / "tree"
    shutil.copytree(tree, other)
    assert code_digest(other / "script.py", other) == code_digest(tree / "script.py", tree)


def test_imports_inside_functions_count(tree):
    (tree / "spectral_capacity/a.py").write_text(
        "def f():\n    import spectral_capacity.b as b\n    return b.X\n"
    )
    before = code_digest(tree / "script.py", tree)
    assert digest_after(tree, "spectral_capacity/b.py", "X = 3\n") != before


def test_relative_imports_are_refused(tree):
    with pytest.raises(ValueError, match="relative import in line 1"):
        digest_after(tree, "spectral_capacity/a.py", "from . import b\n")


def behind(script, *modules):
    """Modules of the package that a script's digest covers, as ``room/module``."""
    package = ROOT / "spectral_capacity"
    files = (
        p for p in _closure(ROOT, ROOT / "scripts" / script, *modules) if p.is_relative_to(package)
    )
    return {str(p.relative_to(package).with_suffix("")) for p in files}


def rooms(script, *modules):
    return {name.split("/")[0] for name in behind(script, *modules) if "/" in name}


def test_import_sets_are_small():
    """What a change of the numerical core must not redraw, and of figures not retrain."""
    core = {"memory", "optimizers", "training"}
    for script in ("plot_figure.py", "check_claims.py", "fit_exponents.py"):
        assert not rooms(script) & core, script
    for figure in (ROOT / "spectral_capacity/figures").glob("*.py"):
        assert not rooms("plot_figure.py", figure) & core, figure
    assert rooms("assemble_grid.py") == {"results"}
    assert not rooms("plot_figure.py", ROOT / "spectral_capacity/figures/fig2.py") & {
        "analysis",
        "kinds",
    }
    assert core <= rooms("train_memory.py")
    for script in ("train_memory.py", "generate_embeddings.py"):
        assert not rooms(script) & {"analysis", "figures", "kinds", "config"}


def test_scripts_are_thin():
    for script in (ROOT / "scripts").glob("*.py"):
        assert len(script.read_text().splitlines()) <= 25, script


def test_the_package_knows_nothing_of_snakemake():
    for module in (ROOT / "spectral_capacity").rglob("*.py"):
        assert "import snakemake" not in module.read_text(), module


def test_record_is_plain_and_the_same_twice():
    import json

    first = record({"x": 1}, {"backend": "cpu"})
    assert json.loads(json.dumps(first)) == first == record({"x": 1}, {"backend": "cpu"})
    assert first["versions"]["jax"]
