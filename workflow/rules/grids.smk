rule assemble_grid:
    input:
        cells=grid_cells,
    output:
        f"{RESULTS}/grids/{{experiment}}.nc",
    params:
        settings=grid_settings,
        code=code("assemble_grid"),
    log:
        f"{RESULTS}/logs/assemble_grid/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/assemble_grid/{{experiment}}.tsv"
    script:
        "../../scripts/assemble_grid.py"


rule grids:
    input:
        expand(f"{RESULTS}/grids/{{experiment}}.nc", experiment=CONFIG.experiments),
