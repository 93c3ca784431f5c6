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
        log:
            f"{RESULTS}/logs/plot_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/plot_{figure}.tsv"
        params:
            figure=figure,
            settings=FIGURE_SETTINGS,
            code=code(f"plot_{figure}"),
        script:
            "../../scripts/plot_{params.figure}.py"

    rule:
        name:
            figure
        input:
            files_behind(experiment),
            figure_files(figure),


rule figures:
    input:
        [
            [*files_behind(experiment), *figure_files(figure)]
            for figure, experiment in FIGURES.items()
        ],
