rule generate_embeddings:
    output:
        f"{RESULTS}/embeddings/{{embeddings}}.nc",
    log:
        f"{RESULTS}/logs/generate_embeddings/{{embeddings}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/generate_embeddings/{{embeddings}}.tsv"
    threads: 1
    params:
        settings=embeddings_settings,
        code=code("generate_embeddings"),
    script:
        "../../scripts/generate_embeddings.py"
