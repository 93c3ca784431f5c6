"""Train one cell, an optimizer × α × κ × d × block of seeds, and count what it recalls."""

from functools import partial

from snakemake.script import Snakemake

from spectral_capacity import backend
from spectral_capacity.dynamics import train_cell
from spectral_capacity.embeddings import load_embeddings
from spectral_capacity.grids import write_cell
from spectral_capacity.joblog import job_log
from spectral_capacity.provenance import record

snakemake: Snakemake

cell = snakemake.params.settings
with job_log(snakemake.log[0], "train_memory", cell) as report:
    backend.use_device(snakemake.config["device"])
    backend.use_compilation_cache(snakemake.config["results"] + "/.jax_cache")
    results = train_cell(cell, partial(load_embeddings, snakemake.input.embeddings), report)
    write_cell(snakemake.output[0], cell, results, record(cell, backend.describe()))
