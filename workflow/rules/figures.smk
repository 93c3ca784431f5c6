# One script draws every figure, with the module that it names, from grids and fits of what it shows.
for figure in FIGURES:

    rule:
        name:
            f"plot_{figure}"
        input:
            grid=figure_inputs(figure, "grids"),
            fits=figure_inputs(figure, "fits"),
            style=CONFIG.figures.style,
        output:
            reported(figure),
        log:
            f"{RESULTS}/logs/plot_{figure}.log",
        benchmark:
            f"{RESULTS}/benchmarks/plot_{figure}.tsv"
        params:
            title=FIGURES[figure].title(figure),
            module=FIGURES[figure].module.module,
            settings={"finite_size": CONFIG.figures.finite_size} | FIGURES[figure].options,
            optimizers=figure_looks(figure),
            code=code("scripts/plot_figure.py", FIGURES[figure].module.path),
        script:
            "../../scripts/plot_figure.py"


# Experiments and figures are targets by their names.
for name in dict.fromkeys([*BUNDLES, *FIGURES]):

    rule:
        name:
            name
        input:
            target_files(name),


rule figures:
    input:
        [[*files_behind(shown_in(figure)), *figure_files(figure)] for figure in SELECTED_FIGURES],
