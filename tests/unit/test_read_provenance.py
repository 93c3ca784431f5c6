"""What a file knows of where it comes from survives its format, and is read back."""

import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from spectral_capacity.analysis import claims
from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.figures.parts import common
from spectral_capacity.report import claims_page
from spectral_capacity.results.fits import write_fits
from spectral_capacity.results.grids import assemble, read_points, write_table
from spectral_capacity.results.made_from import made_from
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.results.provenance import attributes, record
from spectral_capacity.results.read_provenance import main, read_provenance, readable
from spectral_capacity.training.cell import write_cell
from tests.unit.figures.conftest import STYLE
from tests.unit.test_fits import SETTINGS, grid, power
from tests.unit.test_grids import CELL, COORDINATES, results

HARD = "√σ ↦ 𝜎 é \u2028 <b>&amp;</b> ]]> \\ (a) ((b \\) \\n \n\t\x00 \"q\" 'r' <<>> endobj %%EOF"
DATES = rb"CreationDate|<dc:date>|tIME"
SUFFIXES = ("png", "svg", "pdf")


def hard():
    """A provenance with all that a format could lose."""
    settings = {"text": HARD, "long": "x" * 100_000, "n": [1, 2.5, None], "of": {"a b": True}}
    return record(settings, code="0123456789abcdef")


def draw(path, provenance, title="Figure 2"):
    figure = Figure(figsize=(2, 2))
    figure.add_subplot().plot([1, 2], [1, 4])
    common.save(figure, [path], title, provenance)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_figure_keeps_every_character(suffix, tmp_path):
    path = draw(tmp_path / f"a.{suffix}", hard(), title=HARD.replace("\x00", ""))
    assert read_provenance(path) == hard()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_figures_are_equal_files(suffix, tmp_path):
    with common.style(STYLE):
        first, second = (draw(tmp_path / f"{x}.{suffix}", hard()).read_bytes() for x in "ab")
        other = draw(tmp_path / f"c.{suffix}", record({"text": "another"})).read_bytes()
    assert first == second != other
    assert not re.search(DATES, first)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_figure_names_itself_its_program_and_the_paper(suffix, tmp_path):
    written = draw(tmp_path / f"a.{suffix}", record({})).read_bytes()
    version = record({})["versions"]["spectral_capacity"]
    for text in ("Figure 2", f"spectral-capacity {version}", "arXiv:2603.26554"):
        assert text.encode() in written


def test_a_page_keeps_every_character(tmp_path):
    rows = claims.check([], {})
    claims_page.write(rows, tmp_path / "claims.csv", tmp_path / "claims.html", hard())
    assert read_provenance(tmp_path / "claims.html") == hard()
    assert read_provenance(tmp_path / "claims.csv") == hard()
    claims_page.write(rows, tmp_path / "claims.csv", tmp_path / "claims.html")
    with pytest.raises(ValueError, match=r"claims\.html: has no provenance"):
        read_provenance(tmp_path / "claims.csv")


def test_a_grid_knows_the_code_of_its_cells_and_its_own(tmp_path):
    cells = [tmp_path / f"{code}.nc" for code in ("aa", "bb", "ab")]
    for alpha, path in zip((2.0, 1.1, 2.0), cells, strict=True):
        made = record({"alpha": alpha}, {"device": "cpu"}, code=path.stem[0] * 16)
        name = "gd" if path.stem == "ab" else "muon"
        write_cell(path, CELL | {"name": name, "alpha": alpha}, results(1), made)
    made = record({"seed": 0, "batch_size": [math.inf]}, code="c" * 16)
    write_table(tmp_path / "t.nc", [*map(read_points, cells)])
    assemble(tmp_path / "g.nc", [tmp_path / "t.nc"], COORDINATES, made, "A grid")
    found = read_provenance(tmp_path / "g.nc")
    assert found["code"] == "c" * 16
    assert [cell["code"] for cell in found["cells"]] == ["a" * 16, "b" * 16]
    assert found["cells"][0]["device"] == "cpu"
    assert found["configuration"] == {"seed": 0, "batch_size": ["inf"]}


def knows(**made):
    """What has this provenance."""
    return grid(power(1.3)).assign_attrs(attributes("A", made))


def test_fits_know_their_grid(tmp_path):
    of_grid = {"configuration": {"experiment": "mine", "seeds": 4}, "code": "a"}
    measured = knows(**of_grid)
    fits = fit_exponents(measured, SETTINGS | {"bootstrap": 10})
    made = record({"experiment": "mine", "largest": 3}, code="b") | made_from(grids=measured)
    write_fits(tmp_path / "mine.nc", tmp_path / "mine.csv", fits, made)
    for name in ("mine.nc", "mine.csv"):
        found = read_provenance(tmp_path / name)
        assert (found["code"], found["configuration"]["largest"]) == ("b", 3)
        assert found["grids"] == {"mine": of_grid}


def test_a_figure_knows_grids_and_fits_without_saying_a_thing_twice(tmp_path):
    style = tmp_path / "a.mplstyle"
    style.write_text("font.size: 8\n")
    of_grid = {name: {"configuration": {"experiment": name, "d": [8]}} for name in ("a", "b")}
    of_fits = {"configuration": {"experiment": "a", "largest": 3}, "code": "f"}
    grids = [knows(**each) for each in of_grid.values()]
    fits = [knows(**of_fits, grids={"a": of_grid["a"]})]
    made = common.drawn_from({"options": {"x": "d"}}, style, "c", grids, fits)
    assert made["grids"] == of_grid
    assert made["fits"] == {"a": of_fits}
    assert made["configuration"]["options"] == {"x": "d"}
    assert made["code"] == "c"
    assert {"matplotlib", "numpy", "spectral_capacity", "python"} <= {*made["versions"]}
    style.write_text("font.size: 9\n")
    assert common.drawn_from({"options": {"x": "d"}}, style, "c", grids, fits) != made
    (alone,) = made_from(fits=fits)["fits"].values()
    assert alone["grids"] == {"a": of_grid["a"]}
    assert "fits" not in common.drawn_from({}, style, "c", grids[0], None)


def test_folders_of_the_machine_stay_where_they_are():
    files = {"frequencies": {"file": "/home/me/words.csv"}, "maps": [{"file": "my/maps.py"}]}
    (made,) = made_from(knows(configuration={"experiment": "a"} | files))["grids"].values()
    assert made["configuration"]["frequencies"] == {"file": "words.csv"}
    assert made["configuration"]["maps"] == [{"file": "my/maps.py"}]


def other(path, suffix):
    if suffix == ".nc":
        write_netcdf(path, {"x": (("i",), np.arange(3.0), {})}, {"title": "another"})
    elif suffix == ".html":
        path.write_text("<html></html>")
    else:
        Figure().savefig(path, metadata={"Title": "another"})


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".nc", ".html"])
def test_a_file_of_another_program_has_none_and_a_truncated_one_is_named(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    other(path, suffix)
    with pytest.raises(ValueError, match=rf"a\{suffix}: has no provenance"):
        read_provenance(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ValueError, match=rf"a\{suffix}: truncated"):
        read_provenance(path)


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.png: no such file"):
        read_provenance(tmp_path / "none.png")
    for name, message in {"a.txt": "not in '.txt'", "a.csv": "the .nc or .html beside it"}.items():
        (tmp_path / name).write_text("a\n")
        with pytest.raises(ValueError, match=message):
            read_provenance(tmp_path / name)


def test_the_command_prints_json_of_one_file_or_of_several(tmp_path, capsys):
    one, two = (draw(tmp_path / name, hard()) for name in ("a.png", "b.svg"))
    command = [sys.executable, "-m", "spectral_capacity.results.read_provenance", str(one)]
    run = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(run.stdout) == hard()
    main([str(one), str(two)])
    assert json.loads(capsys.readouterr().out) == {str(one): hard(), str(two): hard()}
    for arguments, message in (([], "usage: "), (["no.png"], r"no\.png: no such file")):
        with pytest.raises(SystemExit, match=message):
            main(arguments)


def test_readable_json_is_the_same_json_in_short_lines():
    made = {"d": list(range(100)), "of": {"muon": {"map": {"name": "polar"}}}, "none": {}, "x": []}
    made |= {"cells": [{"versions": {f"package{i}": "1.0" for i in range(9)}}] * 2}
    text = readable(made)
    assert json.loads(text) == made
    assert '\n  "of": {"muon": {"map": {"name": "polar"}}},\n' in text
    assert text.count("package0") == 2
    assert max(len(line) for line in text.splitlines() if '"d"' not in line) <= 96
