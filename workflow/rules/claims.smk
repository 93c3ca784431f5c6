rule check_claims:
    input:
        claims=CONFIG.claims,
        fits=expand(f"{RESULTS}/fits/{{experiment}}.nc", experiment=CONFIG.experiments),
    output:
        csv=f"{RESULTS}/claims.csv",
        html=report(f"{RESULTS}/claims.html", caption="../report/claims.rst", category="Claims"),
    params:
        settings={"experiments": list(CONFIG.experiments)},
        code=code("check_claims"),
    log:
        f"{RESULTS}/logs/check_claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_claims.tsv"
    script:
        "../../scripts/check_claims.py"


rule claims:
    input:
        rules.check_claims.output,
