rule generate_embeddings:
    input:
        none=lambda wildcards: force_what_is_unlike(workflow.dag) or [],
    output:
        embeddings_file("{embeddings}"),
    log:
        f"{RESULTS}/logs/generate_embeddings/{{embeddings}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/generate_embeddings/{{embeddings}}.tsv"
    localrule: CONFIG.embeddings.store == "keys"
    threads: 1
    params:
        settings=lambda wildcards: EMBEDDINGS[wildcards.embeddings].settings(SHARED),
        code=code("scripts/generate_embeddings.py"),
    script:
        "../../scripts/generate_embeddings.py"
