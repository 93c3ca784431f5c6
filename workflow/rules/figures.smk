# One script draws every figure, with the module of its name, from grids and fits of what it shows.
for figure, experiments in FIGURES.items():

    rule:
        name:
            f"plot_{figure}"
        input:
            grid=figure_inputs(figure, "grids"),
            fits=figure_inputs(figure, "fits"),
            style=CONFIG.figures.style,
        output:
            reported(figure_files(figure)),
        log:
            f"{RESULTS}/logs/plot_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/plot_{figure}.tsv"
        params:
            module=MODULES[figure].module,
            settings=FIGURE_SETTINGS,
            code=code("scripts/plot_figure.py", MODULES[figure].path),
        script:
            "../../scripts/plot_figure.py"

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
