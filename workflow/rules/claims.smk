rule check_claims:
    input:
        claims=CONFIG.claims,
        fits=expand(f"{RESULTS}/fits/{{experiment}}.nc", experiment=FITS),
    output:
        csv=CLAIM_FILES[0],
        html=report(CLAIM_FILES[1], caption="../report/claims.rst", category="Claims"),
    log:
        f"{RESULTS}/logs/check_claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_claims.tsv"
    params:
        settings={"experiments": list(FITS)},
        code=code("scripts/check_claims.py"),
    script:
        "../../scripts/check_claims.py"


rule claims:
    input:
        files_behind(CELLS),
        fits_of(CELLS),
        CLAIM_FILES,
