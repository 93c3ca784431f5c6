"""The whole chain, every experiment and figure, on the shipped smoke configuration."""

import json

import netCDF4
import numpy as np
import pandas as pd
import pytest
import yaml

from spectral_capacity.config.figure_modules import figure_modules
from spectral_capacity.kinds.registry import KINDS
from spectral_capacity.results.read_provenance import read_provenance
from spectral_capacity.results.schema import Status
from tests.workflow.conftest import ROOT, Workflow, copy_tree

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def test_the_smoke_configuration(tmp_path):
    """One test: the run takes a minute, and xdist would repeat it for every worker."""
    copy_tree(tmp_path / "tree")
    smoke = Workflow(
        tmp_path / "tree", configfile="config/smoke.yaml", results_name="results-smoke"
    )
    smoke.run()
    every_experiment_has_its_artefacts(smoke)
    every_claim_was_held_against_a_measurement(smoke)
    the_grids_hold_what_the_experiments_ask_for(smoke)
    every_file_knows_what_it_was_made_from(smoke)
    assert "Nothing to be done" in smoke.run()


def every_experiment_has_its_artefacts(smoke):
    experiments = yaml.safe_load((ROOT / "config/config.yaml").read_text())["experiments"]
    for name, experiment in experiments.items():
        if experiment.get("kind", "memory") != "memory":
            continue
        assert (smoke.results / f"fits/{name}.csv").is_file()
        with netCDF4.Dataset(smoke.results / f"grids/{name}.nc") as grid:
            status = np.asarray(grid["status"][:])
            ran = status != Status.NOT_RUN  # after an early stop
            assert ran.all() or name == "long_run"
            # What is learnt to the last digit of float64 leaves the gradient of a later step.
            known = {Status.OK, Status.PRECISION_LIMITED} if status.shape[-1] > 1 else {Status.OK}
            assert set(status[ran].tolist()) <= known, name
            assert (np.asarray(grid["capacity"][:])[ran] >= 0).all(), name
    for name, figure in figure_modules(KINDS).items():
        shown = figure.shows.values() if isinstance(figure.shows, dict) else [figure.shows]
        if experiments.keys() >= {*shown}:
            assert (smoke.results / f"figures/{name}.png").is_file(), name


def every_claim_was_held_against_a_measurement(smoke):
    rows = pd.read_csv(smoke.results / "claims.csv")
    claims = {claim["id"] for claim in yaml.safe_load((ROOT / "data/claims.yaml").read_text())}
    assert set(rows.claim) == claims
    # At d ≤ 16 there is no critical batch size to find, GD may recover nothing, and maps run at one d.
    assert set(rows.verdict) == {"too small", "not measured"}
    # One transformer's optimizer is trained there, so that none is held against another.
    unmeasured = {claim for claim in claims if claim.startswith("ICL")}
    unmeasured |= {"T3B", "T5B", "INFO", "INFO steps", "OPT", "SIGN", "T5 loss", "T3 slope"}
    # And some optimizers of these are not trained.
    unmeasured |= {"OPT resolution", "CONJ", "CONJ count"}
    assert set(rows.claim[rows.verdict == "not measured"]) <= unmeasured


def the_grids_hold_what_the_experiments_ask_for(smoke):
    def read(experiment, name):
        with netCDF4.Dataset(smoke.results / f"grids/{experiment}.nc") as grid:
            return np.asarray(grid[name][:])

    assert np.isinf(read("minibatch", "batch_size")[-1])
    assert (np.diff(read("minibatch", "items_seen"), axis=4) >= 0).all()  # nested batches
    newton = read("anisotropy", "capacity")[1]
    np.testing.assert_allclose(newton[:, 0], newton[:, 1], atol=1)  # any κ
    assert np.isfinite(read("loss", "best_loss")).all()
    assert (read("loss", "best_loss") <= read("loss", "loss")).all()
    assert np.isnan(read("one_step", "loss")).all()
    for accuracy in (read("incontext", "accuracy_ood"), read("incontext", "accuracy_id")):
        assert accuracy.shape == (1, 1, 1, 1, 2, 2, 2, 2)
        assert ((accuracy >= 0) & (accuracy <= 1)).all()
    status = read("incontext_exponents", "status")
    assert (status[:, 1, 1] == Status.NOT_RUN).all()  # no pair [1, 1] in its exponents
    assert (np.delete(status.reshape(4, -1), 3, axis=0) == Status.OK).all()


def every_file_knows_what_it_was_made_from(smoke):
    figures = [*smoke.results.glob("figures/[!.]*")]
    fits = [*smoke.results.glob("fits/[!.]*")]
    grids = [*smoke.results.glob("grids/[!.]*")]
    pages = [smoke.results / name for name in ("claims.csv", "claims.html", "index.html")]
    for path in [*figures, *fits, *grids, *pages]:
        made = read_provenance(path)
        assert made["code"], path
        assert made["versions"]["numpy" if path not in pages[2:] else "jinja2"], path
        assert str(smoke.folder) not in json.dumps(made), path
        if path in grids:
            assert made["cells"][0]["device"], path
        if path in figures:
            for grid in made["grids"].values():
                assert grid["configuration"]["coordinates"]["seed"], path
    made = read_provenance(smoke.results / "figures/thresholded.png")
    assert {*made["grids"]} == {"gd_against_muon", "gd_against_muon_thresholded"}
