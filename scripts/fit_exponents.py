"""Fit the exponents of an experiment."""

from snakemake.script import Snakemake

from spectral_capacity.grids import open_grid, write_fits
from spectral_capacity.joblog import job_log
from spectral_capacity.provenance import record
from spectral_capacity.regression import fit_exponents

snakemake: Snakemake

settings = snakemake.params.settings
with job_log(snakemake.log[0], "fit_exponents", {"experiment": settings["experiment"]}):
    fits = fit_exponents(open_grid(snakemake.input.grid), settings)
    write_fits(snakemake.output.nc, snakemake.output.csv, fits, record(settings))
