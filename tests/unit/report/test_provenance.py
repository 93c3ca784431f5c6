"""What the page of a run says of where its results come from, and what it knows itself."""

import json
import re

import pytest

from spectral_capacity.report import index
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.results.provenance import record
from spectral_capacity.results.read_provenance import read_provenance
from tests.unit.report.results import page_of, run_of
from tests.unit.report.test_index import section, words_of


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return page_of(tmp_path_factory.mktemp("results"))


def folded(text, name):
    """The words of what unfolds under this summary, at the end of the page."""
    end = section(text, "provenance")
    return words_of(re.search(rf"<summary>{name}</summary>(.*?)</details>", end, re.DOTALL)[1])


def test_every_experiment_shows_its_seeds_code_versions_device_and_settings(text):
    shown = folded(text, "one_step")
    assert "Seeds 0 … 2, of root seed 17" in shown
    assert "training code_of_cells, grid code_of_grid, fits code_of_fits" in shown
    assert "Device H100, cpu" in shown
    assert "Commit 000000000000; " in shown  # that of this tree may stand between the two
    assert "; 111111111111, with changes that are not committed" in shown
    assert "numpy 2.0, numpy 2.1" in shown
    assert "n_items: 2000" in shown
    assert "map: {name: polar}" in shown
    assert "fits: {confidence: 0.95}" in shown


def test_the_run_shows_its_root_seed_device_and_the_page_its_code(text):
    shown = folded(text, "The run")
    assert "Root seed 17" in shown
    assert "Device H100, cpu" in shown
    assert "numpy 2.0 and 2.1" in shown
    assert "code code_of_page" in shown


@pytest.mark.parametrize("formats", [["svg", "png"], ["pdf"]])
def test_figures_and_claims_show_their_code_and_options(formats, tmp_path):
    shown = folded(page_of(tmp_path, formats=formats), "Figures and claims")
    for name in ("fig2", "fig3", "fig4", "claims"):
        assert f"{name} code_of_{name}" in shown
    assert 'x: ["d"]' in shown.replace("&#34;", '"')
    assert f"python {record({})['versions']['python']}" in shown


def test_it_is_folded_and_last(text):
    end = section(text, "provenance")
    assert "<details open" not in end
    assert text.index('id="provenance"') > text.index('id="what-was-run"')
    assert 'href="#provenance"' in section(text, "run")


def test_the_page_knows_the_grids_and_fits_behind_it(tmp_path):
    run = run_of(tmp_path)
    index.write(**vars(run))
    made = read_provenance(run.page)
    assert made["code"] == "code_of_page"
    assert made["grids"]["one_step"]["code"] == "code_of_grid"
    assert made["grids"]["one_step"]["cells"][1]["code"] == "code_of_cells"
    assert made["fits"]["one_step"]["configuration"]["confidence"] == 0.95
    assert json.dumps(made).count("words.csv") == 1


def test_no_folder_of_the_machine_is_on_the_page(text):
    assert "words.csv" in text
    assert "/home/me" not in text


def test_results_of_an_older_version_have_a_dash(tmp_path):
    run = run_of(tmp_path)
    write_netcdf(tmp_path / "fits/one_step.nc", {}, {"title": "Fits"})
    (tmp_path / "claims.html").write_text("<html></html>")
    index.write(**vars(run) | {"provenance": None})
    text = run.page.read_text()
    assert "training code_of_cells, grid code_of_grid Commit" in folded(text, "one_step")
    assert "claims – –" in folded(text, "Figures and claims")
    assert "This page" not in folded(text, "The run")
