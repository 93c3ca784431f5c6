# What all cells need, trained or not: a target of its own. It has no output and no benchmark, which
# Snakemake takes for one, so it always runs.
rule plan:
    log:
        f"{RESULTS}/logs/plan.log",
    threads: 1
    params:
        code=code("plan"),
    script:
        "../../scripts/plan.py"
