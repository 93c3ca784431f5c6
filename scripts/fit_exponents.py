"""Fit the exponents of an experiment."""

from snakemake.script import Snakemake

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.results.digests import Product
from spectral_capacity.results.fits import PACKAGES, write_fits
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.made_from import made_from
from spectral_capacity.results.provenance import record
from spectral_capacity.results.reading import open_grid

snakemake: Snakemake

settings, outputs = snakemake.params.settings, snakemake.output
coordinates = {"experiment": settings["experiment"]}
with job_log(snakemake.log[0], "fit_exponents", coordinates, Product.of(snakemake)):
    grid = open_grid(snakemake.input.grid)
    fits = fit_exponents(grid, settings)
    made_with = record(settings, code=snakemake.params.code, packages=PACKAGES)
    write_fits(outputs.nc, outputs.csv, fits, made_with | made_from(grids=grid))
