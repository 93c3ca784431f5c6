CLAIMED = [name for name in SELECTED if name in FITS]


rule check_claims:
    input:
        claims=CONFIG.claims,
        fits=expand(f"{RESULTS}/fits/{{experiment}}.nc", experiment=CLAIMED),
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
