# What is looked at before anything runs: results that are not whole, the disk, how long it will take.
import shutil
import tempfile

import spectral_capacity.config.plan as planning
import spectral_capacity.devices as devices
import spectral_capacity.kinds.rates as rates
import spectral_capacity.results.digests as contents
import spectral_capacity.results.files as files

WRITABLE = f"Make {RESULTS} writable, or choose another folder with --config results=FOLDER."


# Snakemake takes a file that exists for finished. One that does not end where its format says it ends
# (a copy broken off, a disk that failed), or is not the one that was written, is set aside here, so that
# its rule runs again; and so are manifests of which a cell is missing or another. Jobs write under
# another name first, so no file is ever seen half-written. A dry run does it too (it is not known for
# one while rules are read) and so shows the jobs that follow.
def set_damaged_aside():
    for experiment, bundles in BUNDLES.items():
        for name in bundles:
            manifest = Path(manifest_file(experiment, name))
            if manifest.exists() and not contents.is_changed(manifest):
                members = [manifests.Member(**told) for told in members_of(experiment, name)]
                if problems := manifests.unsound_cells(manifest, members):
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
    try:
        for problem in set_damaged_aside():
            print(problem, file=sys.stderr)
    except OSError as error:
        raise WorkflowError(f"{error}. {WRITABLE}") from None


# Snakemake remembers by a file's name with which parameters it made it, and knows its inputs by their times.
# That is not enough where its folder .snakemake was deleted, where a file of other settings was copied here
# with the note beside it, or where a job of an earlier call writes last. Such files are made again, and
# what follows from them. A function of an input that gives none: when Snakemake calls it, it has read
# what it remembers, and has not yet chosen what runs. These are inner parts of Snakemake, as of 9.27;
# tests/faults and tests/workflow/test_incremental.py would tell of a version in which they are others.
def force_what_is_unlike(dag):
    if not workflow.is_main_process or dag in LOOKED_AT:
        return
    LOOKED_AT.append(dag)
    for maker, wildcards in makers():
        outputs = maker.expand_output(wildcards)[0]
        inputs = maker.expand_input(wildcards)[0]
        params, told = maker.expand_params(wildcards, inputs, outputs, None)
        product = contents.Product(outputs, inputs, params, RESULTS)
        noticed = workflow.persistence.params_changed(Made(outputs, told))
        for output, others in product.unlike().items():
            if not (noticed and others == ["params"]):
                print(f"{output}: made from {ANOTHER[others[-1]]}; is made again", file=sys.stderr)
                dag.forcefiles.add(output)


LOOKED_AT = []
ANOTHER = {
    "params": "other settings or code",
    "inputs": "other files than those that are here now, as far as is known",
}


@dataclasses.dataclass(eq=False)
class Made:
    """As much of a job as Snakemake needs to compare its parameters with those that it remembers."""

    output: list
    non_derived_params: list


def makers():
    """Rule and wildcards of every result that is there."""
    found = {}
    for path in filter(os.path.exists, all_files()):
        maker = next(rule for rule in workflow.rules if rule.is_producer(path))
        wildcards = maker.get_wildcards(path)
        found[maker.name, *sorted(wildcards.items())] = maker, wildcards
    return found.values()


def cells_to_train(jobs):
    """Cells of training jobs whose file is missing or was made from something else."""
    kinds = {Path(kind.script).stem for kind in registry.KINDS.values()}
    for job in jobs:
        if job.rule.name in kinds:
            listed = manifests.read_manifest(job.output.manifest)
            for member, cell in zip(job.params.cells, bundle_of(job.wildcards).cells):
                if not manifests.seems_fresh(manifests.Member(**member), listed):
                    yield cell


def disk_needed(jobs, trained):
    """Bytes that a run will write, about."""
    drawn = [
        EMBEDDINGS[job.wildcards.embeddings]
        for job in jobs
        if job.rule.name == "generate_embeddings"
    ]
    return planning.disk_bytes(drawn, 3 * len(jobs) + len(trained), CONFIG.embeddings.store)


onstart:
    jobs = list(workflow.dag.needrun_jobs())
    trained = list(cells_to_train(jobs))
    # On a cluster it is the jobs that look: this machine may have none.
    if trained and CONFIG.device == "gpu" and workflow.local_exec:
        if problem := devices.gpu_problem():
            raise WorkflowError(problem)
    needed = disk_needed(jobs, trained)
    try:
        Path(RESULTS).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=RESULTS).close()
    except OSError as error:
        raise WorkflowError(f"{RESULTS}: cannot be written: {error}. {WRITABLE}") from None
    free = shutil.disk_usage(RESULTS).free
    if needed > free:
        raise WorkflowError(
            f"{RESULTS}: this run needs about {planning.size(needed)} of disk and "
            f"{planning.size(free)} are free. Free some space, choose another results folder, or "
            "set embeddings: {store: keys}."
        )
    if trained:
        core = rates.Rates.of_a_core(rates.measured_flops())
        cores = workflow.cores if workflow.local_exec else None
        print(
            f"{planning.expected(trained, core, cores)}, {planning.size(needed)} of disk",
            file=sys.stderr,
        )
