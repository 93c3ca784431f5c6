"""Hold the theory's claims against the fits."""

from snakemake.script import Snakemake

from spectral_capacity.analysis.claims import check
from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.report.claims_page import checked_with, write
from spectral_capacity.results.digests import Product
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.reading import open_grid

snakemake: Snakemake

settings, outputs = snakemake.params.settings, snakemake.output
with job_log(snakemake.log[0], "check_claims", settings, Product.of(snakemake)) as report:
    opened = map(open_grid, snakemake.input.fits)
    fits = dict(zip(settings["experiments"], opened, strict=True))
    rows = check(read_claims(snakemake.input.claims), fits)
    made = checked_with(
        settings["experiments"], snakemake.input.claims, snakemake.params.code, [*fits.values()]
    )
    write(rows, outputs.csv, outputs.html, made)
    for claim, verdicts in rows.groupby("claim", sort=False):
        report(f"{claim}: {verdicts.claim_verdict.iloc[0]}")
