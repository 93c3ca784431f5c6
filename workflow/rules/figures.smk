# Every figure is drawn by the script of its name from the grids and the fits of what it shows.
for figure, experiments in FIGURES.items():

    rule:
        name:
            f"plot_{figure}"
        input:
            grid=figure_inputs(figure, "grids"),
            fits=figure_inputs(figure, "fits"),
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
            files_behind(experiments),
            figure_files(figure),


rule figures:
    input:
        [
            [*files_behind(experiments), *figure_files(figure)]
            for figure, experiments in FIGURES.items()
        ],
