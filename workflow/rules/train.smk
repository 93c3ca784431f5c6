# Each kind of experiment trains its cells with a script of its own, which names the rule: a bundle of them
# in one process. Its outputs are a list of them and a table of what they hold; each cell is a file, with a log, of its own. The path of
# a table of counts is neither input nor parameter: where it lies does not decide a result (its digest
# does), so scripts take it from the configuration.
for kind in registry.KINDS.values():
    trainer = Path(kind.script).stem

    rule:
        name:
            trainer
        input:
            draws=lambda wildcards: draws_of(bundle_of(wildcards)),
            files=lambda wildcards: bundle_of(wildcards).files(),
            none=lambda wildcards: force_what_is_unlike(workflow.dag) or [],
        output:
            manifest=manifest_file("{experiment}", "{bundle}"),
            table=table_file("{experiment}", "{bundle}"),
        log:
            f"{RESULTS}/logs/{trainer}/{{experiment}}/{{bundle}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/{trainer}/{{experiment}}/{{bundle}}.tsv"
        wildcard_constraints:
            experiment=experiments_of(kind),
        threads: training_threads
        # What a cluster is asked for, more with every attempt, and what `--resources mem_mb=N` counts here.
        resources:
            **TRAINING_RESOURCES,
            mem_mb=lambda wildcards, attempt: bundle_of(wildcards).megabytes(attempt),
            runtime=lambda wildcards, attempt: bundle_of(wildcards).minutes(attempt),
        params:
            cells=lambda wildcards: members_of(wildcards.experiment, wildcards.bundle),
            script=kind.script,
        script:
            "../../{params.script}"
