"""What reruns when something changes: each row of the contract, the set of jobs asserted."""

import shutil
import subprocess

import numpy as np
import pytest

pytestmark = pytest.mark.workflow

FIGURES = {"plot_fig1a": 1, "plot_fig2": 1}
AFTER_GRID = {"fit_exponents": 1, "check_claims": 1, **FIGURES}
AFTER_CELLS = {"assemble_grid": 1, **AFTER_GRID}
CELLS = 8
ALL = {"generate_embeddings": 2, "train_memory": CELLS, **AFTER_CELLS}


def test_everything_runs_once_and_then_nothing(fresh):
    assert fresh.ran() == ALL
    assert "Nothing to be done" in fresh.run()


@pytest.mark.parametrize("target", ["figures", "fig2", "claims", "grids", "all"])
def test_named_targets_find_their_files_finished(finished, target):
    assert "Nothing to be done" in finished.run(target)


def test_the_plan_is_printed_as_often_as_asked_for(finished):
    for _ in range(2):
        output = finished.run("plan")
        assert "one_step" in output
        assert "all cells, one after another" in output
    assert finished.ran() == {}


def test_touch_and_checkout_rerun_nothing(finished):
    for name in ("Snakefile", "workflow", "scripts", "spectral_capacity", "config", "data"):
        for path in [finished.folder / name, *(finished.folder / name).rglob("*")]:
            path.touch()
    assert finished.ran() == {}


def test_style_redraws_the_figures(finished):
    finished.edit("config/figures.mplstyle", "font.size: 8", "font.size: 8.5")
    assert finished.ran() == FIGURES


def test_a_figures_script_redraws_that_figure(finished):
    finished.edit("scripts/plot_fig1a.py", "figure = fig1a.plot", "drawn = figure = fig1a.plot")
    assert finished.ran() == {"plot_fig1a": 1}


def test_a_figures_module_redraws_that_figure(finished):
    finished.edit(
        "spectral_capacity/figures/fig2.py", "height_ratios=(2.6, 1)", "height_ratios=(3, 1)"
    )
    assert finished.ran() == {"plot_fig2": 1}


def test_the_finite_size_switch_redraws_the_figures(finished):
    finished.configure(figures={"formats": ["svg"], "finite_size": False})
    assert finished.ran() == FIGURES


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        ({"alpha": [1.5, 2.0, 3.0]}, {"train_memory": 4}),
        ({"d": [4, 8, 16]}, {"generate_embeddings": 1, "train_memory": 4}),
        ({"kappa": [0.0, 1.0]}, {"train_memory": 8}),
        ({"seeds": 4}, {"generate_embeddings": 2, "train_memory": 8}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_new_value_runs_its_new_cells(finished, change, jobs):
    finished.configure(change)
    assert finished.ran() == jobs | AFTER_CELLS


def test_a_new_optimizer_runs_its_new_cells(finished):
    soft = {"rule": "spectral", "map": {"name": "smoothed_polar", "resolution": 0.01}}
    finished.configure({"optimizers": ["gd", "muon", "soft"]}, optimizers={"soft": soft})
    assert finished.ran() == {"train_memory": 4} | AFTER_CELLS


MAP = """
def soften(gradient, context, *, cut=0.1):
    sigma = gradient.singular_values
    return gradient.with_singular_values(sigma / (sigma + cut * sigma[0]))
"""


def test_the_code_of_an_own_map_retrains_its_own_cells(finished):
    (finished.folder / "my_maps.py").write_text(MAP)
    mine = {"rule": "spectral", "map": {"name": "own", "file": "my_maps.py", "function": "soften"}}
    names = ["gd", "muon", "mine"]
    finished.configure({"optimizers": names}, optimizers={"mine": mine})
    assert finished.ran() == {"train_memory": 4} | AFTER_CELLS
    finished.edit("my_maps.py", "gradient.singular_values\n", "gradient.singular_values  # σ\n")
    assert finished.ran() == {}
    finished.edit("my_maps.py", "cut=0.1", "cut=0.2")
    assert finished.ran() == {"train_memory": 4} | AFTER_CELLS
    mine["map"]["options"] = {"cutt": 0.3}
    finished.configure({"optimizers": names}, optimizers={"mine": mine})
    assert "optimizers.mine.map: my_maps.py: soften has no option 'cutt'" in finished.run(
        fails=True
    )


def test_a_table_of_counts_is_known_by_its_content(finished):
    table = finished.folder / "counts.csv"
    table.write_text("count\n" + "\n".join(str(10**6 // i**2) for i in range(1, 400)) + "\n")
    finished.configure({"alpha": None, "frequencies": {"file": "counts.csv", "tail_from": 10}})
    assert finished.ran() == {"train_memory": 4} | AFTER_CELLS
    table.touch()
    assert finished.ran() == {}
    table.write_text(table.read_text().replace("1000000", "1000001"))
    assert finished.ran() == {"train_memory": 4} | AFTER_CELLS


def test_another_batch_size_runs_the_cells_that_hold_it(finished):
    finished.configure({"batch_size": [16, "population"]})
    assert finished.ran() == {"train_memory": CELLS} | AFTER_CELLS


def test_a_value_taken_away_runs_no_cell(finished):
    finished.configure({"alpha": [2.0]})
    assert finished.ran() == AFTER_CELLS


def test_a_claims_tolerance_checks_the_claims(finished):
    finished.edit("data/claims.yaml", "log_powers: 1", "log_powers: 1.5")
    assert finished.ran() == {"check_claims": 1}


def test_fit_settings_refit(finished):
    finished.configure(fits={"bootstrap": 150})
    assert finished.ran() == AFTER_GRID


def test_code_of_recall_retrains_all_cells(finished):
    finished.edit("spectral_capacity/memory/recall.py", "head: int = 128", "head: int = 127")
    assert finished.ran() == {"train_memory": CELLS} | AFTER_CELLS


def test_comments_docstrings_and_formatting_rerun_nothing(finished):
    for path, old, new in [
        ("spectral_capacity/memory/recall.py", '"""Exact recall:', '"""Exact and quick recall:'),
        ("spectral_capacity/memory/recall.py", "head: int = 128,", "head: int = 128,  # enough"),
        (
            "spectral_capacity/memory/associations.py",
            "import numpy as np\n",
            "\n\nimport numpy as np\n",
        ),
        ("scripts/train_memory.py", '"""Train one cell', '"""Train exactly one cell'),
        (
            "workflow/rules/train.smk",
            "threads: training_threads",
            "threads:  training_threads  # one",
        ),
    ]:
        finished.edit(path, old, new)
    assert finished.ran() == {}


def test_what_cannot_change_a_result_reruns_nothing(finished):
    finished.configure(device="cpu", all_devices=True, checkpoint_seconds=1.0)
    assert finished.ran() == {}


def test_cells_that_take_all_devices_run_one_at_a_time(fresh):
    dry = ["--dry-run", "grids", "--workflow-profile", "none"]
    assert "threads:" not in fresh.run(*dry)
    fresh.configure(all_devices=True)
    assert fresh.run(*dry).count("threads: 2") == CELLS  # of the two cores of these tests


@pytest.mark.parametrize("damage", ["deleted", "truncated"])
@pytest.mark.parametrize(
    ("path", "jobs"),
    [
        ("embeddings/*_d4_*.nc", {"generate_embeddings": 1, "train_memory": 4} | AFTER_CELLS),
        ("cells/one_step/muon_alpha1.5_*_d8_*.nc", {"train_memory": 1} | AFTER_CELLS),
        ("grids/one_step.nc", AFTER_CELLS),
        ("fits/one_step.csv", AFTER_GRID),
        ("figures/fig2.svg", {"plot_fig2": 1}),
        ("claims.html", {"check_claims": 1}),
    ],
    ids=["embeddings", "cell", "grid", "fits", "figure", "claims"],
)
def test_a_damaged_output_is_made_again_with_what_follows(finished, damage, path, jobs):
    (file,) = finished.results.glob(path)
    if damage == "deleted":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-20])
    assert finished.ran() == jobs
    assert not list(finished.results.rglob("*.truncated"))
    assert finished.ran() == {}


def test_git_operations_rerun_nothing(finished):
    def git(*arguments):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=finished.folder, check=True)

    (finished.folder / ".gitignore").write_text("results\n.snakemake\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    finished.edit("spectral_capacity/memory/recall.py", "head: int = 128", "head: int = 127")
    git("commit", "-qam", "two")
    git("checkout", "-q", "HEAD~1")
    assert finished.ran() == {}


def read(workflow):
    import netCDF4

    with netCDF4.Dataset(workflow.results / "grids/one_step.nc") as file:
        file.set_auto_mask(False)
        return {name: variable[:] for name, variable in file.variables.items()}


def test_a_rerun_gives_the_same_grid_to_the_last_bit(finished):
    raw = (finished.results / "grids/one_step.nc").read_bytes()
    shutil.rmtree(finished.results)
    finished.run("--cores", "1")
    assert (finished.results / "grids/one_step.nc").read_bytes() == raw


def test_results_do_not_depend_on_the_store(finished):
    before = read(finished)
    finished.configure(embeddings={"store": "arrays"})
    assert finished.ran() == ALL
    for name, values in read(finished).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)
