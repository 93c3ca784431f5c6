# All Python of the workflow: configuration, file names, what each job depends on.
import os
import shutil
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The package of this very tree, here and in every job: the code digests below describe it, whatever
# other copy the environment may have installed.
ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
)

# Several jobs may share one GPU: none may take all of its memory at the start.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

# Modules, not names: a Snakefile shares Snakemake's own global names and would overwrite them.
import spectral_capacity.results.files as files
import spectral_capacity.config as configuration
import spectral_capacity.config.estimates as estimates
import spectral_capacity.results.code_digest as digests

try:
    CONFIG = configuration.parse(config)
except configuration.ConfigError as error:
    raise WorkflowError(error) from None

config.update(CONFIG.model_dump())  # defaults filled in, for scripts
RESULTS = CONFIG.results
EMBEDDINGS = configuration.embeddings_files(CONFIG)
CELLS = {
    experiment: {cell.name: cell for cell in configuration.cells(CONFIG, experiment)}
    for experiment in CONFIG.experiments
}
FIGURES = {
    figure: list(experiments.values())
    for figure in configuration.FIGURES
    if (experiments := configuration.shown(CONFIG, figure))
}
FIGURE_SETTINGS = {"finite_size": CONFIG.figures.finite_size}


wildcard_constraints:
    experiment="[A-Za-z][A-Za-z0-9_]*",
    cell="[A-Za-z0-9_.e+-]+",
    embeddings="[a-z0-9_-]+",


def code(rule):
    """Digest of the code behind a rule: its script and all of the package that it imports."""
    return digests.code_digest(ROOT / "scripts" / f"{rule}.py", ROOT)


def own_code(wildcards):
    """Digest of the file with a user's own map, for the cells of its optimizer."""
    own = configuration.own_code(CONFIG.optimizers[cell_of(wildcards).optimizer])
    return digests.code_digest(own, ROOT) if own else ""


def embeddings_settings(wildcards):
    file = EMBEDDINGS[wildcards.embeddings]
    return configuration.sorted_plain(
        {
            "n_items": file.n_items,
            "d": file.d,
            "seeds": list(file.seeds),
            "root_seed": CONFIG.seed,
            "store": CONFIG.embeddings.store,
        }
    )


def cell_of(wildcards):
    return CELLS[wildcards.experiment][wildcards.cell]


def cell_settings(wildcards):
    return cell_of(wildcards).settings(CONFIG)


def training_threads(wildcards):
    """One thread a job: jobs side by side use the cores better than threads inside one do. A job that
    takes all devices has this machine to itself; on a cluster it has an allocation of its own."""
    return workflow.cores if CONFIG.all_devices and workflow.local_exec else 1


def cell_embeddings(wildcards):
    own = CONFIG.experiments[wildcards.experiment].embeddings
    if own:
        return own.file
    return f"{RESULTS}/embeddings/{cell_of(wildcards).embeddings.name}.nc"


def grid_cells(wildcards):
    return [
        f"{RESULTS}/cells/{wildcards.experiment}/{cell}.nc" for cell in CELLS[wildcards.experiment]
    ]


def grid_settings(wildcards):
    experiment = CONFIG.experiments[wildcards.experiment]
    return configuration.sorted_plain(
        {
            **experiment.model_dump(),
            "experiment": wildcards.experiment,
            "seed": CONFIG.seed,
            "store": CONFIG.embeddings.store,
            "definitions": {
                name: CONFIG.optimizers[name].model_dump() for name in experiment.optimizers
            },
            "coordinates": configuration.coordinates(CONFIG, wildcards.experiment),
        }
    )


def fit_settings(wildcards):
    experiment = CONFIG.experiments[wildcards.experiment]
    return configuration.sorted_plain(
        {
            **CONFIG.fits.model_dump(),
            "experiment": wildcards.experiment,
            "n_items": experiment.n_items,
            "frequencies": configuration.frequencies(experiment),
            "own_embeddings": experiment.embeddings is not None,
            "root_seed": CONFIG.seed,
            "options": {
                name: configuration.numeric_options(CONFIG.optimizers[name])
                for name in experiment.optimizers
            },
            "steps": experiment.steps,
            "gradient": experiment.gradient,
            "schedules": {
                name: CONFIG.optimizers[name].learning_rate.schedule
                for name in experiment.optimizers
            },
            "theory": {
                name: configuration.theory_of(CONFIG.optimizers[name])
                for name in experiment.optimizers
            },
        }
    )


def figure_files(figure):
    """The files of a figure, one per format; the report shows the SVG."""
    stem = f"{RESULTS}/figures/{figure}"
    caption = f"../report/{figure}.rst"
    marked = {"svg": report(f"{stem}.svg", caption=caption, category="Figures")}
    return [marked.get(suffix, f"{stem}.{suffix}") for suffix in CONFIG.figures.formats]


def figure_inputs(figure, kind):
    """Grids or fits of the experiments that a figure shows: one path, or a list of them."""
    paths = [f"{RESULTS}/{kind}/{experiment}.nc" for experiment in FIGURES[figure]]
    return paths[0] if len(paths) == 1 else paths


def files_behind(experiments):
    """All files behind experiments' figures. Targets ask for every one of them: Snakemake does not
    miss a deleted file whose consumers are up to date."""
    for experiment in experiments:
        if CONFIG.experiments[experiment].embeddings is None:
            names = {cell.embeddings.name for cell in CELLS[experiment].values()}
            yield from (f"{RESULTS}/embeddings/{name}.nc" for name in sorted(names))
        yield from (f"{RESULTS}/cells/{experiment}/{name}.nc" for name in CELLS[experiment])
        yield f"{RESULTS}/grids/{experiment}.nc"


def fit_files():
    return expand(
        f"{RESULTS}/fits/{{experiment}}.{{suffix}}", experiment=CELLS, suffix=["nc", "csv"]
    )


CLAIM_FILES = [f"{RESULTS}/claims.csv", f"{RESULTS}/claims.html"]

# Snakemake takes a file that exists for finished. One that does not end where its format says it
# ends (a copy broken off, a disk that failed) is set aside here, so that its rule runs again. Jobs
# write under another name first, so no file is ever seen half-written. A dry run does it too (it is
# not known for one while rules are read) and so shows the jobs that follow.
if workflow.is_main_process:
    for path in [
        *files_behind(CELLS),
        *fit_files(),
        *sum(map(figure_files, FIGURES), []),
        *CLAIM_FILES,
    ]:
        path = Path(path)
        if path.exists() and not files.is_complete(path):
            path.rename(f"{path}.truncated")
            print(f"{path}: truncated; set aside, to be made again", file=sys.stderr)


onstart:
    jobs = list(workflow.dag.needrun_jobs())
    drawn = [
        EMBEDDINGS[job.wildcards.embeddings]
        for job in jobs
        if job.rule.name == "generate_embeddings"
    ]
    trained = [cell_of(job.wildcards) for job in jobs if job.rule.name == "train_memory"]
    needed = estimates.disk_bytes(drawn, 3 * len(jobs), CONFIG.embeddings.store)
    Path(RESULTS).mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(RESULTS).free
    if needed > free:
        raise WorkflowError(
            f"{RESULTS}: this run needs about {estimates.size(needed)} of disk and "
            f"{estimates.size(free)} are free. Free some space, choose another results folder, or "
            "set embeddings: {store: keys}."
        )
    if trained:
        rates = estimates.Rates.of_a_core(estimates.measured_flops())
        early = any(CONFIG.experiments[cell.experiment].early_stop for cell in trained)
        bound = "at most about" if early else "about"
        cores = getattr(workflow.resource_settings, "cores", None) or 1  # none on a cluster
        seconds = sum(estimates.cell_seconds(cell, CONFIG, rates) for cell in trained) / cores
        print(
            f"{len(trained)} cells to train: {bound} {estimates.duration(seconds)} on "
            f"{cores} CPU cores, {estimates.size(needed)} of disk",
            file=sys.stderr,
        )
