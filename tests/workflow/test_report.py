"""Snakemake's report of a finished run."""

import re

import pytest

pytestmark = pytest.mark.workflow


def test_the_report_has_the_captions_of_the_figures(finished):
    finished.run("--report", "report.html")
    page = (finished.folder / "report.html").read_text()
    captions = re.findall(r'"caption": *"((?:[^"\\]|\\.)*)"', page)
    for text in ("Items stored after one population step", "Exponent of the number of items"):
        assert any(text in caption for caption in captions), captions
