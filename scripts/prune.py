"""List, or delete, what the configuration no longer names."""

from snakemake.script import Snakemake

from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.prune import prune

snakemake: Snakemake

with job_log(snakemake.log[0], "prune", {}):
    config = snakemake.config
    print(prune(config["results"], snakemake.params.named, delete=config["prune"] == "delete"))
