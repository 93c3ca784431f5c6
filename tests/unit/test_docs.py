"""Examples of the documentation are run as they stand."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml
from pydantic import BaseModel

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.model import config_model
from spectral_capacity.config.parse import parse
from spectral_capacity.config.reference import figures, keys
from spectral_capacity.kinds.fields import options_of
from spectral_capacity.kinds.optimizers import LearningRate
from spectral_capacity.kinds.registry import KINDS
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import MAPS, own
from spectral_capacity.optimizers.rules import RULES
from tests.unit.configurations import DEFAULT, change

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
    given["experiments"] |= mine["experiments"]
    given["figures"] |= mine["figures"]
    config = parse(given, root=ROOT)

    G = Gradient(np.random.default_rng(0).standard_normal((8, 8)))
    for name in mine["optimizers"]:
        options = config.optimizers[name].map.model_dump(exclude={"name"})
        cut = np.linalg.svd(own(G, StepContext(8, 1.5, np.inf), **options), compute_uv=False)
        quantile = (options["options"] or {}).get("quantile", 0.5)
        np.testing.assert_allclose(cut.max(), np.quantile(G.singular_values, quantile))


def test_the_example_of_own_figures():
    (example,) = blocks("config/README.md", "yaml")
    given = change("experiments.mine", DEFAULT["experiments"]["one_step"] | {"steps": 2})
    given["figures"] |= yaml.safe_load(example)["figures"]
    with pytest.raises(ConfigError) as error:
        parse(given, root=ROOT)
    lacking = {problem.split(":")[0] for problem in error.value.problems}
    assert lacking == {"figures.fig2", "figures.mine_fig2"}  # they show one step
    given["experiments"]["mine"]["steps"] = 1
    with pytest.raises(ConfigError) as error:
        parse(given, root=ROOT)
    assert {problem.split(":")[0] for problem in error.value.problems} == {"figures.mine_loss"}


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
