"""Bad input, killed jobs: a message, nothing half-written, and the next call repairs. More in tests/faults."""

import json

import netCDF4
import numpy as np
import pytest

from spectral_capacity.embeddings import save_embeddings
from spectral_capacity.results.files import is_complete
from spectral_capacity.results.netcdf import write_netcdf
from tests import oracle
from tests.workflow.holding import OPTIMIZER, Holding, is_gone, wait_for

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.mark.parametrize(
    ("one_step", "messages"),
    [
        (
            {"alpha": [1.5, -2.0], "sedes": 2},
            ["alpha[1]: -2.0: must be greater than 0", "sedes: unknown key; did you mean seeds?"],
        ),
        (
            {"d": [4, 300], "optimizers": ["adam"]},
            ["d[1]: 300: must be less than n_items", "optimizers[0]: 'adam' is not defined"],
        ),
    ],
    ids=["values", "values_together"],
)
def test_bad_configuration_stops_before_any_job(fresh, one_step, messages):
    """All of it is told at once: what no value can be, or else what does not go together."""
    fresh.configure(one_step)
    output = fresh.run(fails=True)
    for message in messages:
        assert f"experiments.one_step.{message}" in output
    assert "Traceback" not in output
    assert not fresh.results.exists()


NAN_MAP = """
import numpy as np

def broken(gradient, context):
    return gradient.matrix * np.where(np.arange(context.d) == 1, np.nan, 1.0)
"""


def test_an_error_in_a_job_is_shown_and_logged_with_its_coordinates(fresh):
    """Here of a map that returns NaN: nothing it has made is written."""
    (fresh.folder / "my_maps.py").write_text(NAN_MAP)
    mine = {"rule": "spectral", "map": {"name": "own", "file": "my_maps.py", "function": "broken"}}
    fresh.configure({"d": [4], "seeds": 1, "optimizers": ["mine"]}, optimizers={"mine": mine})
    output = fresh.run("grids", fails=True)
    assert "my_maps.py: broken returned NaN or inf at step 1" in output
    assert "(seed 0, batch size inf)" in output
    logs = list((fresh.results / "logs/cells").rglob("*.log"))
    assert logs
    for log in logs:
        assert "Traceback" in log.read_text()
        assert "alpha 1.5" in log.read_text()
    assert not list(fresh.results.glob("cells/**/*"))


def vectors(d, order=slice(None)):
    rng = np.random.default_rng(d)
    return [
        (array / np.sqrt(d)).astype(np.float32)[order] for array in rng.normal(size=(2, 300, d))
    ]


RULES = (lambda G: G, oracle.polar)


def counts_of(workflow):
    with netCDF4.Dataset(workflow.results / "grids/one_step.nc") as grid:
        return grid["capacity"][:].ravel().tolist()


def test_embeddings_of_your_own_run_through_the_chain(fresh):
    """A file for each d: one that changes trains its own cells again."""
    save_embeddings(fresh.folder / "d4.nc", *vectors(4))
    save_embeddings(fresh.folder / "d8.nc", *vectors(8))
    fresh.configure({"alpha": [2.0], "seeds": 1, "embeddings": {"file": "d{d}.nc"}})
    fresh.run("grids")
    assert not (fresh.results / "embeddings").exists()
    expected = [oracle.capacity(*vectors(d), 2.0, rule) for rule in RULES for d in (4, 8)]
    assert counts_of(fresh) == expected

    save_embeddings(fresh.folder / "d8.nc", *vectors(8, slice(None, None, -1)))
    assert fresh.ran("grids") == {"train_memory": 2, "assemble_grid": 1}

    U, V = vectors(8)
    U[5, 2] = np.nan
    variables = {
        n: (("item", "component"), array, {}) for n, array in zip("UV", (U, V), strict=True)
    }
    write_netcdf(fresh.folder / "d8.nc", variables, {})
    output = fresh.run("grids", fails=True)
    assert "one_step.embeddings.file: d8.nc: U: row 5, counted from 0, has NaN" in output


def test_embeddings_and_a_table_in_any_order_of_rows(fresh):
    counts = 10**9 // np.arange(1, 301) ** 2
    order = np.random.default_rng(0).permutation(300)
    save_embeddings(fresh.folder / "own.nc", *vectors(8, order))
    text = "\n".join(map(str, counts[order]))
    (fresh.folder / "counts.csv").write_text(f"count\n{text}\n")
    table = {"file": "counts.csv", "tail_from": 10}
    own = {"embeddings": {"file": "own.nc"}, "frequencies": table}
    fresh.configure({"d": [8], "alpha": None, "n_items": 200, "seeds": 1, **own})
    fresh.run("grids")
    U, V = (array[:200] for array in vectors(8))
    q = counts[:200] / counts[:200].sum()
    assert counts_of(fresh) == [oracle.capacity(U, V, None, rule, q) for rule in RULES]


CELLS = {"d": [4, 8], "alpha": [1.5, 2.0], "optimizers": ["held"], "seeds": 2}
HELD_AT = "d8_alpha1.5_step1"
"""Of four cells in one bundle the third."""


def test_a_killed_process_loses_no_finished_cell(fresh):
    """That of a member: the others are trained all the same. That of the job: with it ends the member's."""
    fresh.configure(CELLS, optimizers={"held": OPTIMIZER})
    holding = Holding(fresh)

    def killed(which):
        """What the call printed whose process was killed, and the files that it has left."""
        holding.at(HELD_AT)
        process = fresh.start("grids")
        (member,) = holding.jobs(process)
        which(member).kill()
        output = fresh.end(process, fails=True)
        wait_for(lambda: is_gone(member))
        kept = fresh.files()
        made = ["bundles", "cells", "embeddings", "grids"]
        assert [sum(n.startswith(m) for n in kept) for m in made] == [0, 3, 2, 0]
        for name in kept:
            assert is_complete(fresh.results / name), name
        return output, kept

    output, first = killed(lambda member: member)
    assert "its process was ended by SIGKILL" in output
    (again,) = fresh.results.glob("cells/one_step/*_alpha1.5_*_d4_*.nc")
    again.unlink()  # and is trained before the one that was killed, which comes last now
    _, kept = killed(lambda member: member.parent())
    assert [n for n in first if kept[n] != first[n]] == [str(again.relative_to(fresh.results))]

    holding.at()
    assert fresh.ran("grids") == {"train_memory": 1, "assemble_grid": 1}
    after = fresh.files()
    for name, written in kept.items():
        assert after[name] == written, f"{name} was made again"
    left = {path.suffix for path in fresh.results.rglob("*") if path.is_file()}
    assert not left & {".tmp", ".begun"}


LONG = {"d": [8], "alpha": [1.5], "seeds": 2, "optimizers": ["held"], "steps": 8}
KILLED_AT = {3: (0, 2), 2: (1, 1)}
"""The step at which a job is killed, and the seed and step of its checkpoint then.

Step 2 comes last: the run of the first seed is beyond it, where it is taken up.
"""


def test_a_long_run_killed_twice_ends_as_if_undisturbed(fresh):
    figures = {"formats": ["svg"], "fig1a": None, "fig2": None}  # which show one step
    optimizers = {"held": OPTIMIZER}
    fresh.configure(LONG, optimizers=optimizers, checkpoint_seconds=0.0, figures=figures)
    holding = Holding(fresh)
    fresh.run("grids", "--config", "results=undisturbed")
    name = "one_step/held_alpha1.5_kappa0.0_d8_seeds0-1.nc"
    checkpoint = fresh.results / "checkpoints" / name
    for step, reached in KILLED_AT.items():
        holding.at(f"d8_alpha1.5_step{step}")
        process = fresh.start("grids")
        (job,) = holding.jobs(process)
        job.kill()
        fresh.end(process, fails=True)
        with netCDF4.Dataset(checkpoint) as file:
            numbers = json.loads(file.numbers)
            assert (numbers["seed"], numbers["step"]) == reached
            assert json.loads(file.identity)["code"]
    holding.at()
    fresh.run("grids")
    log = (fresh.results / "logs/cells" / name).with_suffix(".log").read_text()
    assert "goes on after step 1 of seed 1" in log
    assert not checkpoint.exists()
    undisturbed = fresh.folder / "undisturbed/cells" / name
    assert (fresh.results / "cells" / name).read_bytes() == undisturbed.read_bytes()
