rule generate_embeddings:
    output:
        f"{RESULTS}/embeddings/{{embeddings}}.nc",
    params:
        settings=embeddings_settings,
        code=code("generate_embeddings"),
    log:
        f"{RESULTS}/logs/generate_embeddings/{{embeddings}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/generate_embeddings/{{embeddings}}.tsv"
    threads: 1
    script:
        "../../scripts/generate_embeddings.py"
