# Configuration, file names, what each job depends on.
import dataclasses
import functools
import os
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

# Modules, not names: a Snakefile shares Snakemake's own global names and would overwrite them.
import spectral_capacity.config.looks as looking
import spectral_capacity.config.messages as messages
import spectral_capacity.config.parse as configuration
import spectral_capacity.kinds.bundles as bundling
import spectral_capacity.kinds.registry as registry
import spectral_capacity.results.bundles as manifests
import spectral_capacity.results.code_digest as digests

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


# What a training job asks for: a GPU if the configuration says so, or, where that leaves the device open,
# if the run has some to give (`--resources gpu=N`, profiles/gpu). A cluster would look for one.
GPU_GIVEN = CONFIG.device == "auto" and "gpu" in workflow.resource_settings.resources
TRAINING_RESOURCES = {"gpu": 1} if GPU_GIVEN or CONFIG.device == "gpu" else {}


def embeddings_file(name):
    return f"{RESULTS}/embeddings/{name}.nc"


def draws_of(learner):
    """Files of generated embeddings that a bundle or a cell reads."""
    return [embeddings_file(file.name) for file in learner.draws()]


def manifest_file(experiment, bundle):
    return f"{RESULTS}/bundles/{experiment}/{bundle}.json"


def manifests_of(experiment):
    return [manifest_file(experiment, bundle) for bundle in BUNDLES[experiment]]


def table_file(experiment, bundle):
    return f"{RESULTS}/bundles/{experiment}/{bundle}.nc"


def tables_of(experiment):
    return [table_file(experiment, bundle) for bundle in BUNDLES[experiment]]


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


@functools.cache
def members_of(experiment, bundle):
    """What the job of a bundle is told of each of its cells."""
    digest = code(CONFIG.experiments[experiment].script)
    return [member_of(experiment, cell, digest) for cell in BUNDLES[experiment][bundle].cells]


def member_of(experiment, cell, code_of_training):
    own = cell.own_code()
    return {
        "checkpoint": checkpoint_file(experiment, cell),
        "code": code_of_training,
        "data": next(iter([*draws_of(cell), *cell.files()]), None),
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
        yield from tables_of(experiment)
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
