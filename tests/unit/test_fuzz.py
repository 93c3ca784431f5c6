"""Configurations that nobody means to write: a checked configuration or one ConfigError, and nothing else.

The suite tries the same examples each time. For others, and as many as you like of every property,

    FUZZ=10000 .venv/bin/python -m pytest tests/unit/test_fuzz.py -q

which prints what it found with the example; ``-o addopts=`` leaves out the check of types, and is quicker.
``--hypothesis-show-statistics`` tells how many were checked configurations and how many were refused.
"""

import itertools
import json
import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.config.looks import looks
from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import json_schema, parse
from spectral_capacity.config.parse import merged as merged_files
from spectral_capacity.sampling.frequencies import from_counts, read_table, tail_exponent
from tests.unit.configurations import ROOT, merged
from tests.unit.wild import changed, of_schema, written

MANY = "FUZZ" in os.environ
fuzz = settings(
    max_examples=int(os.environ.get("FUZZ", "60")),
    derandomize=not MANY,
    deadline=None,
    database=None,
    suppress_health_check=[*HealthCheck],
)
CELLS = 300
"""Of each experiment, that are looked at."""
CELL = re.compile("[A-Za-z0-9_.e+-]+")  # of workflow/rules/common.smk
EMBEDDINGS = re.compile("[a-z0-9_-]+")

SMOKE = merged("smoke")
WITHOUT_TABLE = SMOKE | {
    "experiments": {k: v for k, v in SMOKE["experiments"].items() if k != "real_words"},
    "figures": SMOKE["figures"] | {"real_words": None},
}
SMALL = {
    "optimizers": {
        "gd": SMOKE["optimizers"]["gd"],
        "mine": {
            "rule": "spectral",
            "map": {
                "name": "own",
                "file": "tests/unit/wild.py",
                "function": "own_map",
                "options": {"a": 1.0},
            },
            "label": "mine, $x^2$",
            "colour": "crimson",
        },
        "soft": SMOKE["optimizers"]["muon_soft"],
    },
    "experiments": {
        "one_step": SMOKE["experiments"]["one_step"] | {"optimizers": ["gd", "soft"]},
        "own": SMOKE["experiments"]["loss"] | {"optimizers": ["mine"], "kappa": [0.0, 1.5]},
    },
    "figures": {
        "fig2": None,
        "curve": {"draw": "curves", "experiment": "own", "d": [8], "y": "loss", "lines": "kappa"},
    },
}


def problems_of(configuration):
    """A checked configuration has none, and is evaluated; others have messages that can be read."""
    try:
        config = parse(configuration, root=ROOT)
    except ConfigError as error:
        event("refused")
        return error.problems
    event("checked")
    evaluate(config)
    return ()


def can_be_read(problems):
    assert len(problems) <= 101
    for problem in problems:
        assert len(problem) < 12_000
        assert ": " in problem
        assert "\n" not in problem
        problem.encode()


def evaluate(config):
    """What the workflow asks of a configuration before any job (workflow/rules/common.smk)."""
    shared = config.shared
    for name, experiment in config.experiments.items():
        names = set()
        for cell in itertools.islice(experiment.cells(name, shared), CELLS):
            assert CELL.fullmatch(cell.name)
            assert len(f".{cell.name}.nc.{'h' * 64}.1234567.tmp") <= 255
            assert cell.name not in names
            names.add(cell.name)
            json.dumps(cell.settings())
            assert all(EMBEDDINGS.fullmatch(file.name) for file in cell.draws())
            assert cell.cost().bytes > 0
            assert isinstance(cell.files(), list)
            cell.own_code()
        json.dumps(experiment.fit_settings(name, shared))
        json.dumps(experiment.grid_settings(name, shared))
        assert all(experiment.coordinates(shared).values())
    assert looks(config).keys() == config.optimizers.keys()
    for name, figure in config.drawn(config.experiments).items():
        assert figure.title(name)
        assert {*figure.experiments.values()} <= config.experiments.keys()
    assert config.drawn(config.selected).keys() <= config.figures.drawn().keys()
    json.dumps(config.model_dump())


@fuzz
@given(st.sampled_from([SMOKE, WITHOUT_TABLE, WITHOUT_TABLE]).flatmap(changed))
def test_a_shipped_configuration_with_changes(configuration):
    can_be_read(problems_of(configuration))


@fuzz
@given(changed(SMALL, most=2))
def test_a_small_configuration_with_changes(configuration):
    can_be_read(problems_of(configuration))


@fuzz
@given(of_schema(json_schema()))
def test_a_configuration_made_of_the_schema(configuration):
    can_be_read(problems_of(configuration))


@fuzz
@given(data=st.one_of(written(yaml.safe_dump(SMALL)), written("seed: 1\n")))
def test_a_file_of_any_bytes(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL))
    (folder / "any.yaml").write_bytes(data)
    try:
        configuration = merged_files([folder / "small.yaml", folder / "any.yaml"])
    except ConfigError as error:
        (problem, *_) = error.problems
    else:
        can_be_read(problems_of(configuration))
        return
    assert "any.yaml" in problem or "null drops it" in problem
    assert len(problem) < 12_000


CLAIMS = (ROOT / "data/claims.yaml").read_text()


def claims_or_message(path: Path):
    try:
        message = f"{path}: {len(read_claims(path))} claims"
    except ValueError as error:
        message = str(error)
    assert str(path) in message
    assert len(message) < 12_000


@fuzz
@given(data=written(CLAIMS[:1200]))
def test_a_file_of_claims_of_any_bytes(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "claims.yaml"
    path.write_bytes(data)
    claims_or_message(path)


@fuzz
@given(entries=changed(yaml.safe_load(CLAIMS)[:4]))
def test_claims_with_changes(tmp_path_factory, entries):
    path = tmp_path_factory.getbasetemp() / "claims.yaml"
    try:
        path.write_text(yaml.safe_dump(entries, allow_unicode=True), errors="surrogatepass")
    except (
        ValueError,
        yaml.YAMLError,
    ):  # what YAML has no text for: numbers of thousands of digits
        return
    claims_or_message(path)


TABLE = '# a table\nitem,count\nthe,100\nof,50\n"a,b",25\nx,1\n'
FIELDS = (
    *("\0", '"', ",", "\n", "\r", "\ufeff", "count", "1e308", "5e-324", "nan", "inf", "-1", "0"),
    *("#", "item", " ", "\x85", "\u2028", "9" * 400, "1_0", "x" * 200_000),
)


@fuzz
@given(data=written(TABLE, FIELDS))
def test_a_table_of_counts_of_any_bytes(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "counts.csv"
    path.write_bytes(data)
    try:
        counts, items = read_table(path)
    except ValueError as error:
        message = str(error)
    else:
        can_be_used(counts, items)
        return
    assert str(path) in message


def can_be_used(counts, items):
    assert items is None or len(items) == counts.size
    p = from_counts(counts, counts.size)
    assert p.sum() == pytest.approx(1)
    if counts.size > 1 and p[-1] > 0:
        tail_exponent(p, 1)
