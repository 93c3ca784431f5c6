"""Files that must say the same thing."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from spectral_capacity.config.figure_modules import is_reserved
from spectral_capacity.kinds.registry import KINDS
from spectral_capacity.results.provenance import record

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"matplotlib": "matplotlib-base", "ml-dtypes": "ml_dtypes"}


def split(requirement):
    name, bound = re.match(r"([A-Za-z0-9_.-]+?)\s*([<>=!~].*)?$", requirement).groups()
    return name, bound or ""


def test_conda_environment_has_the_bounds_of_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    listed = dict(split(r) for r in [*conda, *pip["pip"]] if not r.startswith("--"))
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["slurm"]
    expected = {CONDA_NAMES.get(n, n): b for n, b in map(split, wanted)}
    expected |= {"python": PROJECT["requires-python"], "pip": ""}
    assert listed == expected


@pytest.mark.parametrize("lock", ["main", "cuda", "uv"])
def test_locks_are_hashed_and_hold_no_address(lock):
    text = (ROOT / f"requirements/{lock}.lock").read_text()
    assert "://" not in text
    pins = re.findall(r"^[a-z0-9][^\s]*==[^\n]*\\$", text, re.MULTILINE)
    requirements = re.findall(r"^[a-z0-9][^\n]*", text, re.MULTILINE | re.IGNORECASE)
    assert len(pins) == len(requirements) > 0
    assert text.count("--hash=sha256:") >= len(pins)


@pytest.mark.parametrize("lock", ["main", "cuda"])
def test_locks_cover_what_is_declared(lock):
    text = (ROOT / f"requirements/{lock}.lock").read_text()
    locked = {name.lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)}
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    assert {split(r)[0].lower() for r in wanted} <= locked


def test_the_profile_of_a_cluster_says_what_the_default_one_says():
    """It takes that one's place: what reruns follow must not depend on where jobs run."""
    default, slurm = (
        yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text())
        for name in ("default", "slurm")
    )
    for key in ("cores", "logger"):  # of one machine
        assert key not in slurm
        default.pop(key)
    assert {key: slurm.get(key) for key in default} == default


def test_results_name_the_version_of_pyproject():
    """It is read off the installed package: a constant in the code would retrain all with a release."""
    assert record({})["versions"]["spectral_capacity"] == PROJECT["version"]


def test_rules_scripts_logs_and_benchmarks_share_their_names():
    rules = "\n".join(p.read_text() for p in (ROOT / "workflow/rules").glob("*.smk"))
    of_kinds = {Path(kind.script).stem for kind in KINDS.values()}
    for script in (ROOT / "scripts").glob("*.py"):
        name = script.stem
        if name in {*of_kinds, "plot_figure"}:  # rules in a loop
            continue
        assert f"rule {name}:" in rules
        assert f'code=code("scripts/{name}.py")' in rules
        assert f"/logs/{name}" in rules
        # A benchmark is an output to Snakemake, and what only tells is told whenever it is asked.
        assert (f"/benchmarks/{name}" in rules) == (name not in ("plan", "prune"))
    assert of_kinds <= {script.stem for script in (ROOT / "scripts").glob("*.py")}
    assert len(list((ROOT / "scripts").glob("*.py"))) <= 8 + len(KINDS)


def test_names_of_rules_are_reserved():
    """An experiment or a figure of such a name would be a second rule of it."""
    files = [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]
    names = re.findall(r"^rule (\w+):", "\n".join(p.read_text() for p in files), re.MULTILINE)
    assert len(names) > 10
    assert all(is_reserved(name, KINDS) for name in [*names, "train_memory", "plot_fig2"])


def test_the_snakefile_overwrites_none_of_snakemakes_own_names():
    """Rule files run inside the namespace of ``snakemake.workflow``."""
    import snakemake.api
    import snakemake.workflow

    defined = set()
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        text = path.read_text()
        defined |= set(re.findall(r"^def (\w+)", text, re.MULTILINE))
        defined |= set(re.findall(r"^(\w+) = ", text, re.MULTILINE))
        for line in re.findall(r"^(?:import|from) .*$", text, re.MULTILINE):
            (node,) = ast.parse(line).body
            if not (isinstance(node, ast.Import) and node.names[0].asname is None):
                defined |= {alias.asname or alias.name for alias in node.names}
    assert "code" in defined
    clash = {n for n in defined if hasattr(snakemake.workflow, n)} - {"Path", "WorkflowError"}
    assert not clash


def test_tracked_files_are_small():
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.split(b"\0")
    assert max((ROOT / name.decode()).stat().st_size for name in tracked if name) < 2**20


def test_no_file_is_too_long():
    for path in [p for s in ("py", "smk") for p in ROOT.glob(f"[!.]*/**/*.{s}")]:
        assert len(path.read_text().splitlines()) <= 300, path
