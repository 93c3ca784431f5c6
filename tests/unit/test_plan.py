"""What a run is said to need, against what is counted by hand and what was measured."""

import dataclasses
import itertools

from spectral_capacity.config.parse import parse
from spectral_capacity.config.plan import duration, expected, plan
from spectral_capacity.kinds import rates
from spectral_capacity.kinds.memory_cell import KEPT
from spectral_capacity.kinds.rates import Rates
from spectral_capacity.sampling import embeddings
from tests.unit.configurations import DEFAULT, ROOT, cells, only

RATES = Rates(float64=1e11, float32=2e11, exponentials=2.5e9, host=1e11)
SHAPE = {"n_items": 20_000, "d": [64], "alpha": [1.5], "optimizers": ["muon"], "seeds": 1}


def planned(**experiment):
    given = only(DEFAULT, "one_step")
    given["experiments"]["one_step"] |= experiment
    return cells(parse(given, root=ROOT), "one_step")


def time_of(**experiment):
    (cell,) = planned(**SHAPE | experiment)
    return cell.cost().seconds(RATES)


def test_time_of_a_softmax_is_its_operations():
    n, d = 20_000, 64
    two, three = time_of(steps=2), time_of(steps=3)
    floor = 4 * n**2 * d / 2e11 + n**2 / 2.5e9
    assert floor < three - two < 2.5 * floor
    assert time_of(steps=3, batch_size=[64]) < two
    assert time_of(steps=3, gradient="thresholded") < two


def test_time_grows_with_what_is_asked_for():
    base = time_of()
    for more in ({"d": [256]}, {"loss": {}}, {"optimizers": ["newton"]}, {"n_items": 200_000}):
        assert time_of(**more) > base, more


def test_memory_has_the_embeddings_and_the_means():
    n, d = 250_000, 128
    shape = SHAPE | {"n_items": n, "d": [d]}
    one, many = (planned(**shape, steps=steps)[0].cost().bytes for steps in (1, 2))
    assert many - one == 4 * n * d
    assert 8 * n * d < one < 2**31
    assert KEPT == embeddings.KEPT  # told apart: configurations import no JAX


def test_the_plan_has_a_line_for_cells_of_one_size():
    of = planned(d=[32, 64], alpha=[1.5, 2.0], seeds=8)
    rows = [("one_step", cell.description, dataclasses.astuple(cell.cost())) for cell in of]
    lines = plan(rows, [(3, 900), (30, 2000)], RATES).splitlines()
    assert lines[0].split() == [
        "experiment",
        "cells",
        "of",
        "cells",
        "time",
        "each",
        "memory",
        "each",
    ]
    assert [line.split(",")[0].split()[-1] for line in lines[1:-2]] == ["32", "64"]
    assert all(" 8 " in line for line in lines[1:-2])  # optimizers × α × seed blocks
    assert lines[-2].startswith("all cells")
    assert lines[-1] == (
        "on a cluster: 2 submissions, 0.6 hours of a core or GPU asked for at most, 30 min and 2.0 GB for the "
        "largest"
    )


def test_what_a_run_takes_is_said_for_its_cores_or_for_a_cluster():
    of = planned(d=[512], seeds=4)
    hour = sum(cell.cost().seconds(RATES) for cell in of) / 3600
    assert expected(of, RATES, 2).endswith(f" {duration(1800 * hour)} on 2 CPU cores")
    assert expected(of, RATES, None).endswith(f"about {duration(3600 * hour)} of a CPU core")


def test_durations():
    assert [duration(s) for s in (3.0, 89.0, 600.0, 7200.0)] == ["3 s", "89 s", "10 min", "2.0 h"]


def test_a_busy_machine_does_not_look_slow(monkeypatch):
    """A core's rate counts its own time: here the clock on the wall leaps an hour whenever it is read."""
    hours = itertools.count(step=3600.0)
    seconds = itertools.count(step=0.5)
    monkeypatch.setattr(rates.time, "perf_counter", lambda: next(hours))
    monkeypatch.setattr(rates.time, "process_time", lambda: next(seconds))
    assert rates.measured_flops() == 2 * 1024**3 / 0.5
