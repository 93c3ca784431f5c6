CLAIMED = [name for name in SELECTED if CONFIG.experiments[name].quantities]


rule check_claims:
    input:
        claims=CONFIG.claims,
        fits=[f"{RESULTS}/fits/{name}.nc" for name in CLAIMED if name in FITS],
        grids=[f"{RESULTS}/grids/{name}.nc" for name in CLAIMED],
    output:
        csv=CLAIM_FILES[0],
        html=report(
            CLAIM_FILES[1],
            caption="../report/claims.rst",
            category="Claims",
            labels={"figure": "All claims"},
        ),
    log:
        f"{RESULTS}/logs/check_claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_claims.tsv"
    localrule: True
    params:
        settings={"experiments": CLAIMED},
        code=code("scripts/check_claims.py"),
    script:
        "../../scripts/check_claims.py"


rule claims:
    input:
        files_behind(SELECTED),
        fits_of(SELECTED),
        CLAIM_FILES,
