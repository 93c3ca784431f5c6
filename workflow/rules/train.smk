rule train_memory:
    input:
        embeddings=cell_embeddings,
    output:
        f"{RESULTS}/cells/{{experiment}}/{{cell}}.nc",
    log:
        f"{RESULTS}/logs/train_memory/{{experiment}}/{{cell}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_memory/{{experiment}}/{{cell}}.tsv"
    # One thread a job: jobs side by side use the cores better than threads inside one do. A job that
    # takes all devices has the machine to itself.
    threads: (workflow.cores or 1) if CONFIG.all_devices else 1
    params:
        settings=cell_settings,
        code=code("train_memory"),
        own_code=own_code,
        checkpoint=f"{RESULTS}/checkpoints/{{experiment}}/{{cell}}.nc",
    script:
        "../../scripts/train_memory.py"
