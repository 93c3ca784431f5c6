# Every figure is drawn by the script of its name from the grid and the fits of one experiment.
for figure, experiment in FIGURES.items():

    rule:
        name:
            f"plot_{figure}"
        input:
            grid=f"{RESULTS}/grids/{experiment}.nc",
            fits=f"{RESULTS}/fits/{experiment}.nc",
            style=CONFIG.figures.style,
        output:
            figure_files(figure),
        params:
            settings=FIGURE_SETTINGS,
            code=code(f"plot_{figure}"),
        log:
            f"{RESULTS}/logs/plot_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/plot_{figure}.tsv"
        script:
            f"../../scripts/plot_{figure}.py"

    rule:
        name:
            figure
        input:
            figure_files(figure),


rule figures:
    input:
        [figure_files(figure) for figure in FIGURES],
