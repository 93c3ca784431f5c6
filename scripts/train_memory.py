"""Train the stale cells of a bundle, each an optimizer × α × κ × d × block of seeds, in one process."""

from snakemake.script import Snakemake

from spectral_capacity.results.bundles import Member, write_manifest
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.workers import train_each
from spectral_capacity.training.stale import stale

snakemake: Snakemake

experiment = snakemake.wildcards.experiment
members = [Member(**cell) for cell in snakemake.params.cells]


def start():
    """What trains one cell; imported in a process of its own, where there is something to train."""
    from spectral_capacity.training.bundle import trainer

    return trainer(snakemake.config, experiment)


coordinates = {"experiment": experiment, "bundle": snakemake.wildcards.bundle}
with job_log(snakemake.log[0], "train_memory", coordinates, snakemake.output) as report:
    to_train = stale(members)
    report(f"{len(to_train)} of {len(members)} cells to train")
    train_each(to_train, start, "train_memory", report)
    write_manifest(snakemake.output[0], members)
