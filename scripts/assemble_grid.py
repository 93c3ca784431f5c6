"""Put the points of all bundles of an experiment into one grid."""

from snakemake.script import Snakemake

from spectral_capacity.results.digests import Product
from spectral_capacity.results.grids import assemble
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.provenance import record

snakemake: Snakemake

settings = snakemake.params.settings
coordinates = {"experiment": settings["experiment"]}
with job_log(snakemake.log[0], "assemble_grid", coordinates, Product.of(snakemake)):
    assemble(
        snakemake.output[0],
        snakemake.input.tables,
        settings["coordinates"],
        record(settings, code=snakemake.params.code),
        title=f"{snakemake.params.title}: experiment {settings['experiment']}",
    )
