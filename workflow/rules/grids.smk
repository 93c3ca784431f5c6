rule assemble_grid:
    input:
        bundles=lambda wildcards: manifests_of(wildcards.experiment),
    output:
        f"{RESULTS}/grids/{{experiment}}.nc",
    log:
        f"{RESULTS}/logs/assemble_grid/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/assemble_grid/{{experiment}}.tsv"
    params:
        settings=lambda wildcards: CONFIG.experiments[wildcards.experiment].grid_settings(
            wildcards.experiment, SHARED
        ),
        cells=lambda wildcards: cells_of(wildcards.experiment),
        title=lambda wildcards: CONFIG.experiments[wildcards.experiment].title,
        code=code("scripts/assemble_grid.py"),
    script:
        "../../scripts/assemble_grid.py"


rule grids:
    input:
        files_behind(SELECTED),
