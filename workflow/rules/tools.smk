# Targets that tell, and make nothing: they have no output and no benchmark, which Snakemake takes for
# one, so they always run.
# What all cells that are run need, trained or not.
rule plan:
    log:
        f"{RESULTS}/logs/plan.log",
    threads: 1
    params:
        cells=lambda wildcards: [
            (experiment, cell.description, dataclasses.astuple(cell.cost()))
            for experiment in SELECTED
            for bundle in BUNDLES[experiment].values()
            for cell in bundle.cells
        ],
        code=code("scripts/plan.py"),
    script:
        "../../scripts/plan.py"


# What is left of configurations that are no more.
rule prune:
    log:
        f"{RESULTS}/logs/prune.log",
    params:
        named=lambda wildcards: [
            *all_files(),
            *(path for name in BUNDLES for path in [*cells_of(name), *unfinished_of(name)]),
        ],
        code=code("scripts/prune.py"),
    script:
        "../../scripts/prune.py"
