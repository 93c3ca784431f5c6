# One page that stands alone. Pictures are put into it; of grids it reads attributes. Benchmarks of cells, for
# the time that they took, are read where there are any: they are no inputs, a page without them is complete.
rule write_page:
    input:
        claims=CONFIG.claims,
        table=CLAIM_FILES[0],
        fits=fits_of(SELECTED),
        grids=expand(f"{RESULTS}/grids/{{experiment}}.nc", experiment=SELECTED),
        pictures=[path for figure in SELECTED_FIGURES for path in figure_files(figure)],
    output:
        PAGE,
    log:
        f"{RESULTS}/logs/write_page.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_page.tsv"
    localrule: True
    params:
        settings=page_settings(),
        code=code("scripts/write_page.py"),
    script:
        "../../scripts/write_page.py"


# With all that it links to.
rule page:
    input:
        rules.figures.input,
        rules.claims.input,
        PAGE,
