"""What reruns when something changes: each row of the contract, the set of jobs asserted.

Most rows ask a dry run what it would do. One of each sort also runs: a first run, a new value, new code, a
damaged file, a figure.
"""

import os
import shutil
import subprocess
from functools import reduce
from operator import or_

import netCDF4
import numpy as np
import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

PAGE = {"write_page": 1}
FIGURES = {"plot_fig1a": 1, "plot_fig2": 1} | PAGE
AFTER_GRID = {"fit_exponents": 1, "check_claims": 1, **FIGURES}
AFTER_CELLS = {"assemble_grid": 1, **AFTER_GRID}
CELLS = 4  # in one bundle
TRAINING = {"train_memory": 1, **AFTER_CELLS}

# Files that the tests edit.
RECALL = "spectral_capacity/memory/recall.py"
FIG2 = "spectral_capacity/figures/fig2.py"
PLOT = "scripts/plot_figure.py"
TRAIN = "scripts/train_memory.py"
TRAIN_RULE = "workflow/rules/train.smk"
STYLE = "config/figures.mplstyle"
CLAIMS = "data/claims.yaml"


def test_everything_runs_once_and_then_nothing(first_run, finished):
    _, jobs = first_run
    assert jobs == {"generate_embeddings": 2, "train_memory": CELLS, **AFTER_CELLS}
    assert "Nothing to be done" in finished.run()


def test_named_targets_find_their_files_finished(finished):
    assert "Nothing to be done" in finished.run("figures", "fig2", "claims", "grids", "all")


def test_the_plan_is_printed_as_often_as_asked_for(finished):
    output = finished.run("plan")
    assert "one_step" in output
    assert "all cells, one after another" in output
    assert "Nothing to be done" not in finished.run("plan", "--dry-run")
    assert finished.would_run() == {}


def test_style_redraws_the_figures(finished):
    finished.edit(STYLE, "font.size: 8", "font.size: 8.5")
    assert finished.would_run() == FIGURES
    assert finished.ran() == FIGURES
    assert finished.would_run() == {}


@pytest.mark.parametrize(
    ("path", "jobs"),
    [
        (RECALL, TRAINING),
        (FIG2, {"plot_fig2": 1} | PAGE),
        (PLOT, FIGURES),
    ],
)
def test_code_reruns_what_it_is_behind(finished, path, jobs):
    finished.append(path, "ADDED = 1\n")
    assert finished.would_run() == jobs


def test_the_finite_size_switch_redraws_the_figures(finished):
    finished.configure(figures={"formats": ["svg"], "finite_size": False})
    assert finished.would_run() == FIGURES


def test_a_value_trains_the_cells_that_are_new_with_it(finished):
    """One after another, each beside those before it."""
    soft = {"rule": "spectral", "map": {"name": "smoothed_polar", "resolution": 0.01}}
    grid = {"assemble_grid": 1}
    experiment = {}
    for change, jobs in [
        ({"alpha": [1.5, 2.0]}, {"train_memory": 4} | grid),
        ({"seeds": 4}, {"generate_embeddings": 2, "train_memory": 8} | grid),
        ({"optimizers": ["gd", "muon", "soft"]}, {"train_memory": 8} | grid),
        ({"d": [4]}, grid),
        ({"batch_size": [16, "population"]}, {"train_memory": 12} | grid),
    ]:
        experiment |= change
        finished.configure(experiment, optimizers={"soft": soft})
        assert finished.ran("grids") == jobs, change
    assert finished.would_run("grids") == {}


def test_a_new_value_runs_and_then_nothing(finished):
    finished.configure({"d": [4, 8, 16]})
    assert finished.ran() == {"generate_embeddings": 1, "train_memory": 2} | AFTER_CELLS
    assert finished.would_run() == {}


def test_bundles_cut_otherwise_train_nothing_again(finished):
    finished.configure(bundle_seconds=0)
    assert finished.would_run() == {"train_memory": CELLS} | AFTER_CELLS
    assert finished.ran("grids") == {"assemble_grid": 1}
    assert not [
        log
        for log in (finished.results / "logs/train_memory").rglob("*.log")
        if "0 of" not in log.read_text()
    ]


MAP = """
def soften(gradient, context, *, cut=0.1):
    sigma = gradient.singular_values
    return gradient.with_singular_values(sigma / (sigma + cut * sigma[0]))
"""


def test_the_code_of_an_own_map_retrains_its_own_cells(finished):
    (finished.folder / "my_maps.py").write_text(MAP)
    mine = {"rule": "spectral", "map": {"name": "own", "file": "my_maps.py", "function": "soften"}}
    experiment = {"d": [8], "optimizers": ["gd", "muon", "mine"]}
    finished.configure(experiment, optimizers={"mine": mine})
    retrained = {"train_memory": 1, "assemble_grid": 1}
    assert finished.ran("grids") == retrained
    before = read(finished)["capacity"]
    finished.edit("my_maps.py", "gradient.singular_values\n", "gradient.singular_values  # σ\n")
    assert finished.would_run("grids") == {}
    finished.edit("my_maps.py", "cut=0.1", "cut=10.0")
    assert finished.ran("grids") == retrained
    changed = read(finished)["capacity"] != before
    assert [bool(of_one.any()) for of_one in changed] == [False, False, True]
    mine["map"]["options"] = {"cutt": 0.3}
    finished.configure(experiment, optimizers={"mine": mine})
    assert "optimizers.mine.map: my_maps.py: soften has no option 'cutt'" in finished.run(
        fails=True
    )


def test_a_table_of_counts_is_known_by_its_content(finished):
    table = finished.folder / "counts.csv"
    table.write_text("count\n" + "\n".join(str(10**6 // i**2) for i in range(1, 400)) + "\n")
    counts = {"file": "counts.csv", "tail_from": 10}
    finished.configure({"d": [8], "optimizers": ["gd"], "alpha": None, "frequencies": counts})
    retrained = {"train_memory": 1, "assemble_grid": 1}
    assert finished.ran("grids") == retrained
    table.touch()
    assert finished.would_run("grids") == {}
    counts["file"] = str(table.rename(finished.folder / "moved.csv"))
    finished.configure({"d": [8], "optimizers": ["gd"], "alpha": None, "frequencies": counts})
    assert finished.would_run("grids") == {"assemble_grid": 1}  # whose provenance names the path
    table = finished.folder / "moved.csv"
    table.write_text(table.read_text().replace("1000000", "1000001"))
    assert finished.would_run("grids") == retrained


def test_a_claims_tolerance_checks_the_claims(finished):
    finished.edit(CLAIMS, "log_powers: 1", "log_powers: 1.5")
    assert finished.would_run() == {"check_claims": 1} | PAGE


def test_a_caption_remakes_the_page_only(finished):
    finished.edit(FIG2, '"""Items stored', '"""How many items are stored', count=1)
    assert finished.would_run() == PAGE


def test_fit_settings_refit(finished):
    finished.configure(fits={"bootstrap": 150})
    assert finished.would_run() == AFTER_GRID


def test_what_changes_no_result_reruns_nothing(finished):
    """Operations of git, files touched, comments, docstrings, formatting, and some settings: all at once."""
    commit_and_check_out(finished)
    for name in ("Snakefile", "workflow", "scripts", "spectral_capacity", "config", "data"):
        for path in [finished.folder / name, *(finished.folder / name).rglob("*")]:
            path.touch()
    finished.append(RECALL, "# enough\n")
    for path, old, new in [
        (RECALL, '"""', '"""More of: '),
        (RECALL, "import numpy as np\n", "\n\nimport numpy as np\n"),
        (TRAIN, '"""', '"""More of: '),
        (TRAIN_RULE, "threads: training_threads", "threads:  training_threads  # one"),
    ]:
        finished.edit(path, old, new, count=1)
    finished.configure(device="cpu", all_devices=True, checkpoint_seconds=1.0)
    assert finished.would_run() == {}


def commit_and_check_out(finished):
    """Code is changed and committed, and what was before is checked out."""

    def git(*arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        environment = finished.environment | {"GIT_CONFIG_GLOBAL": os.devnull}
        command = ["git", *identity, *arguments]
        subprocess.run(command, cwd=finished.folder, env=environment, check=True)

    (finished.folder / ".gitignore").write_text("results\n.snakemake\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    finished.append(RECALL, "ADDED = 1\n")
    git("commit", "-qam", "two")
    git("checkout", "-q", "HEAD~1")


def test_cells_that_take_all_devices_run_one_at_a_time(fresh):
    dry = ["--dry-run", "grids", "--workflow-profile", "plain"]
    assert "threads:" not in fresh.run(*dry)
    fresh.configure(all_devices=True)
    assert fresh.run(*dry).count("threads: 2") == 1  # of the two cores of these tests


DAMAGED = {
    "embeddings": (
        "embeddings/*_d4_*.nc",
        {"generate_embeddings": 1} | TRAINING,
    ),
    "cell": ("cells/one_step/muon_alpha1.5_*_d8_*.nc", TRAINING),
    "manifest": ("bundles/one_step/*.json", TRAINING),
    "table": ("bundles/one_step/*.nc", TRAINING),
    "grid": ("grids/one_step.nc", AFTER_CELLS),
    "fits": ("fits/one_step.csv", AFTER_GRID),
    "figure": ("figures/fig2.svg", {"plot_fig2": 1} | PAGE),
    "claims": ("claims.html", {"check_claims": 1} | PAGE),
    "page": ("index.html", PAGE),
}


def damage(workflow, artefact, how):
    (file,) = workflow.results.glob(DAMAGED[artefact][0])
    raw = bytearray(file.read_bytes())
    if how == "deleted":
        file.unlink()
    elif how == "truncated":
        file.write_bytes(raw[:-20])
    else:
        raw[len(raw) // 2] ^= 1
        file.write_bytes(raw)
    return file


@pytest.mark.parametrize(
    ("artefacts", "how"),
    [
        (["cell"], "deleted"),
        (["embeddings"], "flipped"),
        (["cell"], "flipped"),
        (["manifest", "table"], "flipped"),
        (["grid"], "flipped"),
        (["fits"], "flipped"),
        (["figure", "claims", "page"], "flipped"),
    ],
)
def test_a_damaged_output_is_made_again_with_what_follows(finished, artefacts, how):
    for artefact in artefacts:
        damage(finished, artefact, how)
    jobs = [DAMAGED[artefact][1] for artefact in artefacts]
    assert finished.would_run() == reduce(or_, jobs)
    aside = {path.name for path in finished.results.rglob("*.damaged")}
    assert len(aside) == (how == "flipped") * len(artefacts)


def test_a_damaged_cell_is_repaired_and_no_other(finished):
    cell = damage(finished, "cell", "truncated")
    jobs = DAMAGED["cell"][1]
    output = finished.run("--dry-run")  # sets the file aside, and changes nothing by that
    assert f"{cell.name}: truncated; set aside as {cell.name}.damaged" in "".join(
        output.split("\n")
    )
    assert finished.would_run() == jobs
    assert finished.ran("grids") == {"train_memory": 1, "assemble_grid": 1}
    assert not list(finished.results.rglob("*.damaged"))
    assert finished.would_run("grids") == {}


def read(workflow):
    with netCDF4.Dataset(workflow.results / "grids/one_step.nc") as file:
        file.set_auto_mask(False)
        return {name: variable[:] for name, variable in file.variables.items()}


def test_a_rerun_gives_the_same_grid_to_the_last_bit(finished):
    raw = (finished.results / "grids/one_step.nc").read_bytes()
    shutil.rmtree(finished.results)
    finished.run("grids", "--cores", "1")
    assert (finished.results / "grids/one_step.nc").read_bytes() == raw


def test_results_do_not_depend_on_the_store(finished):
    before = read(finished)
    finished.configure(embeddings={"store": "arrays"})
    assert finished.would_run() == {"generate_embeddings": 2} | TRAINING
    shutil.rmtree(finished.results / "cells")
    finished.run("grids")
    for name, values in read(finished).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)
