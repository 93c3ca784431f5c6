"""No value of a configuration is run, and no file that is read can run anything but a map that it names."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = [
    path
    for folder in ("spectral_capacity", "scripts", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
WORKFLOW = [ROOT / "Snakefile", *sorted((ROOT / "workflow").rglob("*.smk"))]

MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "commands",
    "pty",
    "ctypes",
}
CALLS = {
    *("eval", "exec", "compile", "__import__", "execfile"),
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "yaml.unsafe_load_all"),
    *("np.load", "numpy.load", "pd.read_pickle", "pandas.read_pickle", "pd.eval", "runpy.run_path"),
}
LOADS = {"SourceFileLoader", "spec_from_file_location", "exec_module"}
"""What runs a file of Python; one module may, with a user's own map."""
SHELL = re.compile(r"^\s*(shell|run|exec)\s*:|\bshell\s*\(", re.MULTILINE)


def unsafe(source, own_map=False):
    """What a module has that may run more than its own code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            module = getattr(node, "module", None)
            yield from {(module or name).split(".")[0] for name in names} & MODULES
            yield from {*names} & LOADS if not own_map else ()
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            yield from {name} & CALLS
            yield from {name.rsplit(".")[-1]} & LOADS if not own_map else ()
            yield from {"shell", "allow_pickle"} & given.keys()
            if name == "yaml.load":
                loader = [*node.args[1:], *given.values()]
                yield from () if [ast.unparse(one) for one in loader] == ["_Loader"] else [name]


@pytest.mark.parametrize("path", PRODUCT, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_runs_what_it_reads(path):
    assert [*unsafe(path.read_bytes(), own_map=path.name == "own_map.py")] == []


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "import pickle",
        "from pickle import loads",
        "subprocess.run(text, shell=True)",
        "os.system(text)",
        "np.load(path)",
        "xr.load(path, allow_pickle=True)",
        "yaml.load(text, yaml.Loader)",
        "yaml.load(text)",
        "importlib.util.spec_from_file_location(name, path)",
    ],
)
def test_what_runs_more_than_its_own_code_is_found(source):
    assert len([*unsafe(source)]) == 1


def test_yaml_is_read_by_a_safe_loader():
    import yaml

    from spectral_capacity.results import plain_yaml

    safe = (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert issubclass(plain_yaml._Loader, safe)


@pytest.mark.parametrize("path", WORKFLOW, ids=lambda p: p.name)
def test_no_rule_has_a_shell(path):
    """Rules run scripts, whose values come as Python's, never as text of a command."""
    text = path.read_text()
    assert not SHELL.search(text)
    assert not re.search(r"\b(eval|exec|pickle|system|popen)\s*\(", text)


def test_a_rule_with_a_shell_is_found():
    assert SHELL.search('rule x:\n    shell:\n        "echo {params}"')
    assert SHELL.search("run:\n    shell('echo')")
