"""Snakemake's report of a finished run."""

import json
import re

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_report_says_what_each_figure_is(finished, suffix):
    if suffix == "png":  # the finished run has figures in SVG
        finished.configure(figures={"formats": ["pdf", suffix]})
        finished.run("figures")
    finished.run("--report", "report.html")
    page = (finished.folder / "report.html").read_text()

    def read(name):
        return json.loads(re.search(rf"var {name} ?= ?(\{{.*?\}});?\n", page, re.DOTALL)[1])

    figures = [f"results/figures/{name}.{suffix}" for name in ("fig1a", "fig2")]
    assert read("categories")["One step"]["Other"] == figures
    results = read("results")
    captions = ("Exponent of the number of items", "Items stored after one population step")
    for path, title, caption in zip(figures, ("1a", "2"), captions, strict=True):
        assert results[path]["labels"] == {"figure": f"Figure {title}", "experiment": "one_step"}
        assert caption in results[path]["caption"]
    assert "How many associations a linear memory stores" in page
