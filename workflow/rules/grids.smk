rule assemble_grid:
    input:
        cells=grid_cells,
    output:
        f"{RESULTS}/grids/{{experiment}}.nc",
    log:
        f"{RESULTS}/logs/assemble_grid/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/assemble_grid/{{experiment}}.tsv"
    params:
        settings=grid_settings,
        code=code("assemble_grid"),
    script:
        "../../scripts/assemble_grid.py"


rule grids:
    input:
        files_behind(CELLS),
