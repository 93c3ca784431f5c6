"""Examples of the documentation are run as they stand."""

import re
from pathlib import Path

import numpy as np
import yaml

from spectral_capacity.config.parse import parse
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import own

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
