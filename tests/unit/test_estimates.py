"""What a run is said to need, against what is counted by hand and what was measured."""

import pytest
import yaml
from spectral_capacity.config.estimates import Rates, cell_bytes, cell_seconds, duration, plan

from spectral_capacity.config import cells, parse
from tests.workflow.conftest import ROOT

RATES = Rates(float64=1e11, float32=2e11, exponentials=2.5e9, host=1e11)


@pytest.fixture
def config():
    given = yaml.safe_load((ROOT / "config/config.yaml").read_text())

    def change(**experiment):
        given["experiments"] = {"one_step": given["experiments"]["one_step"] | experiment}
        given["figures"] = dict.fromkeys(given["figures"], None) | {
            key: given["figures"][key] for key in ("formats", "finite_size", "style")
        }
        return parse(given, root=ROOT)

    return change


def time_of(config, **experiment):
    shape = {"n_items": 20_000, "d": [64], "alpha": [1.5], "optimizers": ["muon"], "seeds": 1}
    changed = config(**shape | experiment)
    (cell,) = cells(changed, "one_step")
    return cell_seconds(cell, changed, RATES)


def test_time_of_a_softmax_is_its_operations(config):
    n, d = 20_000, 64
    two, three = time_of(config, steps=2), time_of(config, steps=3)
    floor = 4 * n**2 * d / 2e11 + n**2 / 2.5e9
    assert floor < three - two < 2.5 * floor
    assert time_of(config, steps=3, batch_size=[64]) < two
    assert time_of(config, steps=3, gradient="thresholded") < two


def test_time_grows_with_what_is_asked_for(config):
    base = time_of(config)
    for more in ({"d": [256]}, {"loss": {}}, {"optimizers": ["newton"]}, {"n_items": 200_000}):
        assert time_of(config, **more) > base, more


def test_memory_has_the_embeddings_and_the_means(config):
    n, d = 250_000, 128
    shape = {"n_items": n, "d": [d], "alpha": [1.5], "optimizers": ["muon"]}
    one, many = (
        cell_bytes(cells(changed, "one_step")[0], changed)
        for changed in (config(**shape), config(**shape, steps=2))
    )
    assert many - one == 4 * n * d
    assert 8 * n * d < one < 2**31


def test_the_plan_has_a_line_for_each_dimension(config):
    changed = config(d=[32, 64], alpha=[1.5, 2.0], seeds=8)
    lines = plan(changed, cells(changed, "one_step"), RATES).splitlines()
    assert lines[0].split()[:5] == ["experiment", "d", "items", "steps", "cells"]
    assert [line.split()[1] for line in lines[1:-1]] == ["32", "64"]
    assert all(line.split()[4] == "8" for line in lines[1:-1])  # optimizers × α × seed blocks
    assert lines[-1].startswith("all cells")


def test_durations():
    assert [duration(s) for s in (3.0, 89.0, 600.0, 7200.0)] == ["3 s", "89 s", "10 min", "2.0 h"]
