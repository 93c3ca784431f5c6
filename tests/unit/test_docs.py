"""Examples of the documentation are run as they stand."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml
from pydantic import BaseModel

from spectral_capacity.config.model import config_model
from spectral_capacity.config.parse import parse
from spectral_capacity.config.reference import figures, keys
from spectral_capacity.kinds.fields import options_of
from spectral_capacity.kinds.optimizers import LearningRate
from spectral_capacity.kinds.registry import KINDS
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import MAPS, own
from spectral_capacity.optimizers.rules import RULES
from spectral_capacity.sampling.frequencies import read_table
from tests.unit.configurations import DEFAULT

ROOT = Path(__file__).parents[2]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_example_of_an_own_map(tmp_path):
    (source,) = blocks("docs/own_map.md", "python")
    (overlay,) = blocks("docs/own_map.md", "yaml")
    file = tmp_path / "my_maps.py"
    file.write_text(source)
    given = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    mine = yaml.safe_load(overlay)
    for optimizer in mine["optimizers"].values():
        optimizer["map"]["file"] = str(file)
    given["optimizers"] |= mine["optimizers"]
    given["experiments"]["spectral_maps"] |= mine["experiments"]["spectral_maps"]
    config = parse(given, root=ROOT)

    G = Gradient(np.random.default_rng(0).standard_normal((8, 8)))
    for name in mine["optimizers"]:
        options = config.optimizers[name].map.model_dump(exclude={"name"})
        cut = np.linalg.svd(own(G, StepContext(8, 1.5, np.inf), **options), compute_uv=False)
        quantile = (options["options"] or {}).get("quantile", 0.5)
        np.testing.assert_allclose(cut.max(), np.quantile(G.singular_values, quantile))


@pytest.mark.slow
def test_the_examples_of_own_data(tmp_path, monkeypatch):
    """The page from top to bottom: its table, its files, its experiments, its run without Snakemake."""
    page = "docs/own_data.md"
    monkeypatch.chdir(tmp_path)
    (table,) = blocks(page, "csv")
    (tmp_path / "first.csv").write_text(table)
    assert read_table("first.csv")[1] == ["the", "of", "and"]
    names: dict = {}
    for source in blocks(page, "python"):
        exec(source, names)

    for folder in ("config", "data"):  # which the default configuration names files in
        (tmp_path / folder).symlink_to(ROOT / folder)
    experiments = dict(DEFAULT["experiments"])
    for overlay in blocks(page, "yaml"):
        experiments |= yaml.safe_load(overlay)["experiments"]
    config = parse(DEFAULT | {"experiments": experiments}, root=tmp_path)
    (commands,) = blocks(page, "sh")
    assert {*re.findall(r"results/fits/(\w+)\.csv", commands)} <= {*config.experiments}

    grid = names["grid"]
    by_d = config.experiments["my_vectors_by_d"]
    assert by_d.coordinates(config.shared)["alpha"] == grid.alpha.values.tolist()
    largest = grid.capacity.sel(d=64)
    assert largest.sel(optimizer="muon").item() > largest.sel(optimizer="gd").item() > 0
    assert names["exponents"].sel(optimizer="muon") > names["exponents"].sel(optimizer="gd")


def test_the_example_of_an_own_experiment():
    (overlay,) = blocks("README.md", "yaml")
    mine = yaml.safe_load(overlay)
    given = {
        key: value | mine.get(key, {}) if isinstance(value, dict) else value
        for key, value in DEFAULT.items()
    }
    config = parse(given, root=ROOT)
    assert config.experiments["mine"].optimizers == ["gd", "muon", "half_muon"]
    assert config.figures.fig2.experiment == "mine"


@pytest.mark.parametrize(
    ("page", "make"), [("config/README.md", keys), ("docs/figures.md", figures)]
)
def test_pages_made_of_the_code_are_current(page, make):
    """``make docs`` writes them."""
    text = (ROOT / page).read_text()
    assert make(text) == text


def fields(model, prefix=""):
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", field
        nested = [m for m in (field.annotation, *get_args(field.annotation)) if isinstance(m, type)]
        for inner in nested:
            if issubclass(inner, BaseModel):
                yield from fields(inner, f"{prefix}{name}.")


def test_every_key_has_a_description():
    models = [config_model(), LearningRate, *KINDS.values()]
    models += [options_of(f, {}) for f in [*MAPS.values(), *RULES.values()]]
    for model in models:
        for name, field in fields(model):
            assert field.description, f"{model.__name__}: {name}"


def test_links_between_pages_lead_somewhere():
    pages = [
        ROOT / "README.md",
        *(ROOT / "docs").glob("*.md"),
        ROOT / "config/README.md",
        ROOT / "data/README.md",
    ]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
