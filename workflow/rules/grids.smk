rule assemble_grid:
    input:
        tables=lambda wildcards: tables_of(wildcards.experiment),
    output:
        f"{RESULTS}/grids/{{experiment}}.nc",
    log:
        f"{RESULTS}/logs/assemble_grid/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/assemble_grid/{{experiment}}.tsv"
    localrule: True
    params:
        settings=lambda wildcards: CONFIG.experiments[wildcards.experiment].grid_settings(
            wildcards.experiment, SHARED
        ),
        title=lambda wildcards: CONFIG.experiments[wildcards.experiment].title,
        code=code("scripts/assemble_grid.py"),
    script:
        "../../scripts/assemble_grid.py"


rule grids:
    input:
        files_behind(SELECTED),
