"""The whole chain, every experiment and figure, on the shipped smoke configuration."""

import netCDF4
import numpy as np
import pandas as pd
import pytest
import yaml

from spectral_capacity.config import FIGURES
from tests.workflow.conftest import ROOT, Workflow, copy_tree

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke") / "tree"
    copy_tree(folder)
    workflow = Workflow(folder, configfile="config/smoke.yaml", results_name="results-smoke")
    workflow.run()
    return workflow


def test_every_experiment_has_its_artefacts(smoke):
    names = yaml.safe_load((ROOT / "config/config.yaml").read_text())["experiments"]
    for name in names:
        assert (smoke.results / f"fits/{name}.csv").is_file()
        with netCDF4.Dataset(smoke.results / f"grids/{name}.nc") as grid:
            assert (grid["status"][:] == 0).all(), name
            assert (grid["capacity"][:] >= 0).all(), name
    for figure in FIGURES:
        assert (smoke.results / f"figures/{figure}.png").is_file()


def test_every_claim_was_held_against_a_measurement(smoke):
    rows = pd.read_csv(smoke.results / "claims.csv", keep_default_na=False)  # a claim is named NA
    claims = {claim["id"] for claim in yaml.safe_load((ROOT / "data/claims.yaml").read_text())}
    assert set(rows.claim) == claims
    # Memories of d ≤ 16 pin down no critical batch size, and one map stands for all of OPT's.
    unmeasured = set(rows.claim[rows.verdict == "not measured"])
    assert unmeasured <= {"T3B", "T5B", "INFO", "OPT"}


def test_the_grids_hold_what_the_experiments_ask_for(smoke):
    def read(experiment, name):
        with netCDF4.Dataset(smoke.results / f"grids/{experiment}.nc") as grid:
            return np.asarray(grid[name][:])

    sizes = read("minibatch", "batch_size")
    assert np.isinf(sizes[-1])
    seen = read("minibatch", "items_seen")
    assert (np.diff(seen, axis=4) >= 0).all()  # nested batches
    counts = read("anisotropy", "capacity")
    newton = counts[1]
    np.testing.assert_allclose(newton[:, 0], newton[:, 1], atol=1)  # any κ
    assert np.isfinite(read("loss", "best_loss")).all()
    assert (read("loss", "best_loss") <= read("loss", "loss")).all()
    assert np.isnan(read("one_step", "loss")).all()


def test_a_second_call_does_nothing(smoke):
    assert "Nothing to be done" in smoke.run()
