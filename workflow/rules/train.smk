# Each kind of experiment trains its cells with a script of its own, which names the rule. The path of
# a table of counts is neither input nor parameter: where it lies does not decide a result (its digest
# does), so scripts take it from the configuration.
for kind in registry.KINDS.values():
    trainer = Path(kind.script).stem

    rule:
        name:
            trainer
        input:
            draws=lambda wildcards: draws_of(cell_of(wildcards)),
            files=lambda wildcards: cell_of(wildcards).files(),
        output:
            f"{RESULTS}/cells/{{experiment}}/{{cell}}.nc",
        log:
            f"{RESULTS}/logs/{trainer}/{{experiment}}/{{cell}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/{trainer}/{{experiment}}/{{cell}}.tsv"
        wildcard_constraints:
            experiment=experiments_of(kind),
        threads: training_threads
        resources:
            **TRAINING_RESOURCES,
        params:
            settings=lambda wildcards: cell_of(wildcards).settings(),
            code=code(kind.script),
            own_code=own_code,
            checkpoint=checkpoint_file("{experiment}", "{cell}"),
            script=kind.script,
        script:
            "../../{params.script}"
