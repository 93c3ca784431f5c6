"""Train one cell, an optimizer × α × κ × d × block of seeds, and count what it recalls."""

from snakemake.script import Snakemake

from spectral_capacity import backend
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.provenance import record
from spectral_capacity.training.cell import embeddings_of, train_cell, write_cell
from spectral_capacity.training.checkpoints import Checkpoint, identity

snakemake: Snakemake

params, config, inputs = snakemake.params, snakemake.config, snakemake.input
with job_log(snakemake.log[0], "train_memory", params.settings) as report:
    devices = backend.start(config["device"], config["results"], config["all_devices"])
    made_with = record(params.settings, backend.describe())
    known_by = identity(made_with, inputs[0], params.code, params.own_code, devices)
    table = (config["experiments"][snakemake.wildcards.experiment]["frequencies"] or {}).get("file")
    load = embeddings_of(params.settings, inputs[0], table, ours=bool(inputs.draws))
    with Checkpoint(params.checkpoint, known_by, config["checkpoint_seconds"], report) as kept:
        results = train_cell(params.settings, load, report, kept, devices, table)
        write_cell(snakemake.output[0], params.settings, results, made_with)
