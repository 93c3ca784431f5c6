# What all cells need, trained or not: a target of its own, with no output, so it always runs.
rule plan:
    log:
        f"{RESULTS}/logs/plan.log",
    benchmark:
        f"{RESULTS}/benchmarks/plan.tsv"
    threads: 1
    params:
        code=code("plan"),
    script:
        "../../scripts/plan.py"
