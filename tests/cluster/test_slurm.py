"""On Slurm: the same results, and a way back from whatever ends a job."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cluster.conftest import slurm
from tests.workflow.conftest import ROOT, Workflow
from tests.workflow.holding import OPTIMIZER, Holding, is_gone, wait_for
from tests.workflow.test_failures import NAN_MAP

PAGE = ROOT / "docs/cluster.md"

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def own(file, function):
    return OPTIMIZER | {"map": {"name": "own", "file": file, "function": function}}


def number_of(process):
    """Slurm's number of the job that a process belongs to."""
    return int(process.environ()["SLURM_JOB_ID"])


def log_of(workflow, cell):
    return next((workflow.results / "logs/cells").rglob(f"{cell}.log")).read_text()


def joined(output):
    """What a terminal of any width has broken into lines."""
    return re.sub(r"\s+", "", output)


COMPARED = ("one_step", "steps")
SOME = f"only=[{','.join(COMPARED)},incontext]"
"""Of the smoke configuration, of each kind. All of it runs in tests/workflow/test_smoke.py."""


def test_experiments_of_the_smoke_configuration(smoke):
    """One test: the run takes a minute, and xdist would repeat it for every worker."""
    # However slow this machine is.
    hours = ["--set-resources", "train_memory:runtime=600", "train_incontext:runtime=600"]
    smoke.run(*hours, "--config", SOME)
    assert (smoke.results / "index.html").is_file()
    bundles = list(smoke.results.glob("bundles/*/*.json"))
    jobs = smoke.jobs()
    assert len(jobs) == len(bundles) == 3  # cheap rules run where Snakemake does
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert "Nothing to be done" in smoke.run(*hours, "--config", SOME)
    assert smoke.jobs() == jobs
    cells_from_one_core_agree_with_those_to_the_bit(smoke)


def cells_from_one_core_agree_with_those_to_the_bit(smoke):
    """And those from two with these: tests/workflow/test_incremental.py."""
    local = Workflow(smoke.folder, smoke.configfile)
    targets = [f"local/grids/{experiment}.nc" for experiment in COMPARED]
    local.run(*targets, "--config", "results=local", "--cores", "1")
    made = sorted((smoke.folder / "local").glob("cells/*/*.nc"))
    assert len(made) == 6
    for path in made:
        on_slurm = smoke.results / path.relative_to(smoke.folder / "local")
        assert path.read_bytes() == on_slurm.read_bytes(), path


BROKEN_OFF = {"d": [8], "alpha": [1.5], "seeds": 2, "optimizers": ["held", "hungry", "broken"]}


def test_jobs_cut_off_come_back_with_more_and_one_that_fails_says_why(fresh):
    """One cancelled, one out of memory, and one whose map returns NaN: a job each."""
    shutil.copy(Path(__file__).with_name("hungry_map.py"), fresh.folder)
    (fresh.folder / "hungry").touch()
    (fresh.folder / "nan_map.py").write_text(NAN_MAP)
    optimizers = {
        "held": OPTIMIZER,
        "hungry": own("hungry_map.py", "fed"),
        "broken": own("nan_map.py", "broken"),
    }
    fresh.configure(BROKEN_OFF, optimizers=optimizers, bundle_seconds=0)
    holding = Holding(fresh)
    holding.at("d8_alpha1.5_step1")
    snakemake = fresh.start("grids", "--retries", "1", "--set-resources", "train_memory:gpu=1")
    (held,) = holding.jobs(snakemake)
    first = number_of(held)
    assert "TresPerJob=gres:gpu:1" in slurm("scontrol", "show", "job", str(first))
    slurm("scancel", str(first))
    holding.at()
    output = joined(fresh.end(snakemake, fails=True))

    for optimizer, state in {"held": "CANCELLED", "hungry": "FAILED"}.items():
        before, after = attempts(fresh, optimizer)
        assert (before.state, after.state) == (state, "COMPLETED")
        assert after.megabytes > before.megabytes
        assert after.minutes > before.minutes
        assert list(fresh.results.glob(f"cells/one_step/{optimizer}_*.nc"))
    assert [job.state for job in attempts(fresh, "broken")] == ["FAILED", "FAILED"]
    assert not list(fresh.results.glob("cells/one_step/broken_*.nc"))
    log = "results/logs/cells/one_step/broken_alpha1.5_kappa0.0_d8_seeds0-1.log"
    assert log in output
    assert joined("nan_map.py: broken returned NaN or inf at step 1") in output


def attempts(workflow, optimizer):
    """Jobs of the bundle of an optimizer, first try first."""
    return [job for job in workflow.jobs() if f"_one_step_{optimizer}_" in job.comment]


LONG = {"d": [4, 8], "alpha": [1.5], "seeds": 2, "optimizers": ["held"], "steps": 8}


def test_a_long_cell_survives_its_time_limit_and_the_death_of_snakemake(fresh):
    fresh.configure(
        LONG,
        optimizers={"held": OPTIMIZER},
        bundle_seconds=0,
        checkpoint_seconds=0.0,
        figures={"fig1a": None, "fig2": None},  # which show one step
    )
    holding = Holding(fresh)
    holding.at("d8_alpha1.5_step4")
    snakemake = fresh.start("grids", "--retries", "1")
    first = number_of(holding.jobs(snakemake)[0])
    slurm("scontrol", "update", f"jobid={first}", "EndTime=now")
    fresh.wait_for_state(first, "TIMEOUT")
    holding.at("d8_alpha1.5_step6")
    (held,) = holding.jobs(snakemake)  # of the second try
    second = number_of(held)
    assert second != first
    assert "goes on after step 3 of seed 0" in log_of(fresh, CELL)
    wait_for(lambda: list(fresh.results.glob("bundles/one_step/*_d4_*.json")), snakemake)
    kept = fresh.files()

    snakemake.kill()
    snakemake.wait()
    assert not is_gone(held)
    assert "--unlock" in fresh.run("grids", fails=True)
    (cancel,) = re.findall(r"^squeue --me --noheader.*$", PAGE.read_text(), re.MULTILINE)
    subprocess.run(["bash", "-c", cancel], cwd=fresh.folder, check=True)
    fresh.wait_for_state(second, "CANCELLED")
    wait_for(lambda: is_gone(held))
    holding.at()
    fresh.run("--unlock")
    fresh.run("grids")
    assert "goes on after step 5 of seed 0" in log_of(fresh, CELL)
    after = fresh.files()
    assert {name: after[name] for name in kept} == kept
    third = fresh.jobs()[-1]
    assert (third.state, len(fresh.jobs())) == ("COMPLETED", 4)


CELL = "held_alpha1.5_kappa0.0_d8_seeds0-1"
