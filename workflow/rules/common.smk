# All Python of the workflow: configuration, file names, what each job depends on.
import dataclasses
import os
import shutil
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The package of this very tree, here and in every job: the code digests below describe it, whatever
# other copy the environment may have installed.
ROOT = Path(workflow.current_basedir).parents[1]
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
)

# Several jobs may share one GPU: none may take all of its memory at the start.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

# Modules, not names: a Snakefile shares Snakemake's own global names and would overwrite them.
import spectral_capacity.config.looks as looking
import spectral_capacity.config.messages as messages
import spectral_capacity.config.parse as configuration
import spectral_capacity.config.plan as planning
import spectral_capacity.kinds.bundles as bundling
import spectral_capacity.kinds.rates as rates
import spectral_capacity.kinds.registry as registry
import spectral_capacity.results.bundles as manifests
import spectral_capacity.results.code_digest as digests
import spectral_capacity.results.digests as contents
import spectral_capacity.results.files as files

# The default first, then what is laid over it: as one, they tell of a key that is there twice.
LAYERS = [file for file in workflow.configfiles if file not in workflow.overwrite_configfiles]

try:
    configuration.merged([*LAYERS, *workflow.overwrite_configfiles])
    CONFIG = configuration.parse(config)
except messages.ConfigError as error:
    raise WorkflowError(error) from None

SHARED = CONFIG.shared
RESULTS = CONFIG.results
BUNDLES = {
    name: {
        bundle.name: bundle
        for bundle in bundling.cut(experiment.cells(name, SHARED), CONFIG.bundle_seconds)
    }
    for name, experiment in CONFIG.experiments.items()
}
EMBEDDINGS = {
    file.name: file
    for bundles in BUNDLES.values()
    for bundle in bundles.values()
    for file in bundle.draws()
}
FITS = {
    name: settings
    for name, experiment in CONFIG.experiments.items()
    if (settings := experiment.fit_settings(name, SHARED)) is not None
}
# What may be asked for by name, and what is run by default.
FIGURES = CONFIG.drawn(CONFIG.experiments)
SELECTED = list(CONFIG.selected)
SELECTED_FIGURES = list(CONFIG.drawn(CONFIG.selected))
LOOKS = looking.looks(CONFIG)

config.update(CONFIG.model_dump())  # defaults filled in, for scripts
# By rule, in the configuration: a report's caption sees both, and a change reruns nothing.
config["captions"] = {f"plot_{name}": figure.module.caption for name, figure in FIGURES.items()}


wildcard_constraints:
    experiment="[A-Za-z][A-Za-z0-9_]*",
    bundle="[A-Za-z0-9_.e+-]+",
    embeddings="[a-z0-9_-]+",


def code(script, *modules):
    """Digest of the code behind a rule: its script, the modules that it is told to import, and all of
    the package that they import."""
    return digests.code_digest(ROOT / script, ROOT, *modules)


def experiments_of(kind):
    """Names of the experiments of a kind, as a pattern; one that matches nothing where there is none."""
    names = [name for name, experiment in CONFIG.experiments.items() if type(experiment) is kind]
    return "|".join(names) or "(?!)"


def bundle_of(wildcards):
    return BUNDLES[wildcards.experiment][wildcards.bundle]


def training_threads(wildcards):
    """One thread a job: jobs side by side use the cores better than threads inside one do. A job that
    takes all devices has this machine to itself; on a cluster it has an allocation of its own."""
    return workflow.cores if CONFIG.all_devices and workflow.local_exec else 1


def embeddings_file(name):
    return f"{RESULTS}/embeddings/{name}.nc"


def draws_of(learner):
    """Files of generated embeddings that a bundle or a cell reads."""
    return [embeddings_file(file.name) for file in learner.draws()]


def manifest_file(experiment, bundle):
    return f"{RESULTS}/bundles/{experiment}/{bundle}.json"


def manifests_of(experiment):
    return [manifest_file(experiment, bundle) for bundle in BUNDLES[experiment]]


def cell_file(experiment, cell):
    return f"{RESULTS}/cells/{experiment}/{cell.name}.nc"


def cells_of(experiment):
    """Files that no rule declares as output: Snakemake would delete the finished ones of a failed job."""
    bundles = BUNDLES[experiment].values()
    return [cell_file(experiment, cell) for bundle in bundles for cell in bundle.cells]


def checkpoint_file(experiment, cell):
    return f"{RESULTS}/checkpoints/{experiment}/{cell.name}.nc"


def unfinished_of(experiment):
    """Files of cells that were cut off: their checkpoints, and what says that they had begun."""
    bundles = BUNDLES[experiment].values()
    checkpoints = [checkpoint_file(experiment, cell) for bundle in bundles for cell in bundle.cells]
    return [*checkpoints, *map(manifests.begun, checkpoints)]


def log_of(experiment, cell):
    return f"{RESULTS}/logs/cells/{experiment}/{cell.name}.log"


def members_of(wildcards):
    """What a training job is told of each of its cells."""
    experiment = wildcards.experiment
    script = CONFIG.experiments[experiment].script
    return [member_of(experiment, cell, code(script)) for cell in bundle_of(wildcards).cells]


def member_of(experiment, cell, code_of_training):
    own = cell.own_code()
    return {
        "checkpoint": checkpoint_file(experiment, cell),
        "code": code_of_training,
        "data": (draws_of(cell) + cell.files())[0],
        "file": cell_file(experiment, cell),
        "generated": bool(cell.draws()),
        "log": log_of(experiment, cell),
        "memory": cell.cost().bytes,
        "name": cell.name,
        "own_code": digests.code_digest(own, ROOT) if own else "",
        "settings": cell.settings(),
    }


def fits_of(experiments):
    return expand(
        f"{RESULTS}/fits/{{experiment}}.{{suffix}}",
        experiment=[name for name in experiments if name in FITS],
        suffix=["nc", "csv"],
    )


def figure_files(figure):
    """The files of a figure, one per format."""
    return [f"{RESULTS}/figures/{figure}.{suffix}" for suffix in CONFIG.figures.formats]


def reported(name):
    """The same with one that a browser shows marked for the report: for the rule that draws it alone,
    since a report takes the caption of whichever rule has a marked file, be it as input."""
    about = {
        "caption": "../report/figure.rst",
        "category": FIGURES[name].module.theme,
        "labels": {
            "figure": FIGURES[name].title(name),
            "experiment": ", ".join(shown_in(name)),
        },
    }
    seen = next(suffix for suffix in ("svg", "png", "pdf") if suffix in CONFIG.figures.formats)
    paths = figure_files(name)
    return [report(path, **about) if path.endswith(seen) else path for path in paths]


def shown_in(figure):
    """The experiments that a figure shows, in the order of its roles."""
    return list(FIGURES[figure].experiments.values())


def figure_inputs(figure, what):
    """Grids or fits of the experiments that a figure shows: one path, or a list of them."""
    names = [name for name in shown_in(figure) if what == "grids" or name in FITS]
    paths = [f"{RESULTS}/{what}/{name}.nc" for name in names]
    return paths[0] if len(paths) == 1 else paths


def figure_looks(figure):
    """How the optimizers of its experiments look, in a fixed order."""
    named = {o for name in shown_in(figure) for o in CONFIG.experiments[name].optimizers}
    return {optimizer: LOOKS[optimizer] for optimizer in sorted(named)}


def target_files(name):
    """All that is called so: an experiment with the figures that show it alone, a figure, or both. Of
    both, a figure of experiments that are not run now is left out."""
    called = [name] if name not in BUNDLES or name in SELECTED_FIGURES else []
    figures = [figure for figure in FIGURES if figure in called or shown_in(figure) == [name]]
    experiments = {
        experiment: None  # in order, each once
        for experiment in [name, *(e for figure in figures for e in shown_in(figure))]
        if experiment in BUNDLES
    }
    yield from files_behind(experiments)
    yield from fits_of([name])
    yield from (path for figure in figures for path in figure_files(figure))


def files_behind(experiments):
    """All files behind experiments' figures. Targets ask for every one of them: Snakemake does not
    miss a deleted file whose consumers are up to date."""
    for experiment in experiments:
        drawn = {path for bundle in BUNDLES[experiment].values() for path in draws_of(bundle)}
        yield from sorted(drawn)
        yield from manifests_of(experiment)
        yield f"{RESULTS}/grids/{experiment}.nc"


CLAIM_FILES = [f"{RESULTS}/claims.csv", f"{RESULTS}/claims.html"]
PAGE = f"{RESULTS}/index.html"


def page_settings():
    """What the page of the run shows: its figures, and where it finds what belongs to each experiment."""
    figures = [
        {
            "name": name,
            "draw": FIGURES[name].draw,
            "title": FIGURES[name].title(name),
            "theme": FIGURES[name].module.theme,
            "caption": FIGURES[name].module.caption,
            "experiments": shown_in(name),
            "files": {Path(path).suffix[1:]: path for path in figure_files(name)},
        }
        for name in SELECTED_FIGURES
    ]
    experiments = {
        name: {
            "fits": {Path(path).suffix[1:]: path for path in fits_of([name])},
            "logs": [
                log_of(name, cell) for bundle in BUNDLES[name].values() for cell in bundle.cells
            ],
        }
        for name in SELECTED
    }
    return {"experiments": experiments, "figures": figures}


def all_files():
    """Every result that the configuration names, of experiments that are not run now, too."""
    figures = [path for figure in FIGURES for path in figure_files(figure)]
    return [*files_behind(BUNDLES), *fits_of(BUNDLES), *figures, *CLAIM_FILES, PAGE]


# Snakemake takes a file that exists for finished. One that does not end where its format says it ends
# (a copy broken off, a disk that failed), or is not the one that was written, is set aside here, so that
# its rule runs again; and so are manifests of which a cell is missing or another. Jobs write under
# another name first, so no file is ever seen half-written. A dry run does it too (it is not known for
# one while rules are read) and so shows the jobs that follow.
def set_damaged_aside():
    for experiment, bundles in BUNDLES.items():
        for name, bundle in bundles.items():
            manifest = Path(manifest_file(experiment, name))
            if manifest.exists():
                cells = {cell.name: cell_file(experiment, cell) for cell in bundle.cells}
                if problems := manifests.unsound_cells(manifest, cells):
                    manifest.unlink()
                    yield from problems
    for path in map(Path, all_files()):
        if not path.exists():
            continue
        if not files.is_complete(path):
            yield f"{path}: truncated; {files.set_aside(path)}"
        elif contents.is_changed(path):
            yield f"{path}: not what was written; {files.set_aside(path)}"


if workflow.is_main_process:
    for problem in set_damaged_aside():
        print(problem, file=sys.stderr)


def cells_to_train(jobs):
    """Cells of training jobs whose file is missing or was made from something else."""
    kinds = {Path(kind.script).stem for kind in registry.KINDS.values()}
    for job in jobs:
        if job.rule.name in kinds:
            listed = manifests.read_manifest(job.output[0])
            for member, cell in zip(job.params.cells, bundle_of(job.wildcards).cells):
                if not manifests.seems_fresh(manifests.Member(**member), listed):
                    yield cell


onstart:
    jobs = list(workflow.dag.needrun_jobs())
    drawn = [
        EMBEDDINGS[job.wildcards.embeddings]
        for job in jobs
        if job.rule.name == "generate_embeddings"
    ]
    trained = list(cells_to_train(jobs))
    needed = planning.disk_bytes(drawn, 3 * len(jobs) + len(trained), CONFIG.embeddings.store)
    Path(RESULTS).mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(RESULTS).free
    if needed > free:
        raise WorkflowError(
            f"{RESULTS}: this run needs about {planning.size(needed)} of disk and "
            f"{planning.size(free)} are free. Free some space, choose another results folder, or "
            "set embeddings: {store: keys}."
        )
    if trained:
        core = rates.Rates.of_a_core(rates.measured_flops())
        bound = "at most about" if any(cell.may_end_early for cell in trained) else "about"
        cores = getattr(workflow.resource_settings, "cores", None) or 1  # none on a cluster
        seconds = sum(cell.cost().seconds(core) for cell in trained) / cores
        print(
            f"{len(trained)} cells to train: {bound} {planning.duration(seconds)} on "
            f"{cores} CPU cores, {planning.size(needed)} of disk",
            file=sys.stderr,
        )
