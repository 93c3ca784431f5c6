"""Draw the embeddings of a block of seeds for one (N, d)."""

from snakemake.script import Snakemake

from spectral_capacity import backend
from spectral_capacity.embeddings import generate_embeddings
from spectral_capacity.joblog import job_log

snakemake: Snakemake

settings = snakemake.params.settings
with job_log(snakemake.log[0], "generate_embeddings", settings) as report:
    backend.start("cpu", snakemake.config["results"])
    generate_embeddings(snakemake.output[0], **settings, report=report)
