rule fit_exponents:
    input:
        grid=f"{RESULTS}/grids/{{experiment}}.nc",
    output:
        nc=f"{RESULTS}/fits/{{experiment}}.nc",
        csv=f"{RESULTS}/fits/{{experiment}}.csv",
    log:
        f"{RESULTS}/logs/fit_exponents/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fit_exponents/{{experiment}}.tsv"
    localrule: True
    params:
        settings=lambda wildcards: FITS[wildcards.experiment],
        code=code("scripts/fit_exponents.py"),
    script:
        "../../scripts/fit_exponents.py"
