"""Write the page of the run."""

from snakemake.script import Snakemake

from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.report.index import write
from spectral_capacity.results.digests import Product
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.provenance import record

snakemake: Snakemake

inputs, settings = snakemake.input, snakemake.params.settings
coordinates = {"experiments": list(settings["experiments"])}
with job_log(snakemake.log[0], "write_page", coordinates, Product.of(snakemake)):
    claims, code = read_claims(inputs.claims), snakemake.params.code
    shown = {"figures": [figure["name"] for figure in settings["figures"]]}
    made_with = record(shown, code=code, packages=("docutils", "jinja2"))
    write(snakemake.output[0], claims, inputs.table, inputs.grids, settings, made_with)
