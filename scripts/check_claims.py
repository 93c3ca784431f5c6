"""Hold the claims against what was measured."""

from snakemake.script import Snakemake

from spectral_capacity.analysis.claims import check
from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.report.claims_page import checked_with, write
from spectral_capacity.results.digests import Product
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.reading import open_by_name

snakemake: Snakemake

inputs, params = snakemake.input, snakemake.params
with job_log(snakemake.log[0], "check_claims", params.settings, Product.of(snakemake)) as report:
    fits, grids = open_by_name(inputs.fits), open_by_name(inputs.grids)
    rows = check(read_claims(inputs.claims), fits, grids)
    read = {"fits": [*fits.values()], "grids": [*grids.values()]}
    made = checked_with(params.settings["experiments"], inputs.claims, params.code, **read)
    write(rows, snakemake.output.csv, snakemake.output.html, made)
    for claim, verdicts in rows.groupby("claim", sort=False):
        report(f"{claim}: {verdicts.claim_verdict.iloc[0]}")
