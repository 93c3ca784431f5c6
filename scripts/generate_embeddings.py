"""Draw the embeddings of a block of seeds for one (N, d)."""

from snakemake.script import Snakemake

from spectral_capacity import backend
from spectral_capacity.results.digests import Product
from spectral_capacity.results.job_log import job_log
from spectral_capacity.sampling.embeddings import generate_embeddings

snakemake: Snakemake

settings = snakemake.params.settings
with job_log(snakemake.log[0], "generate_embeddings", settings, Product.of(snakemake)) as report:
    backend.start("cpu", snakemake.config["results"])
    generate_embeddings(snakemake.output[0], **settings, report=report)
