rule train_memory:
    input:
        embeddings=cell_embeddings,
    output:
        f"{RESULTS}/cells/{{experiment}}/{{cell}}.nc",
    log:
        f"{RESULTS}/logs/train_memory/{{experiment}}/{{cell}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_memory/{{experiment}}/{{cell}}.tsv"
    threads: training_threads
    params:
        settings=cell_settings,
        code=code("train_memory"),
        own_code=own_code,
        checkpoint=f"{RESULTS}/checkpoints/{{experiment}}/{{cell}}.nc",
    script:
        "../../scripts/train_memory.py"
