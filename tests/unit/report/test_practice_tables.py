"""What is kept of a run of sweeps, and the tables of docs/practice.md that are made of it."""

import numpy as np
import pandas as pd
import pytest

from spectral_capacity import fit, measure
from spectral_capacity.analysis.claims import check
from spectral_capacity.analysis.claims_file import RunClaim
from spectral_capacity.report import practice_tables
from spectral_capacity.results.swept_rates import at_chosen_rates

RATE = {"d_power": 0.5, "sweep": {"factors": [0.5, 1.0, 2.0], "step": "each"}}
MUON = {"rule": "spectral", "map": {"name": "polar"}, "learning_rate": RATE}
SIGN = {"rule": "sign", "learning_rate": RATE | {"d_power": 0.0}}


@pytest.fixture(scope="module")
def grid():
    sizes = {"n_items": 150, "d": [6, 8, 12], "alpha": [1.5], "steps": 4, "seeds": 3}
    return measure({"muon": MUON, "sign": SIGN}, batch_size=[8, 32, 128, "population"], **sizes)


@pytest.fixture(scope="module")
def tables(grid, tmp_path_factory):
    folder = tmp_path_factory.mktemp("practice")
    practice_tables.keep(folder, {"practice": grid}, {"practice": fit(grid)}, "%.5g")
    found = {f"practice/{path.stem}": pd.read_csv(path) for path in folder.glob("*.csv")}
    claim = RunClaim(
        id="A",
        statement="",
        source="",
        experiment="practice",
        statistic="ratio",
        optimizer="sign",
        against="muon",
        predicted=1.0,
        tolerance=0.1,
    )
    return found | {"practice/claims": check([claim], {}, {"practice": grid})}


def test_what_is_kept_is_what_was_chosen(grid, tables):
    rates = tables["practice/rates"]
    at = {"optimizer": "muon", "d": 12, "batch_size": np.inf, "step": 4}
    (row,) = rates[(rates[[*at]] == pd.Series(at)).all(axis=1)].to_dict("records")
    chosen = at_chosen_rates(grid).sel(at).squeeze()
    assert row["learning_rate"] == pytest.approx(
        chosen.learning_rate_factor.item() * 12**0.5, rel=1e-4
    )
    assert row["capacity"] == pytest.approx(chosen.capacity.mean().item(), rel=1e-4)
    assert set(rates.step) == {1, 2, 3, 4}
    assert {*tables["practice/critical_batches"].optimizer} == {"muon", "sign"}


def test_a_row_for_each_optimizer_and_an_answer_for_each_line(tables):
    titles, rows = practice_tables.optimizers(tables)
    assert [row[0] for row in rows] == ["muon", "sign"]
    assert {len(row) for row in rows} == {len(titles)}
    assert "population: exponent" in titles
    titles, (answer,) = practice_tables.answers(tables)
    assert len(answer) == len(titles)
    assert answer[1] == "sign, against muon, t = 4"


def test_a_run_without_sweeps_keeps_nothing(tmp_path):
    grid = measure({"gd": {"rule": "gradient"}}, n_items=50, d=[4], alpha=[1.5], seeds=1)
    practice_tables.keep(tmp_path, {"plain": grid}, {}, "%.5g")
    assert not [*tmp_path.iterdir()]
