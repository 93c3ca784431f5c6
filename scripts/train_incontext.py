"""Train the stale cells of a bundle, each an optimizer × laws × d × batch size × block of seeds."""

from snakemake.script import Snakemake

from spectral_capacity.results.bundles import Member
from spectral_capacity.results.digests import Product
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.workers import train_bundle

snakemake: Snakemake

where = dict(snakemake.wildcards.items())
members = [Member(**cell) for cell in snakemake.params.cells]


def start():
    """What trains a cell: called where there is something to train, so that JAX is imported only there."""
    from spectral_capacity.incontext.bundle import trainer

    return trainer(snakemake.config, where["experiment"])


with job_log(snakemake.log[0], "train_incontext", where, Product.of(snakemake)) as report:
    train_bundle(*snakemake.output, members, start, "train_incontext", report)
