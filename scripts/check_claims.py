"""Hold the claims against what was measured."""

from pathlib import Path

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
    # Claims about transformers are held against grids, as nothing is fitted to these.
    fits, grids = (
        {Path(path).stem: open_grid(path) for path in paths}
        for paths in (snakemake.input.fits, snakemake.input.grids)
    )
    rows = check(read_claims(snakemake.input.claims), fits | grids)
    made = checked_with(
        settings["experiments"],
        snakemake.input.claims,
        snakemake.params.code,
        fits=[*fits.values()],
        grids=[*grids.values()],
    )
    write(rows, outputs.csv, outputs.html, made)
    for claim, verdicts in rows.groupby("claim", sort=False):
        report(f"{claim}: {verdicts.claim_verdict.iloc[0]}")
