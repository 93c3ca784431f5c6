"""Fit the exponents of an experiment."""

from snakemake.script import Snakemake

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.results.digests import Product
from spectral_capacity.results.fits import write_fits
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.provenance import record
from spectral_capacity.results.reading import open_grid

snakemake: Snakemake

settings, outputs = snakemake.params.settings, snakemake.output
coordinates = {"experiment": settings["experiment"]}
made = Product(snakemake.output, snakemake.input, snakemake.params, snakemake.config["results"])
with job_log(snakemake.log[0], "fit_exponents", coordinates, made):
    fits = fit_exponents(open_grid(snakemake.input.grid), settings)
    write_fits(outputs.nc, outputs.csv, fits, record(settings))
